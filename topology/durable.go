package topology

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	engine "github.com/troupe-go/troupe/internal/pipe"
)

// Store keeps what one instance of a source has sent and what is not done. Package durable has one that is a file. Its
// methods may be called from any goroutine.
type Store interface {
	// Begin returns the id of the source and how many tasks it has numbered. A new store takes the id that is given.
	Begin(source [16]byte) (used [16]byte, next uint64, err error)
	// Each calls do for each task that was put and is not done, in the order of their numbers, until it fails.
	Each(do func(number uint64, body []byte) error) error
	// Put keeps a task. When it returns, that outlives the process, and the machine if it is made for that.
	Put(number uint64, body []byte) error
	// Done forgets a task, soon. It may be called after Close too, and does nothing then.
	Done(number uint64)
	// Clear forgets everything: the source has ended.
	Clear() error
	Close() error
}

// Durable keeps the values that a pipe's [Source] has sent in a store until they are done, beginning before emit returns.
// A source that was killed, or whose machine was, loses none: when it is started again it first sends what was not done,
// as the same tasks, of which a sink sees each once. Then its function is called; [Sent] tells it how many values it has
// sent before, in all runs since it last came to its end; to go on by that number it has to emit from one goroutine. open is
// called for each instance in the process that runs it; package durable has one.
func Durable(open func(instance int) (Store, error)) EdgeOption {
	return only(pipe, "Durable", func(e *edge) {
		if open == nil {
			e.wrong = append(e.wrong, fmt.Errorf("pipe %s: the option Durable got a nil function", e.name))
		}
		e.pipe.store = open
	})
}

// sentKey is the key by which a source's context has how many values it has sent in earlier runs.
type sentKey struct{}

// Sent says how many values the source to whose function ctx was given has sent in earlier runs, which ended before it
// came to its end. It is 0 without [Durable].
func Sent(ctx context.Context) int {
	n, _ := ctx.Value(sentKey{}).(int)
	return n
}

// diary is what a source keeps in its store.
type diary[T any] struct {
	store  Store
	stream *stream
	edge   *edge
}

// keepDiary opens the store of the instance's pipe, if it has one, and continues the stream that is in it.
func keepDiary[T any](in *instance, e *edge) (*diary[T], error) {
	if e.pipe.store == nil {
		return nil, nil
	}
	store, err := e.pipe.store(in.n)
	if err != nil {
		return nil, err
	}
	in.atEnd(func() { store.Close() })
	s := in.ownStream()
	id, next, err := store.Begin(s.id)
	if err != nil {
		return nil, err
	}
	s.id = uuid.UUID(id)
	s.next.Store(next)
	return &diary[T]{store, s, e}, nil
}

// again sends what was not done.
func (d *diary[T]) again(ctx context.Context, g *giving[T]) error {
	return d.store.Each(func(number uint64, body []byte) error {
		var v T
		if err := d.edge.codec.Decode(body, &v); err != nil {
			return err
		}
		if err := d.stream.add(); err != nil {
			return err
		}
		return d.give(ctx, g, number, v)
	})
}

// emit keeps a value, then sends it.
func (d *diary[T]) emit(ctx context.Context, g *giving[T], v T) error {
	body, err := d.edge.codec.Append(nil, v)
	if err != nil {
		return err
	}
	if err := d.stream.add(); err != nil {
		return err
	}
	number := d.stream.nextID().Number
	if err := d.store.Put(number, body); err != nil {
		d.stream.Done()
		return err
	}
	err = d.give(ctx, g, number, v)
	if errors.Is(err, engine.ErrTooLarge) { // it would be so in every later run
		d.store.Done(number)
	}
	return err
}

// give sends a value that the stream has counted.
func (d *diary[T]) give(ctx context.Context, g *giving[T], number uint64, v T) error {
	err := g.give(ctx, engine.ID{Source: d.stream.id, Number: number}, v, &entry{d.stream, d.store, number})
	if err != nil {
		d.stream.Done()
	}
	return err
}

// entry is the origin of a task that is in a store.
type entry struct {
	*stream
	store  Store
	number uint64
}

func (e *entry) Done() {
	e.store.Done(e.number)
	e.stream.Done()
}
