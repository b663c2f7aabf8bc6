package zmtp

import (
	"context"
	"net"

	"github.com/troupe-go/troupe/internal/memnet"
)

// Network makes the streams that connections run over. The network is "tcp", "unix" (the address is a path, or
// "@name" for Linux's abstract namespace) or "inproc" (any name).
//
// Listen's context bounds the binding, not the life of what it returns. Dial to an inproc name waits until somebody
// binds it or ctx ends; the others fail when nobody is there.
type Network interface {
	Listen(ctx context.Context, network, address string) (net.Listener, error)
	Dial(ctx context.Context, network, address string) (net.Conn, error)
}

// OS returns this machine's network: its tcp and Unix sockets, and the one namespace of inproc names that all of this
// process shares.
//
// A Unix socket's file is removed when its listener is closed. One left behind by a process that died is replaced; one
// that somebody listens on, and any file that is no socket, is left alone and Listen fails. A path that is too long for
// the system is refused by Listen and Dial alike, with an error that names the limit.
func OS() Network { return machine{} }

// inproc is the process-wide namespace.
var inproc memnet.Network

type machine struct{}

func (machine) Listen(ctx context.Context, network, address string) (net.Listener, error) {
	switch network {
	case "inproc":
		return inproc.Listen(ctx, network, address)
	case "unix":
		return listenUnix(ctx, address)
	case "tcp":
		var lc net.ListenConfig // keep-alive is on by default
		return lc.Listen(ctx, network, address)
	}
	return nil, net.UnknownNetworkError(network)
}

func (machine) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	switch network {
	case "inproc":
		return inproc.Dial(ctx, network, address)
	case "unix":
		if err := checkPath(address); err != nil {
			return nil, err
		}
	case "tcp":
	default:
		return nil, net.UnknownNetworkError(network)
	}
	var d net.Dialer // looks names up anew each time; keep-alive is on by default
	return d.DialContext(ctx, network, address)
}
