package plain

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-zeromq/zmq4"

	"github.com/troupe-go/troupe/internal/memnet"
	"github.com/troupe-go/troupe/internal/zmtp"
)

func TestServerIsToldWhoLogsIn(t *testing.T) {
	for _, c := range []Client{ada, {}, {strings.Repeat("u", 255), strings.Repeat("p", 255)}, {"\x00\xff", "\x00"}} {
		a, b := memnet.Pipe()
		var login Login
		x, y := open2(t, a, b, c, Server{Allow: func(ctx context.Context, l Login) error {
			login = l
			if _, ok := ctx.Deadline(); !ok {
				t.Error("ctx does not end with the time for the handshake")
			}
			return nil
		}})
		if x.err != nil || y.err != nil {
			t.Fatal(x.err, y.err)
		}
		if login.Username != c.Username || login.Password != c.Password || login.Remote != "pipe" {
			t.Errorf("%q", []string{login.Username, login.Password, login.Remote})
		}
		if p := y.c.Peer(); p.Type != zmq4.Dealer {
			t.Errorf("server sees %+v", p)
		}
		x.c.Write([][][]byte{{[]byte("hello")}})
		if msg, err := y.c.Read(); err != nil || string(msg[0]) != "hello" {
			t.Errorf("%q %v", msg, err)
		}
	}
}

func TestTheServerMayBeTheOneThatDials(t *testing.T) {
	a, b := memnet.Pipe()
	if x, y := open2(t, a, b, adasServer, ada); x.err != nil || y.err != nil {
		t.Fatal(x.err, y.err)
	}
}

// C82: with a wrong secret, or none, a peer is refused before any message.
func TestWhoDoesNotFitIsRefusedAndBothSidesSayWhy(t *testing.T) {
	for _, h := range []struct {
		name                   string
		client, server         zmtp.Security
		clientSays, serverSays string
	}{
		{"wrong password", Client{"ada", "byron"}, adasServer,
			`user "ada" is not let in: zmtp: rejected by the peer: "400", authentication failed`, `user "ada" turned away: no such user, or not with that word`},
		{"half a password", Client{"ada", "love"}, adasServer, `"400"`, "turned away"},
		{"no password", Client{Username: "ada"}, adasServer, `"400"`, "turned away"},
		{"unknown user", Client{"eve", "lovelace"}, adasServer, `"400"`, `user "eve" turned away`},
		{"panic", ada, Server{Allow: func(context.Context, Login) error { panic("oh no") }}, `"400"`, "panic in Allow: oh no"},
		{"no security at the client", nil, adasServer, `peer's security mechanism is "PLAIN", ours "NULL"`, `peer's security mechanism is "NULL", ours "PLAIN"`},
		{"no security at the server", ada, nil, `peer's security mechanism is "NULL", ours "PLAIN"`, `peer's security mechanism is "PLAIN", ours "NULL"`},
		{"two servers", adasServer, adasServer, "both ends are PLAIN servers", "both ends are PLAIN servers"},
		{"two clients", ada, ada, "both ends are PLAIN clients", "both ends are PLAIN clients"},
	} {
		t.Run(h.name, func(t *testing.T) {
			a, b := memnet.Pipe()
			c, s := open2(t, a, b, h.client, h.server)
			if c.err == nil || !strings.Contains(c.err.Error(), h.clientSays) || strings.Contains(c.err.Error(), "such user") {
				t.Errorf("client: %v; want %s", c.err, h.clientSays)
			}
			if s.err == nil || !strings.Contains(s.err.Error(), h.serverSays) {
				t.Errorf("server: %v; want %s", s.err, h.serverSays)
			}
			for _, err := range []error{c.err, s.err} {
				for _, word := range []string{"lovelace", "byron"} {
					if err != nil && strings.Contains(err.Error(), word) {
						t.Errorf("the password is in %v", err)
					}
				}
			}
		})
	}
}

func TestAllowThatTakesTooLongIsARefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := memnet.Pipe()
		before := time.Now()
		c, s := open2(t, a, b, ada, Server{Allow: func(ctx context.Context, _ Login) error {
			<-ctx.Done()
			return nil
		}})
		if d := time.Since(before); c.err == nil || s.err == nil || d != 10*time.Second {
			t.Errorf("after %v: %v, %v", d, c.err, s.err)
		}
	})
}

const metadata = "\x0bSocket-Type\x00\x00\x00\x06DEALER"

func TestCommandsThatAreNoneOfPlainEndTheHandshake(t *testing.T) {
	hello := command("HELLO", "\x03ada\x08lovelace")
	for _, h := range []struct {
		name, reason string
		bytes        []byte
	}{
		{"empty HELLO", "no name and password", greeted(command("HELLO", ""))},
		{"name cut off", "no name and password", greeted(command("HELLO", "\x04ada"))},
		{"no password", "no name and password", greeted(command("HELLO", "\x03ada"))},
		{"password cut off", "no name and password", greeted(command("HELLO", "\x03ada\x09lovelace"))},
		{"more than a password", "no name and password", greeted(command("HELLO", "\x03ada\x08lovelace!"))},
		{"no HELLO", `"INITIATE" in place of HELLO`, greeted(command("INITIATE", metadata))},
		{"READY at once", `"READY" in place of HELLO`, greeted(command("READY", metadata))},
		{"two HELLOs", `"HELLO" in place of INITIATE`, greeted(hello, hello)},
		{"INITIATE without type", "without Socket-Type", greeted(hello, command("INITIATE", ""))},
		{"other type", "SUB can't talk with ROUTER", greeted(hello, command("INITIATE", "\x0bSocket-Type\x00\x00\x00\x03SUB"))},
		{"HELLO and no more", "peer left in the handshake", greeted(hello)},
	} {
		t.Run("server gets "+h.name, func(t *testing.T) {
			if err := feed(h.bytes, zmq4.Router, adasServer); err == nil || !strings.Contains(err.Error(), h.reason) {
				t.Errorf("%v; want %s", err, h.reason)
			}
		})
	}
	for _, h := range []struct {
		name, reason string
		bytes        []byte
	}{
		{"WELCOME with something", "WELCOME of 1 bytes", greeted(command("WELCOME", "x"))},
		{"READY at once", `"READY" in place of WELCOME`, greeted(command("READY", metadata))},
		{"ERROR", `user "ada" is not let in: zmtp: rejected by the peer: "300"`, greeted(command("ERROR", "\x03300"))},
		{"ERROR of libzmq 4.3", `not let in: zmtp: rejected by the peer: "400", authentication failed`, greeted("\x04\x09^RROR\x03400")},
		{"ERROR cut off", "rejected by the peer", greeted(command("ERROR", "\x09300"))},
		{"nothing", `just closed the connection: plain: user "ada" is not let in`, greeted()},
		{"ERROR after WELCOME", "rejected by the peer", greeted(command("WELCOME", ""), command("ERROR", "\x03no!"))},
		{"READY without type", "without Socket-Type", greeted(command("WELCOME", ""), command("READY", ""))},
	} {
		t.Run("client gets "+h.name, func(t *testing.T) {
			if err := feed(h.bytes, zmq4.Router, ada); err == nil || !strings.Contains(err.Error(), h.reason) {
				t.Errorf("%v; want %s", err, h.reason)
			}
		})
	}
}

func TestSecurityThatCannotBeIsRefused(t *testing.T) {
	long := strings.Repeat("x", 256)
	for _, h := range []struct {
		s    zmtp.Security
		says string
	}{
		{Server{}, "Server.Allow is not set"},
		{Client{Username: long}, "Client.Username has 256 bytes, at most 255"},
		{Client{Password: long}, "Client.Password has 256 bytes, at most 255"},
	} {
		if err := h.s.Check(); err == nil || !strings.Contains(err.Error(), h.says) {
			t.Errorf("%v; want %s", err, h.says)
		}
	}
	if ada.Check() != nil || adasServer.Check() != nil || (Client{long[1:], long[1:]}).Check() != nil {
		t.Error("refused what is right")
	}
}

func TestPasswordIsNotShown(t *testing.T) {
	for _, v := range []any{ada, &ada, Login{Username: "ada", Password: "lovelace"}, []Client{ada}} {
		text := ""
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%t"} {
			text += fmt.Sprintf(verb, v)
		}
		if !strings.Contains(text, "ada") || strings.Contains(text, "lovelace") {
			t.Error(text)
		}
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "client", ada, "login", Login{Password: "lovelace"})
	if strings.Contains(log.String(), "lovelace") {
		t.Error(log.String())
	}
}

func TestErrorsOfProtocolAreToldFromRefusals(t *testing.T) {
	if err := feed(greeted(command("HELLO", "")), zmq4.Router, adasServer); !errors.Is(err, zmtp.ErrProtocol) {
		t.Error(err)
	}
	if err := feed(greeted(), zmq4.Router, ada); !errors.Is(err, zmtp.ErrRejected) {
		t.Error(err)
	}
}

// FuzzServerHandshake sends any bytes to a server: nobody comes in without the password.
func FuzzServerHandshake(f *testing.F) {
	p := greeted(command("HELLO", "\x03ada\x08lovelace"), command("INITIATE", metadata))
	for n := 60; n <= len(p); n++ {
		f.Add(p[:n])
	}
	f.Add(greeted(command("HELLO", "\x00\x00"), command("INITIATE", metadata)))
	f.Fuzz(func(t *testing.T, p []byte) {
		if len(p) > 60<<10 {
			return
		}
		err := feed(p, zmq4.Router, adasServer)
		if err == nil && !bytes.Contains(p, []byte("HELLO\x03ada\x08lovelace")) {
			t.Error("let in without the password")
		}
	})
}

// FuzzClientHandshake sends any bytes to a client.
func FuzzClientHandshake(f *testing.F) {
	p := greeted(command("WELCOME", ""), command("READY", metadata))
	for n := 60; n <= len(p); n++ {
		f.Add(p[:n])
	}
	f.Add(greeted(command("ERROR", "\x03400")))
	f.Add(greeted(command("ERROR", "\xff400")))
	f.Fuzz(func(t *testing.T, p []byte) {
		if len(p) > 60<<10 {
			return
		}
		if err := feed(p, zmq4.Router, ada); err == nil && !bytes.Contains(p, []byte("\x07WELCOME")) {
			t.Error("taken for a server without a WELCOME")
		}
	})
}
