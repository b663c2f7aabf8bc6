package curve_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/troupe-go/troupe/internal/logtest"
	"github.com/troupe-go/troupe/internal/sockettest"
	"github.com/troupe-go/troupe/mailbox"
	"github.com/troupe-go/troupe/mailbox/curve"
)

// C82: over tcp and ipc a socket with Security has nothing to do with one that has none, whichever of the two binds.
func TestSocketsOverTheWireNeedTheRightKeys(t *testing.T) {
	for _, network := range []string{"tcp", "ipc"} {
		t.Run(network, func(t *testing.T) {
			p, log := newParties(), new(logtest.Log)
			endpoint := "tcp://127.0.0.1:*"
			if network == "ipc" {
				endpoint = "ipc://" + filepath.Join(t.TempDir(), "s")
			}
			server := sockettest.Open(t, mailbox.Rep, curve.Server{Key: p.server, Allow: p.allow}, log)
			e, err := server.Bind(sockettest.Within(t), endpoint)
			if err != nil {
				t.Fatal(err)
			}
			requests := sockettest.Echo(t, server)
			for _, bad := range []struct {
				s    mailbox.Security
				says string
			}{
				{nil, `peer's security mechanism is \"NULL\", ours \"CURVE\"`},
				{curve.Client{Key: p.eve, ServerKey: p.server.Public()}, "not on the list"},
				{curve.Client{Key: p.ada, ServerKey: p.eve.Public()}, "the client does not know our key"},
				{curve.Server{Key: p.server, Allow: p.allow}, "both ends are CURVE servers"},
			} {
				client := sockettest.Open(t, mailbox.Req, bad.s, log)
				sockettest.Connect(t, client, e.String())
				sockettest.Send(t, client, 666)
				log.Wait(t, bad.says)
			}
			good := sockettest.Open(t, mailbox.Req, curve.Client{Key: p.ada, ServerKey: p.server.Public()}, log)
			sockettest.Connect(t, good, e.String())
			for _, s := range sizes {
				sockettest.Send(t, good, s...)
				if got := sockettest.Recv(t, good); fmt.Sprint(got) != fmt.Sprint(s) {
					t.Errorf("%v came back as %v", s, got)
				}
			}
			if got := requests(); fmt.Sprint(got) != fmt.Sprint(sizes) {
				t.Errorf("the server received %v", got)
			}
		})
	}
}

func TestSecurityIsOfNoEffectInsideTheProcess(t *testing.T) {
	p, log := newParties(), new(logtest.Log)
	server := sockettest.Open(t, mailbox.Rep, curve.Server{Key: p.server, Allow: p.allow}, log)
	if _, err := server.Bind(sockettest.Within(t), "inproc://"+t.Name()); err != nil {
		t.Fatal(err)
	}
	sockettest.Echo(t, server)
	client := sockettest.Open(t, mailbox.Req, nil, log)
	sockettest.Connect(t, client, "inproc://"+t.Name())
	sockettest.Send(t, client, 3)
	if got := sockettest.Recv(t, client); fmt.Sprint(got) != "[3]" {
		t.Error(got)
	}
}

// A ROUTER reaches the peer that has a name: only its key may claim it.
func TestAllowCanBindAKeyToAName(t *testing.T) {
	p, log := newParties(), new(logtest.Log)
	names := map[curve.Key]string{p.ada.Public(): "ada", p.eve.Public(): "eve"}
	allow := func(_ context.Context, c curve.Claim) error {
		if name, ok := names[c.Key]; !ok || name != string(c.Identity) {
			return errors.New("not " + name + "'s name")
		}
		return nil
	}
	router := sockettest.Open(t, mailbox.Router, curve.Server{Key: p.server, Allow: allow}, log)
	at := sockettest.Bind(t, router)
	for _, d := range []struct {
		key  curve.KeyPair
		name string
	}{{p.eve, "ada"}, {p.ada, "ada"}} {
		s, err := mailbox.New(mailbox.Dealer, mailbox.Config{Identity: []byte(d.name), Log: log.Logger(),
			Security: curve.Client{Key: d.key, ServerKey: p.server.Public()}})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close(context.Background())
		sockettest.Connect(t, s, at)
		if d.key != p.ada {
			log.Wait(t, "not eve's name")
			defer s.Disconnect(context.Background(), at) // nothing waits to be sent
			continue
		}
		sockettest.Send(t, s, 1)
	}
	msg, err := router.Recv(sockettest.Within(t))
	if err != nil || len(msg) != 2 || string(msg[0]) != "ada" {
		t.Errorf("%q %v", msg, err)
	}
}

func TestNewRefusesSecurityThatMissesSomething(t *testing.T) {
	_, err := mailbox.New(mailbox.Rep, mailbox.Config{Security: curve.Server{}})
	if err == nil || !strings.Contains(err.Error(), "Config.Security: curve: Server.Allow is not set") {
		t.Error(err)
	}
}
