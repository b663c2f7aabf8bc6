package mailbox

import (
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"strconv"
	"strings"
	"unicode"

	"github.com/troupe-go/troupe/internal/zmtp"
)

// Endpoint is where a socket binds or connects. Endpoints are comparable, and equal if they are written the same way,
// but for the spelling of IPv6 addresses and ports. The zero value is none.
type Endpoint struct {
	Network string // "inproc", "unix" or "tcp": what Network.Listen and Network.Dial take
	Address string // a name; a path or "@name"; "host:port"
}

// ParseEndpoint reads an endpoint as ZeroMQ writes them:
//
//	inproc://name        within this process
//	ipc:///run/app.sock  a Unix socket; ipc://app.sock is relative to the working directory
//	ipc://@app           a name in Linux's abstract namespace, which leaves no file
//	tcp://host:5555      a host name, an IPv4 address or a bracketed IPv6 address: [::1], [fe80::1%eth0]
//	tcp://*:5555         every address of this machine, the same as 0.0.0.0; for Bind only
//	tcp://127.0.0.1:*    a free port, the same as port 0; for Bind only
//
// Anything else is refused with an error that wraps ErrEndpoint and says what to write instead: other transports, the
// name of a network interface in the place of a host, a source address ("src;dst"), and a path longer than a Unix
// socket's may be (107 bytes; 103 on BSD and macOS).
func ParseEndpoint(s string) (Endpoint, error) {
	transport, rest, ok := strings.Cut(s, "://")
	if !ok {
		return refuse(s, "write inproc://name, ipc:///path or tcp://host:port")
	}
	switch transport {
	case "inproc":
		if rest == "" {
			return refuse(s, "the name is missing: inproc://name")
		}
		return Endpoint{"inproc", rest}, nil
	case "ipc":
		return parsePath(s, rest)
	case "tcp":
		return parseHostPort(s, rest)
	case "udp", "pgm", "epgm", "norm", "vmci", "ws", "wss", "tipc", "vsock", "hyperv", "gssapi":
		return refuse(s, "transport %s is not supported: between machines write tcp://host:port", transport)
	}
	if lower := strings.ToLower(transport); lower == "inproc" || lower == "ipc" || lower == "tcp" {
		return refuse(s, "write the transport in lower case: %s://", lower)
	}
	return refuse(s, "unknown transport %q: write inproc://, ipc:// or tcp://", transport)
}

// String returns the endpoint as ParseEndpoint reads it.
func (e Endpoint) String() string {
	switch e.Network {
	case "":
		return ""
	case "unix":
		return "ipc://" + e.Address
	}
	return e.Network + "://" + e.Address
}

// Bound returns e with the port that a listener at address got, if e leaves the port open. The host stays as it is: a
// listener on 0.0.0.0 can be connected to from its own machine as tcp://0.0.0.0:port.
func (e Endpoint) Bound(address net.Addr) Endpoint {
	host, port, err := net.SplitHostPort(e.Address)
	if e.Network != "tcp" || err != nil || port != "0" {
		return e
	}
	if _, port, err = net.SplitHostPort(address.String()); err == nil {
		e.Address = net.JoinHostPort(host, port)
	}
	return e
}

func refuse(s, format string, args ...any) (Endpoint, error) {
	return Endpoint{}, fmt.Errorf("%w %q: %s", ErrEndpoint, s, fmt.Sprintf(format, args...))
}

func parsePath(s, path string) (Endpoint, error) {
	abstract := strings.HasPrefix(path, "@")
	switch limit := zmtp.PathLimit(); {
	case path == "" || path == "@":
		return refuse(s, "the path is missing: ipc:///path, ipc://path or ipc://@name")
	case path == "*":
		return refuse(s, "temporary paths are not made up here: write ipc:///path, or ipc://@name on Linux")
	case strings.ContainsRune(path, 0):
		return refuse(s, "the path has a zero byte")
	case abstract && runtime.GOOS != "linux":
		return refuse(s, "abstract names exist on Linux only: write ipc:///path")
	case len(path) > limit:
		return refuse(s, "the path is %d bytes long and a Unix socket's may have %d: write a shorter one", len(path), limit)
	}
	return Endpoint{"unix", path}, nil
}

func parseHostPort(s, rest string) (Endpoint, error) {
	if src, dst, ok := strings.Cut(rest, ";"); ok {
		return refuse(s, "a source address (%s) cannot be chosen: write tcp://%s", src, dst)
	}
	host, port, err := net.SplitHostPort(rest)
	if err != nil {
		return refuse(s, "%s", hostPortHint(rest))
	}
	if port == "*" {
		port = "0"
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return refuse(s, "the port is a number up to 65535, or * for a free one: tcp://%s:5555", host)
	}
	bracketed := strings.HasPrefix(rest, "[")
	ip, err := netip.ParseAddr(host)
	switch {
	case host == "*" && !bracketed:
		host = "0.0.0.0"
	case host == "":
		return refuse(s, "the host is missing: tcp://*:%d to bind, tcp://localhost:%d to connect", n, n)
	case err == nil && ip.Is6() == bracketed && !strings.ContainsFunc(ip.Zone(), badInHost):
		host = ip.String()
	case bracketed:
		return refuse(s, "%q is no IPv6 address", host)
	case isInterface(host):
		return refuse(s, "interfaces have no name here: write the address of %s, or * for all of them", host)
	case len(host) > 253 || strings.ContainsFunc(host, badInHost):
		return refuse(s, "%q is neither a host's name nor an address", host)
	}
	return Endpoint{"tcp", net.JoinHostPort(host, strconv.FormatUint(n, 10))}, nil
}

// hostPortHint says what is wrong with s, which is no host and port.
func hostPortHint(s string) string {
	i := strings.LastIndexByte(s, ':')
	if i >= 0 {
		if ip, err := netip.ParseAddr(s[:i]); err == nil && ip.Is6() {
			return "an IPv6 address goes in brackets: tcp://[" + s[:i] + "]" + s[i:]
		}
	}
	if ip, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return "the port is missing: tcp://" + net.JoinHostPort(ip.String(), "5555")
	}
	if i >= 0 {
		return "write tcp://host:port"
	}
	return "the port is missing: tcp://" + s + ":5555"
}

func badInHost(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || r == unicode.ReplacementChar || strings.ContainsRune(`/\?#@*[]:;%"`, r)
}

// isInterface says whether host looks like the name that a system gives to a network interface: lo, eth0, enp3s0.
func isInterface(host string) bool {
	kind := strings.TrimRightFunc(strings.ToLower(host), func(r rune) bool { return unicode.IsDigit(r) })
	switch kind {
	case "lo":
		return true
	case "eth", "wlan", "en", "eno", "ens", "em", "ppp", "tun", "tap", "docker", "virbr", "br", "bond", "veth", "utun", "ib":
		return len(kind) < len(host)
	}
	// enp3s0, wlp2s0: a bus and a slot
	bus, slot, ok := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(kind, "enp"), "wlp"), "s")
	return ok && slot == "" && kind != bus+"s" && bus != "" && strings.Trim(bus, "0123456789") == ""
}
