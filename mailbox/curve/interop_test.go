package curve_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/troupe-go/troupe/internal/logtest"
	"github.com/troupe-go/troupe/internal/pyzmq"
	"github.com/troupe-go/troupe/internal/sockettest"
	"github.com/troupe-go/troupe/mailbox"
	"github.com/troupe-go/troupe/mailbox/curve"
)

// parties are the keys of those who meet in the tests below.
type parties struct{ server, ada, eve curve.KeyPair }

func newParties() parties { return parties{curve.NewKeyPair(), curve.NewKeyPair(), curve.NewKeyPair()} }

// allow lets Ada in.
func (p parties) allow(_ context.Context, c curve.Claim) error {
	if c.Key != p.ada.Public() {
		return errors.New("not on the list")
	}
	return nil
}

// theirs returns pyzmq's options for a client.
func theirs(pair curve.KeyPair, server curve.Key) map[string]any {
	return map[string]any{"curve_publickey": pair.Public().String(), "curve_secretkey": pair.Secret(), "curve_serverkey": server.String()}
}

var sizes = [][]int{{1}, {0}, {5, 0, 1 << 20, 0}, {1, 300, 20000}}

// C82: of four clients of our server, libzmq's all, only the one with the right keys is heard.
func TestLibzmqClientsOfOurServer(t *testing.T) {
	for _, binds := range []bool{true, false} {
		t.Run(fmt.Sprintf("binds %v", binds), func(t *testing.T) {
			p, log := newParties(), new(logtest.Log)
			foreign := pyzmq.NewSecure(t)
			server := sockettest.Open(t, mailbox.Rep, curve.Server{Key: p.server, Allow: p.allow}, log)
			at := ""
			if binds {
				at = sockettest.Bind(t, server)
			}
			join := func(name string, options map[string]any) {
				foreign.Open(name, "REQ", options)
				if binds {
					foreign.Connect(name, at)
				} else {
					sockettest.Connect(t, server, foreign.Bind(name, "tcp://127.0.0.1:*"))
				}
			}
			requests := sockettest.Echo(t, server)
			join("wrong server key", theirs(p.ada, p.eve.Public()))
			join("not let in", theirs(p.eve, p.server.Public()))
			join("no security", nil)
			for _, bad := range []string{"wrong server key", "not let in", "no security"} {
				foreign.Try(bad, 666)
			}
			log.Wait(t, "the client does not know our key, "+p.server.Public().String())
			log.Wait(t, "client with key "+p.eve.Public().String()+" turned away: not on the list")
			log.Wait(t, "as libzmq does if its security mechanism is not ours, CURVE")
			join("good", theirs(p.ada, p.server.Public()))
			for _, s := range sizes {
				foreign.Send("good", s...)
				if got := foreign.Recv("good"); fmt.Sprint(got) != fmt.Sprint(s) {
					t.Errorf("%v came back as %v", s, got)
				}
			}
			if got := requests(); fmt.Sprint(got) != fmt.Sprint(sizes) {
				t.Errorf("the server received %v", got)
			}
		})
	}
}

// C82: of our four clients only the one with the right keys is heard by libzmq's server, which asks ZAP.
func TestOurClientsOfALibzmqServer(t *testing.T) {
	for _, binds := range []bool{true, false} {
		t.Run(fmt.Sprintf("binds %v", binds), func(t *testing.T) {
			p, log := newParties(), new(logtest.Log)
			foreign := pyzmq.NewSecure(t)
			foreign.AllowKeys(p.ada.Public().String())
			foreign.Open("server", "REP", map[string]any{"curve_server": 1, "curve_secretkey": p.server.Secret()})
			at := ""
			if binds {
				at = foreign.Bind("server", "tcp://127.0.0.1:*")
			}
			join := func(s mailbox.Security) *mailbox.Socket {
				client := sockettest.Open(t, mailbox.Req, s, log)
				if binds {
					sockettest.Connect(t, client, at)
					if s, ok := s.(curve.Client); !ok || s.Key != p.ada || s.ServerKey != p.server.Public() {
						sockettest.Send(t, client, 666)
					}
				} else {
					foreign.Connect("server", sockettest.Bind(t, client))
				}
				return client
			}
			join(curve.Client{Key: p.ada, ServerKey: p.eve.Public()})
			join(curve.Client{Key: p.eve, ServerKey: p.server.Public()})
			join(nil)
			log.Wait(t, "which just closed the connection: curve: the server does not take our HELLO, perhaps because its key is not ServerKey")
			log.Wait(t, "the server does not let in our key, "+p.eve.Public().String()+`: zmtp: rejected by the peer: \"400\", authentication failed`)
			log.Wait(t, "as libzmq does if its security mechanism is not ours, NULL")
			good := join(curve.Client{Key: p.ada, ServerKey: p.server.Public()})
			for _, s := range sizes {
				sockettest.Send(t, good, s...)
				if got := sockettest.Recv(t, good); fmt.Sprint(got) != fmt.Sprint(s) {
					t.Errorf("%v came back as %v", s, got)
				}
			}
			if got := foreign.Requests(); fmt.Sprint(got) != fmt.Sprint(sizes) {
				t.Errorf("the server received %v", got)
			}
		})
	}
}

// Without a ZAP handler libzmq's server lets in whoever knows its key; PINGs go through the cipher too.
func TestLibzmqHeartbeatsAndSubscriptionsAreSealed(t *testing.T) {
	p, log := newParties(), new(logtest.Log)
	foreign := pyzmq.NewSecure(t)
	options := map[string]any{"curve_server": 1, "curve_secretkey": p.server.Secret(), "heartbeat_ivl": 20, "heartbeat_timeout": 2000}
	foreign.Open("pub", "PUB", options)
	at := foreign.Bind("pub", "tcp://127.0.0.1:*")
	sub := sockettest.Open(t, mailbox.Sub, curve.Client{Key: p.ada, ServerKey: p.server.Public()}, log)
	if err := sub.Subscribe(sockettest.Within(t), "xx"); err != nil {
		t.Fatal(err)
	}
	sockettest.Connect(t, sub, at)
	got := make(chan []int, 1)
	go func() {
		msg, _ := sub.Recv(sockettest.Within(t))
		got <- sockettest.Lengths(msg)
	}()
	for n := 0; n < 2000; n++ {
		foreign.Send("pub", 1, 1)
		foreign.Send("pub", 3, 0)
		select {
		case s := <-got:
			if fmt.Sprint(s) != "[3 0]" {
				t.Errorf("received %v", s)
			}
			if lines := log.String(); strings.Contains(lines, "connection lost") {
				t.Error(lines)
			}
			return
		default:
		}
	}
	t.Error("nothing received")
}
