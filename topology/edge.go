package topology

import (
	"fmt"
	"reflect"

	"github.com/troupe-go/troupe/codec"
	"github.com/troupe-go/troupe/mailbox"
)

// kind is what an edge is for.
type kind string

const (
	service kind = "service"
	topic   kind = "topic"
	pipe    kind = "pipe"
)

// edge is what the roles on both of its sides know of each other.
type edge struct {
	name     string
	kind     kind
	endpoint string
	codec    codec.Codec // what its values are written with over a socket
	zmq      bool        // plain ZeroMQ: set by ZMQ, or when the run begins by what ZMQWhen was given
	when     *bool       // set by ZMQWhen, with plain
	plain    codec.Codec
	once     bool  // set by AtMostOnce
	via      *edge // whose front it shares, set by FrontOf
	topic    topicOptions
	pipe     pipeOptions
	carries  string  // its types, for -help
	wrong    []error // options that aren't for it

	// use opens the side of the edge that a role has by Uses, for one instance. The end is what the edge's own methods find
	// in the role's context; stop ends it.
	use func(in *instance) (end any, stop func(), err error)
}

// declare adds an edge whose values are of the types.
func (t *Topology) declare(e *edge, opts []EdgeOption, types ...reflect.Type) *edge {
	e.codec = codec.Msgpack
	for _, opt := range opts {
		opt(e)
	}
	t.addEdge(e)
	for _, err := range e.wrong {
		t.mistake("%w", err)
	}
	if _, err := mailbox.ParseEndpoint(e.endpoint); err != nil {
		t.mistake("%s %s: %w", e.kind, e.name, err)
	}
	for _, c := range []codec.Codec{e.codec, e.plain} {
		for _, typ := range types {
			if c == nil {
				continue
			}
			if err := c.Check(typ); err != nil {
				t.mistake("%s %s: %s can't be sent: %w", e.kind, e.name, typ, err)
			}
		}
	}
	return e
}

// settle decides what form edges have that were declared with ZMQWhen, at the beginning of a run.
func (t *Topology) settle() {
	for _, e := range t.edges {
		if e.when != nil && *e.when {
			e.codec, e.zmq = e.plain, true
		}
	}
	t.dropFronts()
}

// side is one of the two sides of an edge.
type side bool

// A server, a publisher and what sends into a pipe give; a client, a subscriber and what receives from a pipe take.
const (
	gives side = true
	takes side = false
)

// end is a role's side of an edge.
type end struct {
	edge *edge
	side side
}

// EdgeOption is an option of an edge's declaration.
type EdgeOption func(*edge)

// ZMQ makes an edge plain ZeroMQ, so that any ZeroMQ program in any language can be its other end. A service is then REQ
// and REP, one frame per request and per reply, written by c. The edge's types are checked against c when declared, also
// where values are handed over inside one process and c is not used.
func ZMQ(c codec.Codec) EdgeOption {
	return func(e *edge) { e.codec, e.zmq = c, true }
}

// ZMQWhen is [ZMQ] if on is true when the topology is run, and nothing else. It is for a flag of the program's own, which
// is parsed after the declarations.
func ZMQWhen(on *bool, c codec.Codec) EdgeOption {
	return func(e *edge) { e.when, e.plain = on, c }
}

// AtMostOnce makes a service's requests never be sent twice: when the connection that carried a request ends before the
// reply has come, Call returns an error that wraps [mailbox.ErrPeerLost], and the server may have executed the request or
// not. Without it the request is sent again.
func AtMostOnce() EdgeOption {
	return only(service, "AtMostOnce", func(e *edge) { e.once = true })
}

// only returns an option that is for edges of one kind.
func only(k kind, name string, set EdgeOption) EdgeOption {
	return func(e *edge) {
		if e.kind != k {
			e.wrong = append(e.wrong, fmt.Errorf("%s %s: the option %s is for a %s", e.kind, e.name, name, k))
			return
		}
		set(e)
	}
}
