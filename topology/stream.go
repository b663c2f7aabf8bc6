package topology

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	engine "github.com/troupe-go/troupe/internal/pipe"
)

// stream is what one run of a role's instance sends into pipes that is no result of something it has received.
type stream struct {
	id   uuid.UUID
	role string
	next atomic.Uint64 // number of the next value
	open atomic.Int64  // values that are not done, and one more until no more come
	idle chan struct{} // closed when open is 0
}

// ownStream returns the instance's stream.
func (in *instance) ownStream() *stream {
	in.run.mu.Lock()
	defer in.run.mu.Unlock()
	if in.stream == nil {
		in.stream = &stream{id: uuid.New(), role: in.role.name, idle: make(chan struct{})}
		in.stream.open.Store(1)
	}
	return in.stream
}

func (s *stream) nextID() engine.ID { return engine.ID{Source: s.id, Number: s.next.Add(1) - 1} }

// errEnded is returned for what is sent when those who receive may have heard that nothing more comes.
var errEnded = errors.New("topology: the role has ended, and sends nothing more")

// add counts a value that is to be sent, until Done. It fails once the stream has ended.
func (s *stream) add() error {
	for {
		n := s.open.Load()
		if n == 0 {
			return errEnded
		}
		if s.open.CompareAndSwap(n, n+1) {
			return nil
		}
	}
}

// Done and Flush make the stream the origin of its values.
func (s *stream) Done() {
	if s.open.Add(-1) == 0 {
		close(s.idle)
	}
}

func (s *stream) Flush() {}

// lastHeard is how long a source whose tasks are all done waits at most until somebody has heard that it has ended. Who
// received its tasks is there, so it is rarely long.
const lastHeard = 2 * time.Second

// end waits until all values are done, tells those who receive from the given ends that nothing more comes, and waits
// until they have heard. If there were no values it waits as long as that takes. It fails with the cause of ctx's end.
func (s *stream) end(ctx context.Context, ends []ender) error {
	s.Done()
	select {
	case <-s.idle:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	n := &noted{all: make(chan struct{})}
	n.left.Store(int64(len(ends)))
	for _, e := range ends {
		e.end(engine.EndOf(s.id), s.role, n)
	}
	var late <-chan time.Time
	if s.next.Load() > 0 {
		late = time.After(lastHeard)
	}
	if len(ends) == 0 {
		return nil
	}
	select {
	case <-n.all:
	case <-late:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// ender is the giving side of a pipe as those see it who tell that a stream has ended.
type ender interface {
	end(id engine.ID, role string, origin engine.Origin)
	forget(id engine.ID)
}

// enders returns the giving sides of the pipes that the instance uses, and of those that are given.
func (in *instance) enders(more ...ender) []ender {
	for _, end := range in.used {
		if e, ok := end.(ender); ok {
			more = append(more, e)
		}
	}
	return more
}

// noted is the origin of the end of a stream on several pipes.
type noted struct {
	left atomic.Int64
	all  chan struct{} // closed when it was heard on all
}

func (n *noted) Done() {
	if n.left.Add(-1) == 0 {
		close(n.all)
	}
}

func (n *noted) Flush() {}

// parcel is what was received, as a stage or sink says what became of it.
type parcel interface {
	engine.Origin
	Finish()
	Fail(reason string)
}

// shared is the origin of the result of a task and of all else that was sent because of it: the task is done when all
// these are.
type shared struct {
	parcel
	mu   sync.Mutex
	open int
	fail bool
}

// taskKey is the key by which a handler's context has its task.
type taskKey struct{}

// add counts one more. It reports false if it is too late: the task is done.
func (s *shared) add() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == 0 {
		return false
	}
	s.open++
	return true
}

func (s *shared) Done() {
	s.mu.Lock()
	s.open--
	done := s.open == 0 && !s.fail
	s.mu.Unlock()
	if done {
		s.parcel.Done()
	}
}

func (s *shared) Fail(reason string) {
	s.mu.Lock()
	s.fail = true
	s.mu.Unlock()
	s.parcel.Fail(reason)
}
