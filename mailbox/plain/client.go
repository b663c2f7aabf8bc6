package plain

import (
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/troupe-go/troupe/internal/zmtp"
)

// most is the greatest length of a name or a password: it goes over the wire in one byte.
const most = 255

// Client makes a socket the client of its connections over ipc and tcp: a mailbox.Config.Security.
//
// A server that turns the client away is tried again like one that is not there, with the same pauses; the log says why.
type Client struct {
	Username string // at most 255 bytes [PLAIN_USERNAME]
	Password string // at most 255 bytes [PLAIN_PASSWORD]
}

// Check returns what can't be sent. mailbox.New calls it.
func (c Client) Check() error {
	switch {
	case len(c.Username) > most:
		return fmt.Errorf("plain: Client.Username has %d bytes, at most %d are possible", len(c.Username), most)
	case len(c.Password) > most:
		return fmt.Errorf("plain: Client.Password has %d bytes, at most %d are possible", len(c.Password), most)
	}
	return nil
}

// String names the user. It keeps the password to itself.
func (c Client) String() string { return fmt.Sprintf("PLAIN client %q", c.Username) }

// Format is String, whatever the verb.
func (c Client) Format(f fmt.State, _ rune) { io.WriteString(f, c.String()) }

// LogValue is String, for package slog.
func (c Client) LogValue() slog.Value { return slog.StringValue(c.String()) }

// Mechanism is for package mailbox.
func (c Client) Mechanism() zmtp.Mechanism { return client{c} }

// client is a client's end of one connection.
type client struct{ cfg Client }

func (client) Name() string        { return mechanism }
func (client) Server() bool        { return false }
func (client) Cipher() zmtp.Cipher { return nil }

// Handshake sends HELLO and INITIATE, and reads WELCOME and READY.
func (c client) Handshake(h *zmtp.Handshake) error {
	if err := h.Send("HELLO", appendText(appendText(nil, c.cfg.Username), c.cfg.Password)); err != nil {
		return err
	}
	welcome, err := h.Recv("WELCOME")
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w, which just closed the connection: plain: user %q is not let in: %w", zmtp.ErrRejected, c.cfg.Username, err)
	case errors.Is(err, zmtp.ErrRejected):
		return fmt.Errorf("plain: user %q is not let in: %w", c.cfg.Username, err)
	case err != nil:
		return err
	case len(welcome) > 0:
		return fmt.Errorf("%w: WELCOME of %d bytes, not 0", zmtp.ErrProtocol, len(welcome))
	}
	if err := h.Send("INITIATE", h.Properties()); err != nil {
		return err
	}
	ready, err := h.Recv("READY")
	if err != nil {
		return err
	}
	return h.Meet(ready)
}

// appendText appends text with its length.
func appendText(dst []byte, text string) []byte {
	return append(append(dst, byte(len(text))), text...)
}

// cutText takes a text that appendText made off p.
func cutText(p []byte) (text string, rest []byte, ok bool) {
	if len(p) == 0 || int(p[0]) > len(p)-1 {
		return "", nil, false
	}
	n := 1 + int(p[0])
	return string(p[1:n]), p[n:], true
}
