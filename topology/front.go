package topology

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/troupe-go/troupe/internal/broker"
	"github.com/troupe-go/troupe/mailbox"
)

// addFront declares the front of a service.
func (t *Topology) addFront(e *edge) {
	r := &role{name: e.name, class: serving, does: "dispatching", restarts: true, instances: 1, binds: []*edge{e}, front: e}
	r.open = func(in *instance) (func(context.Context) error, error) {
		var here []*edge // those that have sockets
		for _, e := range r.binds {
			if !in.carrier(e).local {
				here = append(here, e)
				in.log.Info(r.does, "edge", e.name, "endpoint", in.carrier(e).endpoint)
			}
		}
		f, err := in.openFront(here)
		if err != nil {
			return nil, err
		}
		in.atEnd(f.close)
		return func(ctx context.Context) error {
			<-ctx.Done()
			return nil
		}, nil
	}
	if t.role(r.name) != nil {
		t.mistake("there is a role named %s already; the front of the service %s is a role of that name", r.name, e.name)
	}
	t.roles = append(t.roles, r)
}

// shareFront has the front of another service be e's too.
func (t *Topology) shareFront(e *edge) {
	i := slices.IndexFunc(t.roles, func(r *role) bool { return r.front == e.via })
	switch {
	case i < 0 || e.zmq || e.when != nil || e.via.when != nil:
		t.mistake("service %s: it can't share the front of %s: both must be services of one topology without ZMQ, and %s have "+
			"a front of its own", e.name, e.via.name, e.via.name)
	case e.endpoint != e.via.endpoint:
		t.mistake("service %s shares the front of %s, so its endpoint is %s", e.name, e.via.name, e.via.endpoint)
	default:
		t.roles[i].binds = append(t.roles[i].binds, e)
	}
}

// dropFronts removes the fronts of services that have none: those of plain ZeroMQ, and those that another role binds.
func (t *Topology) dropFronts() {
	t.roles = slices.DeleteFunc(t.roles, func(r *role) bool {
		return r.front != nil && len(r.binds) == 1 && (r.front.zmq || slices.ContainsFunc(t.roles, func(other *role) bool {
			return other != r && slices.Contains(other.binds, r.front)
		}))
	})
}

// front is one that runs here.
type front struct{ *broker.Front }

// openFront binds a front of services that have one endpoint.
func (in *instance) openFront(services []*edge, more ...string) (*front, error) {
	var names []string
	for _, e := range services {
		names = append(names, e.name)
	}
	f, err := broker.NewFront(in.socket(services[0]), &in.tally.Retried, names...)
	if err != nil {
		return nil, err
	}
	for _, endpoint := range append(more, in.carrier(services[0]).endpoint) {
		if _, err := f.Bind(context.Background(), endpoint); err != nil {
			(&front{f}).close()
			return nil, err
		}
	}
	return &front{f}, nil
}

func (f *front) close() {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	f.Close(ended)
}

// lines are the connections to the front of a service that the roles of a process share: one for all callers, and one for
// all instances of a role that serves.
type lines struct {
	mu      sync.Mutex
	caller  callerLine
	callers int
	servers map[*role]*serverLine
}

// callerLine is what a process calls a service by: a broker.Caller, or a broker.Group if it is at several endpoints.
type callerLine interface {
	Call(ctx context.Context, body []byte, once bool) ([]byte, error)
	Stream(ctx context.Context, body []byte, once bool) iter.Seq2[[]byte, error]
	Close()
}

func (in *instance) lines(e *edge) *lines {
	return in.run.hub(e, func() any { return &lines{servers: map[*role]*serverLine{}} }).(*lines)
}

// call returns the connection for callers. hangUp is called once for each time.
func (l *lines) call(in *instance, e *edge) (line callerLine, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.callers == 0 {
		cfg := in.socket(e)
		cfg.Log = in.run.options.Log
		if places := strings.Split(in.carrier(e).endpoint, ","); len(places) > 1 {
			line, err = broker.NewGroup(cfg, e.name, places...)
		} else {
			line, err = broker.NewCaller(cfg, e.name, places[0])
		}
		if err != nil {
			return nil, err
		}
		l.caller = line
	}
	l.callers++
	return l.caller, nil
}

func (l *lines) hangUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.callers--; l.callers == 0 {
		l.caller.Close()
	}
}

// serverLine is the connection of all instances of a role that serves.
type serverLine struct {
	*broker.Server
	front   *front // in this process, if the role binds
	leaving atomic.Bool
	left    chan struct{} // closed when it is closed
}

// inside numbers the endpoints at which servers reach the fronts that they have inside.
var inside atomic.Int64

// serve returns the connection of the instance's role.
func (l *lines) serve(in *instance, e *edge) (*serverLine, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.servers[in.role]; s != nil {
		return s, nil
	}
	s := &serverLine{left: make(chan struct{})}
	at, cfg := in.carrier(e), in.socket(e)
	if at.binds {
		var err error
		at.endpoint = fmt.Sprintf("inproc://topology.front.%d", inside.Add(1))
		if s.front, err = in.openFront([]*edge{e}, at.endpoint); err != nil {
			return nil, err
		}
		cfg = mailbox.Config{Network: cfg.Network, Log: cfg.Log}
	}
	server, err := broker.NewServer(cfg, e.name, at.endpoint, in.run.plan.count(in.role))
	if err != nil {
		s.close()
		return nil, err
	}
	s.Server = server
	l.servers[in.role] = s
	return s, nil
}

// leave lets the instances finish what they have until ctx ends, and get no more. Later calls wait for the first.
func (s *serverLine) leave(ctx context.Context) {
	if s.leaving.Swap(true) {
		<-s.left
		return
	}
	s.Leave(ctx)
	s.close()
	close(s.left)
}

func (s *serverLine) close() {
	if s.Server != nil {
		s.Server.Close()
	}
	if s.front != nil {
		s.front.close()
	}
}
