package zmtp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-zeromq/zmq4"
)

const (
	propType     = "Socket-Type"
	propIdentity = "Identity"
)

// mechanism is a security mechanism for one connection: zmq4 runs its Handshake, then peer says who is there.
type mechanism interface {
	zmq4.Security
	peer() Peer
	failure() error // why Handshake failed, nil if it did not
}

// newMechanism returns the mechanism that cfg asks for. PLAIN and CURVE will have their place here.
func newMechanism(cfg *Config, accepted bool) mechanism {
	return &null{cfg: cfg, accepted: accepted}
}

// null is the NULL mechanism of RFC 23, for one connection. zmq4's own loses the reason of an ERROR, heeds the case of
// property names, and panics at a socket type it does not know.
//
// The end that dialled sends READY first. The one that accepted reads it before it answers, so that its answer can be
// an ERROR that says what is wrong; libzmq heeds none after a READY.
type null struct {
	cfg      *Config
	accepted bool
	other    Peer
	err      error
}

func (n *null) peer() Peer                               { return n.other }
func (n *null) failure() error                           { return n.err }
func (*null) Type() zmq4.SecurityType                    { return zmq4.NullSecurity }
func (*null) Encrypt(w io.Writer, p []byte) (int, error) { return w.Write(p) }
func (*null) Decrypt(w io.Writer, p []byte) (int, error) { return w.Write(p) }

// Handshake exchanges READY commands. It leaves conn with a peer whose socket type zmq4 knows.
func (n *null) Handshake(conn *zmq4.Conn, _ bool) error {
	n.err = n.handshake(conn)
	return n.err
}

func (n *null) handshake(conn *zmq4.Conn) error {
	ready := appendProperties(nil, n.cfg)
	if !n.accepted {
		if err := conn.SendCmd(zmq4.CmdReady, ready); err != nil {
			return err
		}
	}
	cmd, err := conn.RecvCmd()
	if errors.Is(err, zmq4.ErrBadCmd) {
		return fmt.Errorf("%w: command whose name is longer than its frame", ErrProtocol)
	}
	if err != nil {
		return err
	}
	switch cmd.Name {
	case zmq4.CmdReady:
	case zmq4.CmdError:
		return fmt.Errorf("%w: %q", ErrRejected, splitError(cmd.Body))
	default:
		return fmt.Errorf("%w: command %.32q in place of READY", ErrProtocol, cmd.Name)
	}
	if n.other, err = parseReady(cmd.Body, n.cfg.Type); err != nil {
		if n.accepted {
			sendError(conn, err)
		}
		return err
	}
	conn.Peer.Meta[propType] = string(n.other.Type)
	if n.accepted {
		return conn.SendCmd(zmq4.CmdReady, ready)
	}
	return nil
}

// sendError tells the peer why it is refused, if it still listens.
func sendError(conn *zmq4.Conn, reason error) {
	text := strings.TrimPrefix(reason.Error(), ErrProtocol.Error()+": ")
	text = text[:min(len(text), 255)]
	_ = conn.SendCmd(zmq4.CmdError, append([]byte{byte(len(text))}, text...)) // the connection ends anyway
}

// parseReady finds the peer in its READY's properties, and refuses one that ours can't talk with.
func parseReady(p []byte, ours zmq4.SocketType) (Peer, error) {
	var peer Peer
	var typed, named bool
	for len(p) > 0 {
		name, value, rest, err := nextProperty(p)
		if err != nil {
			return peer, err
		}
		p = rest
		switch {
		case strings.EqualFold(name, propType):
			if typed {
				return peer, fmt.Errorf("%w: two %s properties", ErrProtocol, propType)
			}
			typed = true
			peer.Type = zmq4.SocketType(value)
		case strings.EqualFold(name, propIdentity):
			if named {
				return peer, fmt.Errorf("%w: two %s properties", ErrProtocol, propIdentity)
			}
			if len(value) > maxIdentity {
				return peer, fmt.Errorf("%w: identity of %d bytes, at most %d are allowed", ErrProtocol, len(value), maxIdentity)
			}
			named = true
			peer.Identity = append([]byte(nil), value...)
		}
	}
	switch {
	case !typed:
		return peer, fmt.Errorf("%w: READY without %s", ErrProtocol, propType)
	case !known(peer.Type):
		return peer, fmt.Errorf("%w: unknown socket type %.32q", ErrProtocol, string(peer.Type))
	case !peer.Type.IsCompatible(ours):
		return peer, fmt.Errorf("%w: socket type %s can't talk with %s", ErrProtocol, peer.Type, ours)
	}
	return peer, nil
}

// nextProperty splits off the first property of p: the name's length in one byte, the name, the value's length in four,
// the value.
func nextProperty(p []byte) (name string, value, rest []byte, err error) {
	n := int(p[0])
	if n == 0 {
		return "", nil, nil, fmt.Errorf("%w: property without a name", ErrProtocol)
	}
	if len(p) < 1+n+4 {
		return "", nil, nil, fmt.Errorf("%w: truncated property", ErrProtocol)
	}
	name, p = string(p[1:1+n]), p[1+n:]
	size := binary.BigEndian.Uint32(p)
	if p = p[4:]; uint64(len(p)) < uint64(size) {
		return "", nil, nil, fmt.Errorf("%w: property %.32q claims %d bytes and has %d", ErrProtocol, name, size, len(p))
	}
	return name, p[:size], p[size:], nil
}

// appendProperties appends what our READY says.
func appendProperties(dst []byte, cfg *Config) []byte {
	dst = appendProperty(dst, propType, []byte(cfg.Type))
	switch cfg.Type {
	case zmq4.Req, zmq4.Dealer, zmq4.Router:
		dst = appendProperty(dst, propIdentity, cfg.Identity)
	}
	return dst
}

func appendProperty(dst []byte, name string, value []byte) []byte {
	dst = append(append(dst, byte(len(name))), name...)
	return append(binary.BigEndian.AppendUint32(dst, uint32(len(value))), value...)
}

// known says whether t is a socket type of ZMTP 3.1.
func known(t zmq4.SocketType) bool {
	switch t {
	case zmq4.Pair, zmq4.Pub, zmq4.Sub, zmq4.Req, zmq4.Rep, zmq4.Dealer, zmq4.Router, zmq4.Pull, zmq4.Push, zmq4.XPub, zmq4.XSub:
		return true
	}
	return false
}
