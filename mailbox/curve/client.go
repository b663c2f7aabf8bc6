package curve

import (
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/nacl/box"

	"github.com/troupe-go/troupe/internal/zmtp"
)

// Client makes a socket the client of its connections over ipc and tcp: a mailbox.Config.Security.
//
// A server that turns the client away, or that has another key than ServerKey, is tried again like one that is not
// there, with the same pauses; the log says why.
type Client struct {
	// Key is who the client is [CURVE_PUBLICKEY and CURVE_SECRETKEY].
	Key KeyPair
	// ServerKey is the server's public key [CURVE_SERVERKEY].
	ServerKey Key
}

// Check returns what is missing. mailbox.New calls it.
func (c Client) Check() error {
	if c.ServerKey == (Key{}) {
		return errors.New("curve: Client.ServerKey is not set: it is the server's public key")
	}
	return c.Key.check()
}

// Mechanism is for package mailbox.
func (c Client) Mechanism() zmtp.Mechanism { return &client{cfg: c} }

// client is a client's end of one connection.
type client struct {
	cfg    Client
	cipher *cipher
}

func (*client) Name() string          { return mechanism }
func (*client) Server() bool          { return false }
func (c *client) Cipher() zmtp.Cipher { return c.cipher }

// Handshake sends HELLO and INITIATE, and reads WELCOME and READY.
func (c *client) Handshake(h *zmtp.Handshake) error {
	public, secret := newKeys() // C' and c', for this connection
	server := [keySize]byte(c.cfg.ServerKey)
	nonces := counter(0)

	if err := h.Send("HELLO", c.hello(public, secret, nonces.next())); err != nil {
		return err
	}
	body, err := h.Recv("WELCOME")
	if err != nil {
		return turnedAway("the server does not take our HELLO, perhaps because its key is not ServerKey", err)
	}
	w, err := openWelcome(body, &server, secret)
	if err != nil {
		return err
	}
	var shared [keySize]byte // of S' and c'
	box.Precompute(&shared, &w.public, secret)
	if err := h.Send("INITIATE", c.initiate(w, public, &shared, nonces.next(), h.Properties())); err != nil {
		return err
	}
	body, err = h.Recv("READY")
	if err != nil {
		return turnedAway(fmt.Sprintf("the server does not let in our key, %v", c.cfg.Key.public), err)
	}
	heard := counter(0)
	properties, err := openShort("READY", "CurveZMQREADY---", body, &heard, &shared)
	if err != nil {
		return err
	}
	c.cipher = &cipher{key: shared, sendPrefix: fromClient, recvPrefix: fromServer, sent: nonces, heard: heard}
	return h.Meet(properties)
}

// turnedAway says what it means if, in place of the next command, there is an ERROR, or nothing more: libzmq just closes
// the connection of a client that it can't understand.
func turnedAway(what string, err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w, which just closed the connection: curve: %s: %w", zmtp.ErrRejected, what, err)
	case errors.Is(err, zmtp.ErrRejected):
		return fmt.Errorf("curve: %s: %w", what, err)
	}
	return err
}

// hello is HELLO's body: version 1.0, padding so that no answer to it is longer, C', and a box that shows c' to be had.
func (c *client) hello(public, secret *[keySize]byte, n uint64) []byte {
	server := [keySize]byte(c.cfg.ServerKey)
	body := make([]byte, 2+72, helloSize)
	body[0] = 1
	body = append(body, public[:]...)
	body = appendShort(body, n)
	return box.Seal(body, make([]byte, 64), nonceShort("CurveZMQHELLO---", n), &server, secret)
}

// initiate is INITIATE's body: the cookie, and a box with C, what vouches for it, and what we say about ourselves.
func (c *client) initiate(w welcome, public, shared *[keySize]byte, n uint64, properties []byte) []byte {
	long, tail := nonceLong("VOUCH---")
	vouch := box.Seal(nil, append(public[:], c.cfg.ServerKey[:]...), long, &w.public, c.cfg.Key.secret.key)

	inner := append([]byte(nil), c.cfg.Key.public[:]...)
	inner = append(inner, tail...)
	inner = append(inner, vouch...)
	inner = append(inner, properties...)

	body := appendShort(append([]byte(nil), w.cookie...), n)
	return box.SealAfterPrecomputation(body, inner, nonceShort("CurveZMQINITIATE", n), shared)
}

// welcome is what a WELCOME says.
type welcome struct {
	public [keySize]byte // S'
	cookie []byte
}

// openWelcome opens a WELCOME's body, which only a server that has the secret key of server can have made.
func openWelcome(body []byte, server, secret *[keySize]byte) (w welcome, err error) {
	if len(body) != welcomeSize {
		return w, fmt.Errorf("%w: WELCOME of %d bytes, not %d", zmtp.ErrProtocol, len(body), welcomeSize)
	}
	plain, ok := box.Open(nil, body[16:], nonceOf("WELCOME-", body[:16]), server, secret)
	if !ok {
		return w, fmt.Errorf("%w: the server does not have the key that ServerKey is", zmtp.ErrProtocol)
	}
	w.cookie = plain[copy(w.public[:], plain):]
	return w, nil
}
