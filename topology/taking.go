package topology

import (
	"context"
	"fmt"
	"time"

	engine "github.com/troupe-go/troupe/internal/pipe"
	"github.com/troupe-go/troupe/mailbox"
)

// taking is an instance's side of a pipe that it receives from.
type taking[T any] struct {
	take   func(ctx context.Context) (taken[T], bool) // false: the stream is over, or ctx has ended, or it was told to stop
	stop   func()                                     // lets take return false
	settle func(ctx context.Context) bool             // waits until all that was taken is done
	close  func(ctx context.Context)                  // once all is written that is to be told
}

// taken is what was received.
type taken[T any] struct {
	value   T
	id      engine.ID
	attempt int
	parcel
}

// taking opens that side.
func (p *PipeEdge[T]) taking(in *instance, cfg engine.ConsumerConfig) (*taking[T], error) {
	c := in.carrier(p.edge)
	if p.edge.zmq {
		cfg.Expect, cfg.Once = nil, false
	}
	switch {
	case c.local:
		return p.takingNear(in, cfg), nil
	case p.edge.zmq:
		return p.takingPlain(in, c)
	}
	cfg.Returns = !c.binds
	return p.takingFar(in, c, cfg)
}

func (p *PipeEdge[T]) takingNear(in *instance, cfg engine.ConsumerConfig) *taking[T] {
	cfg.Returns = true
	consumer := engine.NewConsumer[T](cfg)
	engine.Connect(p.meet(in).producer, consumer)
	return &taking[T]{
		take: func(ctx context.Context) (taken[T], bool) {
			d := consumer.Take(ctx)
			if d == nil {
				return taken[T]{}, false
			}
			return taken[T]{d.Body, d.ID, d.Attempt, d}, true
		},
		stop:   consumer.Stop,
		settle: consumer.Settle,
		close:  func(context.Context) { consumer.Close() },
	}
}

func (p *PipeEdge[T]) takingFar(in *instance, c carrier, cfg engine.ConsumerConfig) (*taking[T], error) {
	consumer := engine.NewConsumer[[]byte](cfg)
	wire, err := engine.Take(consumer, in.place(p.edge, c))
	if err != nil {
		return nil, err
	}
	complained := time.Time{}
	return &taking[T]{
		take: func(ctx context.Context) (t taken[T], ok bool) {
			for {
				d := consumer.Take(ctx)
				if d == nil {
					return t, false
				}
				err := p.edge.codec.Decode(d.Body, &t.value)
				if err == nil {
					t.id, t.attempt, t.parcel = d.ID, d.Attempt, d
					return t, true
				}
				in.tally.Failed.Add(1)
				if time.Since(complained) > 10*time.Second { // a peer may send nothing else
					complained = time.Now()
					in.log.Warn("a task that can't be read", "edge", p.edge.name, "task", d.ID, "err", err)
				}
				d.Fail(err.Error())
			}
		},
		stop:   consumer.Stop,
		settle: consumer.Settle,
		close: func(ctx context.Context) {
			consumer.Stop()
			wire.Close(ctx)
			consumer.Close()
		},
	}, nil
}

func (p *PipeEdge[T]) takingPlain(in *instance, c carrier) (*taking[T], error) {
	s, err := in.plainSocket(p.edge, mailbox.Pull, c)
	if err != nil {
		return nil, err
	}
	stopped, stop := context.WithCancel(context.Background())
	complained := time.Time{}
	var from, until context.Context // what take was last called with, and what ends with that or stopped
	return &taking[T]{
		take: func(ctx context.Context) (t taken[T], ok bool) {
			if ctx != from {
				both, cancel := context.WithCancel(ctx)
				context.AfterFunc(stopped, cancel)
				from, until = ctx, both
			}
			for {
				frames, err := s.Recv(until)
				if err != nil {
					return t, false
				}
				if len(frames) == 1 {
					if err = p.edge.codec.Decode(frames[0], &t.value); err == nil {
						t.attempt, t.parcel = 1, plainParcel{}
						return t, true
					}
				} else {
					err = fmt.Errorf("a message of %d frames; a pipe's has one", len(frames))
				}
				in.tally.Dropped.Add(1)
				if time.Since(complained) > 10*time.Second {
					complained = time.Now()
					in.log.Warn("a message that can't be read was dropped", "edge", p.edge.name, "err", err)
				}
			}
		},
		stop:   stop,
		settle: func(context.Context) bool { return true },
		close: func(ctx context.Context) {
			stop()
			s.Close(ctx)
		},
	}, nil
}

// plainParcel is what came over plain ZeroMQ, where nobody wants to hear what becomes of it.
type plainParcel struct{}

func (plainParcel) Done()       {}
func (plainParcel) Flush()      {}
func (plainParcel) Finish()     {}
func (plainParcel) Fail(string) {}

// sources says of which roles how many instances send what comes out of a pipe in the end; nil if nobody would hear of
// their end, because there is plain ZeroMQ on the way.
func (in *instance) sources(e *edge) map[string]int {
	t := in.run.topology
	if t.passesPlain(e) {
		return nil
	}
	counts := map[string]int{}
	for _, r := range t.origins(e) {
		counts[r.name] = in.run.options.instances(r)
	}
	return counts
}

// passesPlain reports whether e or a pipe before it is plain ZeroMQ.
func (t *Topology) passesPlain(e *edge) bool {
	if e.zmq {
		return true
	}
	for _, r := range t.on(e, gives) {
		for _, end := range r.ends {
			if end.edge.kind == pipe && end.side == takes && t.passesPlain(end.edge) {
				return true
			}
		}
	}
	return false
}
