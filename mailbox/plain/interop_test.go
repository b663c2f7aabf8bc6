package plain_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/troupe-go/troupe/internal/logtest"
	"github.com/troupe-go/troupe/internal/pyzmq"
	"github.com/troupe-go/troupe/internal/sockettest"
	"github.com/troupe-go/troupe/mailbox"
	"github.com/troupe-go/troupe/mailbox/plain"
)

var (
	ada    = plain.Client{Username: "ada", Password: "lovelace"}
	byron  = plain.Client{Username: "ada", Password: "byron"}
	server = plain.Server{Allow: func(_ context.Context, l plain.Login) error {
		if l.Username != ada.Username || l.Password != ada.Password {
			return errors.New("not on the list")
		}
		return nil
	}}
	sizes = [][]int{{1}, {0}, {5, 0, 1 << 20, 0}, {1, 300, 20000}}
)

// theirs returns pyzmq's options for a client.
func theirs(c plain.Client) map[string]any {
	return map[string]any{"plain_username": c.Username, "plain_password": c.Password}
}

// C82: of three clients of our server, libzmq's all, only the one with the right password is heard.
func TestLibzmqClientsOfOurServer(t *testing.T) {
	for _, binds := range []bool{true, false} {
		t.Run(fmt.Sprintf("binds %v", binds), func(t *testing.T) {
			log, foreign := new(logtest.Log), pyzmq.NewSecure(t)
			rep := sockettest.Open(t, mailbox.Rep, server, log)
			at := ""
			if binds {
				at = sockettest.Bind(t, rep)
			}
			join := func(name string, options map[string]any) {
				foreign.Open(name, "REQ", options)
				if binds {
					foreign.Connect(name, at)
				} else {
					sockettest.Connect(t, rep, foreign.Bind(name, "tcp://127.0.0.1:*"))
				}
			}
			requests := sockettest.Echo(t, rep)
			join("wrong password", theirs(byron))
			join("no security", nil)
			for _, bad := range []string{"wrong password", "no security"} {
				foreign.Try(bad, 666)
			}
			log.Wait(t, `plain: user \"ada\" turned away: not on the list`)
			log.Wait(t, "as libzmq does if its security mechanism is not ours, PLAIN")
			join("good", theirs(ada))
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

// C82: of our three clients only the one with the right password is heard by libzmq's server, which asks ZAP.
func TestOurClientsOfALibzmqServer(t *testing.T) {
	for _, binds := range []bool{true, false} {
		t.Run(fmt.Sprintf("binds %v", binds), func(t *testing.T) {
			log, foreign := new(logtest.Log), pyzmq.NewSecure(t)
			foreign.AllowPasswords(map[string]string{ada.Username: ada.Password})
			foreign.Open("server", "REP", map[string]any{"plain_server": 1})
			at := ""
			if binds {
				at = foreign.Bind("server", "tcp://127.0.0.1:*")
			}
			join := func(s mailbox.Security) *mailbox.Socket {
				client := sockettest.Open(t, mailbox.Req, s, log)
				if binds {
					sockettest.Connect(t, client, at)
					if s != ada {
						sockettest.Send(t, client, 666)
					}
				} else {
					foreign.Connect("server", sockettest.Bind(t, client))
				}
				return client
			}
			join(byron)
			join(nil)
			log.Wait(t, `plain: user \"ada\" is not let in: zmtp: rejected by the peer: \"400\", authentication failed`)
			log.Wait(t, "as libzmq does if its security mechanism is not ours, NULL")
			good := join(ada)
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

// C82: over tcp and ipc a socket with Security has nothing to do with one that has none.
func TestSocketsOverTheWireNeedThePassword(t *testing.T) {
	for _, endpoint := range []string{"tcp://127.0.0.1:*", "ipc://" + filepath.Join(t.TempDir(), "s")} {
		log := new(logtest.Log)
		rep := sockettest.Open(t, mailbox.Rep, server, log)
		e, err := rep.Bind(sockettest.Within(t), endpoint)
		if err != nil {
			t.Fatal(err)
		}
		requests := sockettest.Echo(t, rep)
		for _, bad := range []struct {
			s    mailbox.Security
			says string
		}{{nil, `peer's security mechanism is \"NULL\", ours \"PLAIN\"`}, {byron, "not on the list"}, {server, "both ends are PLAIN servers"}} {
			client := sockettest.Open(t, mailbox.Req, bad.s, log)
			sockettest.Connect(t, client, e.String())
			sockettest.Send(t, client, 666)
			log.Wait(t, bad.says)
		}
		good := sockettest.Open(t, mailbox.Req, ada, log)
		sockettest.Connect(t, good, e.String())
		sockettest.Send(t, good, 3)
		if got := sockettest.Recv(t, good); fmt.Sprint(got) != "[3]" {
			t.Error(got)
		}
		if got := requests(); fmt.Sprint(got) != "[[3]]" {
			t.Errorf("the server received %v", got)
		}
	}
}

func TestSecurityIsOfNoEffectInsideTheProcess(t *testing.T) {
	log := new(logtest.Log)
	rep := sockettest.Open(t, mailbox.Rep, server, log)
	if _, err := rep.Bind(sockettest.Within(t), "inproc://"+t.Name()); err != nil {
		t.Fatal(err)
	}
	sockettest.Echo(t, rep)
	client := sockettest.Open(t, mailbox.Req, nil, log)
	sockettest.Connect(t, client, "inproc://"+t.Name())
	sockettest.Send(t, client, 3)
	if got := sockettest.Recv(t, client); fmt.Sprint(got) != "[3]" {
		t.Error(got)
	}
}

func TestNewRefusesLongNames(t *testing.T) {
	_, err := mailbox.New(mailbox.Req, mailbox.Config{Security: plain.Client{Username: strings.Repeat("x", 256)}})
	if err == nil || !strings.Contains(err.Error(), "Config.Security: plain: Client.Username has 256 bytes") {
		t.Error(err)
	}
}
