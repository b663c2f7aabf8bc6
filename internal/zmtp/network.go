package zmtp

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"syscall"

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

// Machine is this machine's network: its tcp and Unix sockets, and the one namespace of inproc names that all of this
// process shares. The zero value leaves all settings to Go and the system.
//
// A Unix socket's file is removed when its listener is closed. One left behind by a process that died is replaced; one
// that somebody listens on, and any file that is no socket, is left alone and Listen fails. A path that is too long for
// the system is refused by Listen and Dial alike, with an error that names the limit.
//
// Dial looks host names up each time, and tries all the addresses that a name has.
type Machine struct {
	// KeepAlive is for tcp connections. The zero value means Go's default, on: the system probes a connection that was
	// idle for 15 s every 15 s, and ends it when nine probes in a row got no answer. A negative Idle without Enable turns
	// it off.
	KeepAlive net.KeepAliveConfig
	// Backlog is how many connections may wait to be accepted (default 0: as many as the system allows, which is also the
	// most that any number can mean).
	Backlog int
	// SendBuffer and RecvBuffer are the sizes in bytes of the system's buffers for each connection (default 0: the
	// system's choice, which for tcp grows and shrinks as needed). The system may round them or bound them.
	SendBuffer, RecvBuffer int
	// FileMode is the permissions of the files of Unix sockets, whatever the process's umask (default 0: as the umask
	// leaves them). On Linux no file ever has more than these; elsewhere there is a moment in which it has what the umask
	// leaves. Names in the abstract namespace have none.
	FileMode fs.FileMode
	// Resolver looks host names up (default: the system's).
	Resolver *net.Resolver
}

// Check refuses what can't be honoured.
func (m Machine) Check() error {
	k := m.KeepAlive
	switch {
	case m.Backlog < 0, m.SendBuffer < 0, m.RecvBuffer < 0:
		return errors.New("fields Backlog, SendBuffer and RecvBuffer can't be negative")
	case int64(max(m.Backlog, m.SendBuffer, m.RecvBuffer)) > 1<<30:
		return errors.New("fields Backlog, SendBuffer and RecvBuffer can't be more than 1 GiB")
	case !k.Enable && (k.Idle > 0 || k.Interval > 0 || k.Count > 0):
		return fmt.Errorf("field KeepAlive says how, %+v, but not Enable", k)
	case m.FileMode&^fs.ModePerm != 0:
		return fmt.Errorf("field FileMode %v has more than permissions", m.FileMode)
	}
	return nil
}

// inproc is the process-wide namespace.
var inproc memnet.Network

// Listen binds an address.
func (m Machine) Listen(ctx context.Context, network, address string) (net.Listener, error) {
	if network == "inproc" {
		return inproc.Listen(ctx, network, address)
	}
	if err := m.Check(); err != nil {
		return nil, fmt.Errorf("zmtp: %w", err)
	}
	switch network {
	case "unix":
		return m.listenUnix(ctx, address)
	case "tcp":
		l, err := m.listenConfig().Listen(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return m.listening(l)
	}
	return nil, net.UnknownNetworkError(network)
}

// Dial connects to an address.
func (m Machine) Dial(ctx context.Context, network, address string) (net.Conn, error) {
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
	if err := m.Check(); err != nil {
		return nil, fmt.Errorf("zmtp: %w", err)
	}
	d := net.Dialer{KeepAliveConfig: m.KeepAlive, Resolver: m.Resolver, ControlContext: m.control()}
	if m.noKeepAlive() {
		d.KeepAlive = -1
	}
	return d.DialContext(ctx, network, address)
}

func (m Machine) listenConfig() *net.ListenConfig {
	lc := &net.ListenConfig{KeepAliveConfig: m.KeepAlive}
	if m.noKeepAlive() {
		lc.KeepAlive = -1
	}
	if control := m.control(); control != nil {
		lc.Control = func(network, address string, raw syscall.RawConn) error {
			return control(context.Background(), network, address, raw)
		}
	}
	return lc
}

func (m Machine) noKeepAlive() bool { return !m.KeepAlive.Enable && m.KeepAlive.Idle < 0 }

// control returns what prepares a socket before it is bound or connected: tcp agrees then on how large its window may
// become.
func (m Machine) control() func(_ context.Context, network, address string, raw syscall.RawConn) error {
	if m.SendBuffer == 0 && m.RecvBuffer == 0 {
		return nil
	}
	return func(_ context.Context, _, _ string, raw syscall.RawConn) (err error) {
		failed := raw.Control(func(fd uintptr) { err = setBuffers(fd, m.SendBuffer, m.RecvBuffer) })
		return errors.Join(failed, err)
	}
}

// listening makes of a listener what m asks for.
func (m Machine) listening(l net.Listener) (net.Listener, error) {
	if m.Backlog > 0 {
		raw, err := l.(syscall.Conn).SyscallConn()
		if err == nil {
			failed := raw.Control(func(fd uintptr) { err = setBacklog(fd, m.Backlog) })
			err = errors.Join(failed, err)
		}
		if err != nil {
			l.Close()
			return nil, fmt.Errorf("zmtp: set the backlog: %w", err)
		}
	}
	if m.SendBuffer > 0 || m.RecvBuffer > 0 {
		return &buffering{Listener: l, m: m}, nil
	}
	return l, nil
}

// buffering sets the buffers of what is accepted: a tcp connection has its listener's already, another one has not.
type buffering struct {
	net.Listener
	m Machine
}

func (l *buffering) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if u, ok := c.(*net.UnixConn); ok && err == nil {
		if l.m.SendBuffer > 0 {
			u.SetWriteBuffer(l.m.SendBuffer) // fails only if the connection has ended
		}
		if l.m.RecvBuffer > 0 {
			u.SetReadBuffer(l.m.RecvBuffer)
		}
	}
	return c, err
}
