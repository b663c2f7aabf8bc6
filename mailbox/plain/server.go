package plain

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/troupe-go/troupe/internal/zmtp"
)

const mechanism = "PLAIN"

// Server makes a socket the server of its connections over ipc and tcp: a mailbox.Config.Security [PLAIN_SERVER].
type Server struct {
	// Allow decides whether a client is let in: nil lets it, an error turns it away. The client is told no more than
	// "400", authentication failed, which is what libzmq's says; the log has the error and the name. A panic is an error
	// too.
	//
	// It is called for each new connection, from many goroutines at once. ctx ends with the time for the handshake
	// (mailbox.Config.Handshake) and with the socket, and has to be heeded: the socket's Close waits. There is no
	// default. Compare passwords in a time that does not depend on them: with crypto/subtle's ConstantTimeCompare.
	Allow func(ctx context.Context, l Login) error
}

// Login is what a client logs in with.
type Login struct {
	Username, Password string
	// Remote is the address that the connection comes from.
	Remote string
}

// String names the user and the address. It keeps the password to itself.
func (l Login) String() string { return fmt.Sprintf("user %q from %s", l.Username, l.Remote) }

// Format is String, whatever the verb.
func (l Login) Format(f fmt.State, _ rune) { io.WriteString(f, l.String()) }

// LogValue is String, for package slog.
func (l Login) LogValue() slog.Value { return slog.StringValue(l.String()) }

// Check returns what is missing. mailbox.New calls it.
func (s Server) Check() error {
	if s.Allow == nil {
		return errors.New("plain: Server.Allow is not set: nobody would be let in")
	}
	return nil
}

// Mechanism is for package mailbox.
func (s Server) Mechanism() zmtp.Mechanism { return server{s} }

// errRefused is what a client is told that is turned away: no more than that.
var errRefused = errors.New("400")

// server is a server's end of one connection.
type server struct{ cfg Server }

func (server) Name() string        { return mechanism }
func (server) Server() bool        { return true }
func (server) Cipher() zmtp.Cipher { return nil }

// Handshake reads HELLO and INITIATE, and sends WELCOME and READY.
func (s server) Handshake(h *zmtp.Handshake) error {
	hello, err := h.Recv("HELLO")
	if err != nil {
		return err
	}
	login := Login{Remote: h.Remote()}
	user, rest, ok1 := cutText(hello)
	password, rest, ok2 := cutText(rest)
	if !ok1 || !ok2 || len(rest) > 0 {
		return fmt.Errorf("%w: HELLO of %d bytes that is no name and password", zmtp.ErrProtocol, len(hello))
	}
	login.Username, login.Password = user, password
	if err := s.ask(h.Context(), login); err != nil {
		h.Refuse(errRefused)
		return fmt.Errorf("plain: user %q turned away: %w", user, err)
	}
	if err := h.Send("WELCOME", nil); err != nil {
		return err
	}
	initiate, err := h.Recv("INITIATE")
	if err != nil {
		return err
	}
	if err := h.Meet(initiate); err != nil {
		h.Refuse(err)
		return err
	}
	return h.Send("READY", h.Properties())
}

// ask asks Allow.
func (s server) ask(ctx context.Context, login Login) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic in Allow: %v", r)
		}
	}()
	if err := s.cfg.Allow(ctx, login); err != nil {
		return err
	}
	return context.Cause(ctx) // a yes that comes too late is none
}
