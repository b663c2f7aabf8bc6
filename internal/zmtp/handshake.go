package zmtp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/go-zeromq/zmq4"
)

// Handshake is what a Mechanism talks with the peer through.
type Handshake struct {
	ctx      context.Context
	cfg      *Config
	mech     Mechanism
	accepted bool
	guard    *guard
	conn     *zmq4.Conn // from the greetings on
	peer     Peer
	met      bool
	err      error // why the mechanism's Handshake failed
}

// Context ends when the time for the handshake is up, or it has failed. Whoever is asked whether the peer may come in
// must heed it.
func (h *Handshake) Context() context.Context { return h.ctx }

// Accepted tells whether the stream was accepted or dialled.
func (h *Handshake) Accepted() bool { return h.accepted }

// Remote is the address of the other end of the stream. An address is no proof of anything.
func (h *Handshake) Remote() string { return remote(h.guard.Conn) }

// Properties is what our end says about itself.
func (h *Handshake) Properties() []byte { return appendProperties(nil, h.cfg) }

// Parse returns what the properties that a peer sent say about it.
func (h *Handshake) Parse(properties []byte) (Peer, error) { return parseProperties(properties) }

// Meet takes the peer as what its properties say that it is. It fails if they say nothing or nothing that our end can
// talk with. A peer that may yet be turned away is not met before that is decided.
func (h *Handshake) Meet(properties []byte) error {
	peer, err := parseProperties(properties)
	if err != nil {
		return err
	}
	if !peer.Type.IsCompatible(h.cfg.Type) {
		return fmt.Errorf("%w: socket type %s can't talk with %s", ErrProtocol, peer.Type, h.cfg.Type)
	}
	h.peer, h.met = peer, true
	h.conn.Peer.Meta[propType] = string(peer.Type) // zmq4 looks at it
	return nil
}

// Send sends a command.
func (h *Handshake) Send(name string, body []byte) error { return h.conn.SendCmd(name, body) }

// Recv returns the body of the next command, which must be the one that is named. An ERROR gives an error that wraps
// ErrRejected and says why, another command one that wraps ErrProtocol.
func (h *Handshake) Recv(want string) ([]byte, error) {
	frame, err := h.frame()
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(frame, []byte(oddError)) {
		frame = append([]byte("\x05E"), frame[1:]...)
	}
	name, body, err := splitCommand(frame)
	switch {
	case err != nil:
		return nil, err
	case name == want:
		return body, nil
	case name == zmq4.CmdError:
		return nil, fmt.Errorf("%w: %s", ErrRejected, meaning(splitError(body)))
	case name == zmq4.CmdHello && !h.mech.Server() && h.mech.Name() != string(zmq4.NullSecurity):
		return nil, fmt.Errorf("%w: both ends are %s clients", ErrProtocol, h.mech.Name())
	}
	return nil, fmt.Errorf("%w: command %.32q in place of %s", ErrProtocol, name, want)
}

// oddError is what a PLAIN server of libzmq 4.3 writes for "\x05ERROR": in C "\x5E" is one character.
const oddError = "^RROR"

// frame returns the body of the next frame, which the guard has seen to be a command's and not too long.
func (h *Handshake) frame() ([]byte, error) {
	read := func(p []byte) error {
		_, err := io.ReadFull(h.guard, p)
		if h.guard.err != nil {
			return h.guard.err // and not the io.ErrUnexpectedEOF in its place
		}
		return err
	}
	var head [longHeader]byte
	if err := read(head[:shortHeader]); err != nil {
		return nil, err
	}
	header, size, err := decodeHeader(head[:shortHeader])
	if size == 0 && err == nil {
		if err = read(head[shortHeader:]); err == nil {
			header, _, err = decodeHeader(head[:])
		}
	}
	if err != nil {
		return nil, err
	}
	body := make([]byte, header.size)
	return body, read(body)
}

// meaning is an ERROR's reason for people to read: libzmq sends the status codes of its authentication protocol.
func meaning(reason string) string {
	codes := map[string]string{
		"300": "the server can't authenticate anybody right now",
		"400": "authentication failed",
		"500": "the server's authentication is out of order",
	}
	if text, ok := codes[reason]; ok {
		return fmt.Sprintf("%q, %s", reason, text)
	}
	return fmt.Sprintf("%q", reason)
}

// Refuse sends an ERROR that tells the peer why it is refused, if it still listens.
func (h *Handshake) Refuse(reason error) {
	text := strings.TrimPrefix(reason.Error(), ErrProtocol.Error()+": ")
	text = text[:min(len(text), 255)]
	_ = h.Send(zmq4.CmdError, append([]byte{byte(len(text))}, text...)) // the connection ends anyway
}

// handshake lets zmq4 open the connection, from which it takes no more bytes than belong to the handshake.
func handshake(ctx context.Context, nc net.Conn, cfg *Config, accepted bool) (peer Peer, cipher Cipher, err error) {
	until := time.Now().Add(cfg.Handshake)
	if err := nc.SetDeadline(until); err != nil {
		return peer, nil, fmt.Errorf("zmtp: handshake: %w", err)
	}
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	mech := cfg.mechanism()
	g := &guard{Conn: nc, check: checker{mechanism: mech.Name(), server: mech.Server()}}
	h := &Handshake{ctx: ctx, cfg: cfg, mech: mech, accepted: accepted, guard: g}
	if err := h.open(); err != nil {
		return peer, nil, h.explain(err)
	}
	if g.unsent != nil {
		return peer, nil, fmt.Errorf("zmtp: handshake: %w", g.unsent)
	}
	if err := nc.SetDeadline(time.Time{}); err != nil {
		return peer, nil, fmt.Errorf("zmtp: handshake: %w", err)
	}
	peer = h.peer
	peer.Minor = g.check.minor
	peer.Address = remote(nc)
	return peer, mech.Cipher(), nil
}

// open calls zmq4, which must not take the process with it.
func (h *Handshake) open() (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: panic in the handshake: %v", ErrProtocol, r)
		}
	}()
	_, err = zmq4.Open(h.guard, (*security)(h), h.cfg.Type, zmq4.SocketIdentity(h.cfg.Identity), false, nil)
	return err
}

// explain picks the error that says most: the guard's or the mechanism's own rather than what zmq4 makes of it.
func (h *Handshake) explain(err error) error {
	g := h.guard
	var timeout net.Error
	switch {
	case errors.As(g.err, &timeout) && timeout.Timeout():
		return fmt.Errorf("zmtp: handshake not done within %v, peer sent %d bytes: %w", h.cfg.Handshake, g.check.total, g.err)
	case errors.Is(g.err, ErrProtocol), errors.Is(g.err, errNoBytes):
		return g.err
	case h.err != nil:
		return h.err
	case g.err != nil:
		return fmt.Errorf("zmtp: handshake: %w", g.err)
	}
	return err
}

// security shows a Handshake to zmq4, which greets the peer and then calls it.
type security Handshake

func (s *security) Type() zmq4.SecurityType                  { return zmq4.SecurityType(s.mech.Name()) }
func (*security) Encrypt(w io.Writer, p []byte) (int, error) { return w.Write(p) }
func (*security) Decrypt(w io.Writer, p []byte) (int, error) { return w.Write(p) }

// Handshake leaves conn with a peer whose socket type zmq4 knows.
func (s *security) Handshake(conn *zmq4.Conn, _ bool) error {
	h := (*Handshake)(s)
	h.conn = conn
	h.err = h.mech.Handshake(h)
	if h.err == nil && !h.met {
		h.err = fmt.Errorf("zmtp: mechanism %s has not met the peer", h.mech.Name())
	}
	return h.err
}
