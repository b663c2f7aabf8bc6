package topology

import (
	"log/slog"
	"time"

	"github.com/troupe-go/troupe/codec"
	"github.com/troupe-go/troupe/mailbox"
)

// EdgeOption is an option of an edge's declaration.
type EdgeOption func(*edge)

// ZMQ makes an edge plain ZeroMQ, so that any ZeroMQ program in any language can be its other end: a service is then REQ
// and REP, one frame per request and per reply, written by c. The edge's types are checked against c when declared, also
// where values are handed over inside one process and c is not used.
func ZMQ(c codec.Codec) EdgeOption {
	return func(e *edge) { e.codec = c }
}

// AtMostOnce makes a service's requests never be sent twice: when the connection that carried a request ends before the
// reply has come, Call returns an error that wraps [mailbox.ErrPeerLost], and the server may have executed the request or
// not. Without it the request is sent again.
func AtMostOnce() EdgeOption {
	return func(e *edge) { e.once = true }
}

// RoleOption is an option of a role's declaration.
type RoleOption func(*role)

// Instances sets how many instances of a role run, 1 by default; -n overrides it. The server of a [ZMQ] service can have
// only one.
func Instances(n int) RoleOption {
	return func(r *role) { r.instances = n }
}

// Options decide where a topology runs. The zero value runs all of it in this process. [Topology.Flags] fills one from
// flags.
type Options struct {
	// Run lists the roles to run here; none means all.
	Run []string
	// Instances overrides how many instances of a role run, by the role's name.
	Instances map[string]int
	// At moves edges to other endpoints, by the edge's name. An edge that is moved uses a socket also inside one process.
	At map[string]string
	// Processes runs every role instance in a child process: this program started again with the same arguments. What
	// children write goes where this process's output goes; their standard input is empty.
	Processes bool

	// Grace is how long roles may take to end once they are told to; 0 means 500 ms. A server handles what it has for
	// half of that; then its handler's context ends.
	Grace time.Duration
	// Network carries the sockets' bytes; nil means this machine's. Child processes always use the machine's.
	Network mailbox.Network
	// Log receives what happens to roles and sockets; nil means slog.Default().
	Log *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Grace <= 0 {
		o.Grace = 500 * time.Millisecond
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return o
}
