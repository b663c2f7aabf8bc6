package curve

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"

	"golang.org/x/crypto/nacl/box"
	"golang.org/x/crypto/nacl/secretbox"

	"github.com/troupe-go/troupe/internal/zmtp"
)

// Server makes a socket the server of its connections over ipc and tcp: a mailbox.Config.Security.
type Server struct {
	// Key is the server's [CURVE_SECRETKEY]. Clients need to know Key.Public().
	Key KeyPair
	// Allow decides whether a client is let in: nil lets it, an error turns it away. The client is told no more than
	// "400", authentication failed, which is what libzmq's says; the log has the error. A panic is an error too.
	//
	// It is called for each new connection, when the client has proved that it has the key, from many goroutines at once.
	// ctx ends with the time for the handshake (mailbox.Config.Handshake) and with the socket, and has to be heeded: the
	// socket's Close waits. There is no default: to let in anybody who knows the server's key, return nil [which is what
	// libzmq does without ZAP].
	Allow func(ctx context.Context, c Claim) error
}

// Claim is who a client says that it is.
type Claim struct {
	// Key is the client's public key. That it has the secret one is proved.
	Key Key
	// Identity is what a ROUTER will call the client, empty if it leaves that to the ROUTER. That is a mere claim: bind a
	// key to the name that it may have, or a client can take the name of another.
	Identity []byte
	// Remote is the address that the connection comes from.
	Remote string
}

// Check returns what is missing. mailbox.New calls it.
func (s Server) Check() error {
	if s.Allow == nil {
		return errors.New("curve: Server.Allow is not set: nobody would be let in")
	}
	return s.Key.check()
}

// Mechanism is for package mailbox.
func (s Server) Mechanism() zmtp.Mechanism { return &server{cfg: s} }

// errRefused is what a client is told that is turned away: no more than that.
var errRefused = errors.New("400")

// server is a server's end of one connection.
type server struct {
	cfg    Server
	cipher *cipher
}

func (*server) Name() string          { return mechanism }
func (*server) Server() bool          { return true }
func (s *server) Cipher() zmtp.Cipher { return s.cipher }

// Handshake reads HELLO and INITIATE, and sends WELCOME and READY.
func (s *server) Handshake(h *zmtp.Handshake) error {
	body, err := h.Recv("HELLO")
	if err != nil {
		return err
	}
	var heard counter
	client, err := s.openHello(body, &heard)
	if err != nil {
		h.Refuse(errRefused)
		return err
	}
	var cookieKey [keySize]byte // all that is kept until INITIATE has come: the cookie has the rest
	rand.Read(cookieKey[:])
	if err := h.Send("WELCOME", s.welcome(client, &cookieKey)); err != nil {
		return err
	}
	if body, err = h.Recv("INITIATE"); err != nil {
		return err
	}
	shared, claim, properties, err := s.openInitiate(body, &heard, &cookieKey)
	if err != nil {
		h.Refuse(errRefused)
		return err
	}
	peer, err := h.Parse(properties)
	if err != nil {
		return err
	}
	claim.Identity, claim.Remote = peer.Identity, h.Remote()
	if err := s.ask(h.Context(), claim); err != nil {
		h.Refuse(errRefused)
		return fmt.Errorf("curve: client with key %v turned away: %w", claim.Key, err)
	}
	if err := h.Meet(properties); err != nil {
		h.Refuse(err)
		return err
	}
	nonces := counter(0)
	n := nonces.next()
	ready := box.SealAfterPrecomputation(appendShort(nil, n), h.Properties(), nonceShort("CurveZMQREADY---", n), &shared)
	s.cipher = &cipher{key: shared, sendPrefix: fromServer, recvPrefix: fromClient, sent: nonces, heard: heard}
	return h.Send("READY", ready)
}

// ask asks Allow.
func (s *server) ask(ctx context.Context, claim Claim) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic in Allow: %v", r)
		}
	}()
	if err := s.cfg.Allow(ctx, claim); err != nil {
		return err
	}
	return context.Cause(ctx) // a yes that comes too late is none
}

// openHello returns the C' of a HELLO, whose maker has c' and knows our public key.
func (s *server) openHello(body []byte, heard *counter) (client [keySize]byte, err error) {
	if len(body) != helloSize {
		return client, fmt.Errorf("%w: HELLO of %d bytes, not %d", zmtp.ErrProtocol, len(body), helloSize)
	}
	if body[0] != 1 || body[1] != 0 {
		return client, fmt.Errorf("%w: CURVE %d.%d, not 1.0", zmtp.ErrProtocol, body[0], body[1])
	}
	rest := body[2+72+copy(client[:], body[2+72:]):]
	n, rest, err := heard.take("HELLO", rest)
	if err != nil {
		return client, err
	}
	if _, ok := box.Open(nil, rest, nonceShort("CurveZMQHELLO---", n), &client, s.cfg.Key.secret.key); !ok {
		return client, fmt.Errorf("%w: the client does not know our key, %v", zmtp.ErrProtocol, s.cfg.Key.public)
	}
	return client, nil
}

// welcome is WELCOME's body: a box with S', for this connection, and the cookie, which has C' and s' in it.
func (s *server) welcome(client [keySize]byte, cookieKey *[keySize]byte) []byte {
	public, secret := newKeys()
	long, tail := nonceLong("COOKIE--")
	inner := append([]byte(nil), public[:]...)
	inner = append(inner, tail...)
	inner = secretbox.Seal(inner, append(client[:], secret[:]...), long, cookieKey)

	long, tail = nonceLong("WELCOME-")
	return box.Seal(tail, inner, long, &client, s.cfg.Key.secret.key)
}

// openInitiate opens an INITIATE's body. The key that it returns is that of the connection's traffic.
func (s *server) openInitiate(body []byte, heard *counter, cookieKey *[keySize]byte) (shared [keySize]byte, claim Claim, properties []byte, err error) {
	fail := func(why string) ([keySize]byte, Claim, []byte, error) {
		return shared, Claim{}, nil, fmt.Errorf("%w: %s", zmtp.ErrProtocol, why)
	}
	if len(body) < initiateLeast {
		return fail(fmt.Sprintf("INITIATE of %d bytes, %d are the least", len(body), initiateLeast))
	}
	cookie, ok := secretbox.Open(nil, body[16:cookieSize], nonceOf("COOKIE--", body[:16]), cookieKey)
	if !ok {
		return fail("INITIATE with a cookie that we did not make")
	}
	client, secret := [keySize]byte(cookie[:keySize]), [keySize]byte(cookie[keySize:])
	box.Precompute(&shared, &client, &secret)
	inner, err := openShort("INITIATE", "CurveZMQINITIATE", body[cookieSize:], heard, &shared)
	if err != nil {
		return shared, Claim{}, nil, err
	}
	claim.Key, inner = Key(inner[:keySize]), inner[keySize:]
	key := [keySize]byte(claim.Key)
	vouch, ok := box.Open(nil, inner[16:16+vouchBox], nonceOf("VOUCH---", inner[:16]), &key, &secret)
	if !ok || subtle.ConstantTimeCompare(vouch, append(client[:], s.cfg.Key.public[:]...)) != 1 {
		return fail("the client has not the key that it says it has")
	}
	return shared, claim, inner[16+vouchBox:], nil
}
