package curve

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-zeromq/zmq4"

	"github.com/troupe-go/troupe/internal/memnet"
	"github.com/troupe-go/troupe/internal/zmtp"
)

func TestHandshakeTellsTheServerWhoTheClientIs(t *testing.T) {
	a, b := memnet.Pipe()
	var claim Claim
	c, s := open2(t, a, b, goodClient, Server{Key: serverPair, Allow: func(ctx context.Context, cl Claim) error {
		claim = cl
		if until, ok := ctx.Deadline(); !ok || time.Until(until) > 10*time.Second {
			t.Error("ctx does not end with the time for the handshake")
		}
		return nil
	}})
	if c.err != nil || s.err != nil {
		t.Fatal(c.err, s.err)
	}
	if claim.Key != clientPair.Public() || string(claim.Identity) != "me" || claim.Remote != "pipe" {
		t.Errorf("%+v", claim)
	}
	if p := s.c.Peer(); p.Type != zmq4.Dealer || string(p.Identity) != "me" || p.Minor != 1 {
		t.Errorf("server sees %+v", p)
	}
	if p := c.c.Peer(); p.Type != zmq4.Router || string(p.Identity) != "me" {
		t.Errorf("client sees %+v", p)
	}
}

func TestTheServerMayBeTheOneThatDials(t *testing.T) {
	a, b := memnet.Pipe()
	x, y := open2(t, a, b, goodServer, goodClient)
	if x.err != nil || y.err != nil {
		t.Fatal(x.err, y.err)
	}
	x.c.Write([][][]byte{{[]byte("hello")}})
	if msg, err := y.c.Read(); err != nil || string(msg[0]) != "hello" {
		t.Errorf("%q %v", msg, err)
	}
}

// C82: with a wrong secret, or none, a peer is refused before any message.
func TestWhoDoesNotFitIsRefusedAndBothSidesSayWhy(t *testing.T) {
	other := NewKeyPair()
	refuse := func(context.Context, Claim) error { return errors.New("not on the list") }
	for _, h := range []struct {
		name           string
		client, server zmtp.Security
		clientSays     string
		serverSays     string
	}{
		{"wrong server key", Client{Key: clientPair, ServerKey: other.Public()}, goodServer,
			`perhaps because its key is not ServerKey: zmtp: rejected by the peer: "400"`, "the client does not know our key, " + serverPair.Public().String()},
		{"not let in", goodClient, Server{Key: serverPair, Allow: refuse},
			"does not let in our key, " + clientPair.Public().String() + `: zmtp: rejected by the peer: "400", authentication failed`,
			"client with key " + clientPair.Public().String() + " turned away: not on the list"},
		{"panic", goodClient, Server{Key: serverPair, Allow: func(context.Context, Claim) error { panic("oh no") }},
			`"400"`, "panic in Allow: oh no"},
		{"no security at the client", nil, goodServer, `peer's security mechanism is "CURVE", ours "NULL"`, `peer's security mechanism is "NULL", ours "CURVE"`},
		{"no security at the server", goodClient, nil, `peer's security mechanism is "NULL", ours "CURVE"`, `peer's security mechanism is "CURVE", ours "NULL"`},
		{"two servers", goodServer, goodServer, "both ends are CURVE servers", "both ends are CURVE servers"},
		{"two clients", goodClient, goodClient, "both ends are CURVE clients", "both ends are CURVE clients"},
	} {
		t.Run(h.name, func(t *testing.T) {
			a, b := memnet.Pipe()
			c, s := open2(t, a, b, h.client, h.server)
			if c.err == nil || !strings.Contains(c.err.Error(), h.clientSays) {
				t.Errorf("client: %v; want %s", c.err, h.clientSays)
			}
			if s.err == nil || !strings.Contains(s.err.Error(), h.serverSays) {
				t.Errorf("server: %v; want %s", s.err, h.serverSays)
			}
			if c.err != nil && strings.Contains(c.err.Error(), "list") {
				t.Errorf("the client is told why: %v", c.err)
			}
		})
	}
}

// A client that has another's public key, which it can know, and not its secret one, is not let in.
func TestPublicKeyAloneProvesNothing(t *testing.T) {
	thief := KeyPair{public: clientPair.public, secret: NewKeyPair().secret}
	a, b := memnet.Pipe()
	asked := false
	c, s := open2(t, a, b, Client{Key: thief, ServerKey: serverPair.Public()}, Server{Key: serverPair, Allow: func(context.Context, Claim) error {
		asked = true
		return nil
	}})
	if asked || !errors.Is(c.err, zmtp.ErrRejected) || !errors.Is(s.err, zmtp.ErrProtocol) || !strings.Contains(s.err.Error(), "has not the key") {
		t.Errorf("asked: %v; client: %v; server: %v", asked, c.err, s.err)
	}
}

func TestAllowThatTakesTooLongIsARefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := memnet.Pipe()
		before := time.Now()
		c, s := open2(t, a, b, goodClient, Server{Key: serverPair, Allow: func(ctx context.Context, _ Claim) error {
			<-ctx.Done()
			return nil
		}})
		if d := time.Since(before); c.err == nil || s.err == nil || d != 10*time.Second {
			t.Errorf("after %v: %v, %v", d, c.err, s.err)
		}
	})
}

func TestSocketTypesThatCannotTalkAreRefusedAfterTheClientIsKnown(t *testing.T) {
	a, b := memnet.Pipe()
	done := make(chan error)
	go func() {
		_, err := zmtp.Open(context.Background(), b, config(zmq4.Pull, goodServer), true)
		done <- err
	}()
	_, err := zmtp.Open(context.Background(), a, config(zmq4.Dealer, goodClient), false)
	if !errors.Is(err, zmtp.ErrRejected) || !strings.Contains(err.Error(), "DEALER can't talk with PULL") {
		t.Errorf("client: %v", err)
	}
	if err := <-done; !errors.Is(err, zmtp.ErrProtocol) || !strings.Contains(err.Error(), "DEALER can't talk with PULL") {
		t.Errorf("server: %v", err)
	}
}

// RFC 26: HELLO has 200 bytes, and WELCOME, its answer, no more.
func TestCommandsHaveTheSizesOfTheRFCAndAreNewForEachConnection(t *testing.T) {
	to1, from1 := recorded(t)
	to2, from2 := recorded(t)
	metadata := len("\x0bSocket-Type\x00\x00\x00\x06DEALER\x08Identity\x00\x00\x00\x02me")
	for i, want := range []int{200, 257 + metadata} {
		if got := len(frame{bytes: to1[i]}.body()); got != want {
			t.Errorf("command %d of the client: %d bytes, not %d", i, got, want)
		}
	}
	for i, want := range []int{168, 6 + 8 + 16 + metadata} {
		if got := len(frame{bytes: from1[i]}.body()); got != want {
			t.Errorf("command %d of the server: %d bytes, not %d", i, got, want)
		}
	}
	for i, pair := range [][2][]byte{{to1[0], to2[0]}, {to1[1], to2[1]}, {from1[0], from2[0]}, {from1[1], from2[1]}} {
		x, y := frame{bytes: pair[0]}.body(), frame{bytes: pair[1]}.body()
		for at := 86; at+32 <= min(len(x), len(y)); at += 16 { // from HELLO's key on; the READY is shorter
			if bytes.Equal(x[at:at+32], y[at:at+32]) {
				t.Errorf("command %d is the same in two connections at %d", i, at)
			}
		}
	}
	all := bytes.Join(append(to1, from1...), nil)
	for name, secret := range map[string][]byte{"client's public key": clientPair.public[:], "client's secret key": clientPair.secret.key[:],
		"server's secret key": serverPair.secret.key[:], "client's identity": []byte("\x02me"), "socket type": []byte("DEALER")} {
		if bytes.Contains(all, secret) {
			t.Errorf("%s is to be seen on the wire", name)
		}
	}
}

func TestTamperedHandshakeFails(t *testing.T) {
	for _, toServer := range []bool{true, false} {
		for n := range 2 {
			for at := 0; at < 400; at += 13 {
				hit := atomic.Bool{}
				a, b := between(t, func(f frame) [][]byte {
					body := f.body()
					padding := f.toServer && f.n == 0 && at >= 8 && at < 8+72
					if f.toServer == toServer && f.n == n && at < len(body) && !padding {
						body[at] ^= 1
						hit.Store(true)
					}
					return [][]byte{f.bytes}
				})
				c, s := open2(t, a, b, goodClient, goodServer)
				if hit.Load() && (c.err == nil || toServer && s.err == nil) {
					t.Errorf("byte %d of command %d, to server %v: client: %v; server: %v", at, n, toServer, c.err, s.err)
				}
			}
		}
	}
}

func TestRecordedHandshakeIsNotTakenAgain(t *testing.T) {
	old, _ := recorded(t)
	a, b := between(t, func(f frame) [][]byte {
		if f.toServer && f.n < 2 {
			return [][]byte{old[f.n]}
		}
		return [][]byte{f.bytes}
	})
	c, s := open2(t, a, b, goodClient, goodServer)
	if c.err == nil || s.err == nil {
		t.Error(c.err, s.err)
	}
	a, b = between(t, func(f frame) [][]byte { // with the client's own HELLO
		if f.toServer && f.n == 1 {
			return [][]byte{old[1]}
		}
		return [][]byte{f.bytes}
	})
	c, s = open2(t, a, b, goodClient, goodServer)
	if c.err == nil || s.err == nil || !strings.Contains(s.err.Error(), "cookie that we did not make") {
		t.Error(c.err, s.err)
	}
}

func TestSecurityThatMissesSomethingIsRefused(t *testing.T) {
	for _, s := range []zmtp.Security{
		Server{}, Server{Key: serverPair}, Server{Allow: anybody}, Client{}, Client{Key: clientPair}, Client{ServerKey: serverPair.Public()},
	} {
		if err := s.Check(); err == nil || !strings.Contains(err.Error(), "is not set") {
			t.Errorf("%+v: %v", fmt.Sprint(s), err)
		}
		a, b := memnet.Pipe()
		if _, err := zmtp.Open(t.Context(), a, config(zmq4.Dealer, s), false); err == nil {
			t.Error("taken")
		}
		b.Close()
	}
	if goodServer.Check() != nil || goodClient.Check() != nil {
		t.Error(goodServer.Check(), goodClient.Check())
	}
}
