package topology

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/troupe-go/troupe/codec"
	engine "github.com/troupe-go/troupe/internal/pipe"
	"github.com/troupe-go/troupe/mailbox"
)

// giving is an instance's side of a pipe that it sends into.
type giving[T any] struct {
	in   *instance
	edge *edge
	put  func(r room, id engine.ID, v T, origin engine.Origin) error

	producer interface { // nil over plain ZeroMQ, where no end of a stream is told
		End(id engine.ID, role string, origin engine.Origin)
		Forget(id engine.ID)
	}
	stop func(ctx context.Context) // closes it once all is written
}

// room says what to do if a pipe is full: to wait until ctx ends, or, without one, to put more into it.
type room struct{ ctx context.Context }

// give sends a value. It waits for room until ctx ends.
func (g *giving[T]) give(ctx context.Context, id engine.ID, v T, origin engine.Origin) error {
	return g.put(room{ctx}, id, v, origin)
}

// into puts a task into a producer.
func into[B any](r room, p *engine.Producer[B], id engine.ID, key string, body B, size int, origin engine.Origin) error {
	if r.ctx == nil {
		return p.Force(id, key, body, size, origin)
	}
	return p.Send(r.ctx, id, key, body, size, origin)
}

// giving opens that side. What was given is kept until it is done, but close doesn't wait for that.
func (p *PipeEdge[T]) giving(in *instance) (*giving[T], error) {
	c := in.carrier(p.edge)
	switch {
	case c.local:
		return p.givingNear(in), nil
	case p.edge.zmq:
		return p.givingPlain(in, c)
	}
	return p.givingFar(in, c)
}

func (g *giving[T]) end(id engine.ID, role string, origin engine.Origin) {
	if g.producer == nil || g.edge.zmq {
		origin.Done()
		origin.Flush()
		return
	}
	g.producer.End(id, role, origin)
}

func (g *giving[T]) forget(id engine.ID) {
	if g.producer != nil {
		g.producer.Forget(id)
	}
}

// close closes the side. What was sent is still written for as long as the instance has to end.
func (g *giving[T]) close() {
	ctx, cancel := context.WithTimeout(context.Background(), g.in.run.options.Grace)
	defer cancel()
	g.stop(ctx)
}

// producerConfig sets up a producer of the pipe.
func producerConfig[T, B any](p *PipeEdge[T], in *instance, dead *deadLetters[B]) engine.Config[B] {
	o := p.edge.pipe
	if o.workers == Started {
		o.workers = in.run.receivers(p.edge)
	}
	cfg := engine.Config[B]{Retries: o.retries, MinWorkers: o.workers, Ordered: p.key != nil, Dead: dead.take,
		Retried: &in.tally.Retried, Log: in.log}
	if p.edge.zmq {
		cfg.Retries = 0
	}
	return cfg
}

// orderKey returns the key of v, on an ordered pipe.
func (p *PipeEdge[T]) orderKey(v T) string {
	if p.key == nil {
		return ""
	}
	return p.key(v)
}

// near is where both sides of a pipe meet in one process.
type near[T any] struct {
	producer *engine.Producer[T]
	dead     deadLetters[T]
}

// meet returns the meeting point of the pipe.
func (p *PipeEdge[T]) meet(in *instance) *near[T] {
	return in.run.hub(p.edge, func() any {
		n := new(near[T])
		n.producer = engine.NewProducer(producerConfig(p, in, &n.dead))
		return n
	}).(*near[T])
}

func (p *PipeEdge[T]) givingNear(in *instance) *giving[T] {
	n := p.meet(in)
	leave := n.dead.join(in, n.producer, sendDead(p, in, func(v T) (T, error) { return v, nil }))
	return &giving[T]{
		in: in, edge: p.edge, producer: n.producer,
		put: func(r room, id engine.ID, v T, origin engine.Origin) error {
			return into(r, n.producer, id, p.orderKey(v), v, 0, origin)
		},
		stop: func(context.Context) { leave() },
	}
}

func (p *PipeEdge[T]) givingFar(in *instance, c carrier) (*giving[T], error) {
	dead := new(deadLetters[[]byte])
	producer := engine.NewProducer(producerConfig(p, in, dead))
	dead.join(in, producer, sendDead(p, in, func(body []byte) (v T, err error) {
		err = p.edge.codec.Decode(body, &v)
		return v, err
	}))
	wire, err := engine.Give(producer, in.place(p.edge, c))
	if err != nil {
		return nil, err
	}
	encode := encoder[T](p.edge.codec)
	return &giving[T]{
		in: in, edge: p.edge, producer: producer,
		put: func(r room, id engine.ID, v T, origin engine.Origin) error {
			body, err := encode(nil, v)
			if err != nil {
				return err
			}
			return into(r, producer, id, p.orderKey(v), body, len(body), origin)
		},
		stop: func(ctx context.Context) {
			wire.Close(ctx)
			producer.Close()
		},
	}, nil
}

// place is where the instance's side of a pipe is.
func (in *instance) place(e *edge, c carrier) engine.Place {
	name := in.role.name
	if n := in.run.options.instances(in.role); n > 1 {
		name = fmt.Sprintf("%s %d", name, in.n+1)
	}
	return engine.Place{Edge: e.name, Name: name, Endpoint: c.endpoint, Bind: c.binds, Socket: in.socket(e)}
}

// plainSocket opens a socket of a plain ZeroMQ pipe.
func (in *instance) plainSocket(e *edge, typ mailbox.SocketType, c carrier) (*mailbox.Socket, error) {
	s, err := mailbox.New(typ, in.socket(e))
	if err != nil {
		return nil, err
	}
	if c.binds {
		_, err = s.Bind(context.Background(), c.endpoint)
	} else {
		err = s.Connect(c.endpoint)
	}
	if err != nil {
		s.Close(endedContext)
		return nil, err
	}
	return s, nil
}

// endedContext is for what must not wait.
var endedContext = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

func (p *PipeEdge[T]) givingPlain(in *instance, c carrier) (*giving[T], error) {
	s, err := in.plainSocket(p.edge, mailbox.Push, c)
	if err != nil {
		return nil, err
	}
	encode := encoder[T](p.edge.codec)
	var mu sync.Mutex
	var buf []byte
	return &giving[T]{
		in: in, edge: p.edge,
		put: func(r room, _ engine.ID, v T, origin engine.Origin) (err error) {
			ctx := r.ctx
			if ctx == nil {
				ctx = endedContext
			}
			mu.Lock()
			defer mu.Unlock()
			if buf, err = encode(buf[:0], v); err != nil {
				return err
			}
			if err := s.Send(ctx, buf); err != nil {
				return err
			}
			origin.Done()
			origin.Flush()
			return nil
		},
		stop: func(ctx context.Context) { s.Close(ctx) },
	}, nil
}

// encoder returns c.Append, or what does the same with less ado.
func encoder[T any](c codec.Codec) func(dst []byte, v T) ([]byte, error) {
	if _, bytes := any((*T)(nil)).(*[]byte); bytes && c == codec.Raw {
		return func(dst []byte, v T) ([]byte, error) { return append(dst, *any(&v).(*[]byte)...), nil }
	}
	return func(dst []byte, v T) ([]byte, error) { return c.Append(dst, v) }
}

// deadLetters is where a producer's dead tasks go: to one of the instances that are there to send them on.
type deadLetters[B any] struct {
	mu  sync.Mutex
	all []*undertaker[B]
}

// undertaker takes care of dead tasks for an instance.
type undertaker[B any] struct {
	in       *instance
	producer *engine.Producer[B]
	send     func(t *engine.Task[B], reason string, buried engine.Origin) error // nil: there is no pipe for them
}

// join adds an instance, until leave is called.
func (d *deadLetters[B]) join(in *instance, producer *engine.Producer[B],
	send func(*engine.Task[B], string, engine.Origin) error) (leave func()) {
	u := &undertaker[B]{in, producer, send}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all = append(d.all, u)
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if len(d.all) > 1 { // the last one stays, to log at least
			d.all = slices.DeleteFunc(d.all, func(other *undertaker[B]) bool { return other == u })
		}
	}
}

// take is the producer's Dead.
func (d *deadLetters[B]) take(t *engine.Task[B], reason string) {
	d.mu.Lock()
	u := d.all[0]
	d.mu.Unlock()
	u.in.tally.Dropped.Add(1)
	var err error
	if u.send != nil {
		if err = u.pass(t, reason); err == nil {
			u.in.log.Info("task given up; it goes to the dead letters", "task", t.ID, "attempts", t.Attempts(), "reason", reason)
			return
		}
	}
	u.in.log.Warn("task given up", "task", t.ID, "attempts", t.Attempts(), "reason", reason)
	if err != nil {
		u.in.log.Error("it can't go to the dead letters", "err", err)
	}
	u.producer.Bury(t)
}

// pass sends a task on. It is called by whoever heard that the task is dead, who must not panic if a key's function does.
func (u *undertaker[B]) pass(t *engine.Task[B], reason string) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return u.send(t, reason, burial[B]{u.producer, t})
}

// burial is the origin of a dead letter: the task is done when that is.
type burial[B any] struct {
	producer *engine.Producer[B]
	task     *engine.Task[B]
}

func (b burial[B]) Done()  { b.producer.Bury(b.task) }
func (b burial[B]) Flush() {}

// sendDead returns what sends a dead task into the pipe's DeadLetters, nil if it has none. value returns the task.
func sendDead[T, B any](p *PipeEdge[T], in *instance, value func(B) (T, error)) func(*engine.Task[B], string, engine.Origin) error {
	if p.edge.pipe.dead == nil {
		return nil
	}
	return func(t *engine.Task[B], reason string, buried engine.Origin) error {
		v, err := value(t.Body)
		if err != nil {
			return err
		}
		letters := in.used[used{p.edge.pipe.dead}].(*giving[Failed[T]])
		return letters.put(room{}, t.ID, Failed[T]{v, reason, t.Attempts()}, buried)
	}
}
