package mailbox

import (
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// overEachWire runs test over tcp and ipc, each with ours binding and with pyzmq binding.
func overEachWire(t *testing.T, typ SocketType, cfg Config, theirs SocketType, options []string, test func(t *testing.T, s *Socket, f *foreign)) {
	p := startPython(t)
	for _, tr := range transports[1:] {
		t.Run(tr.name+"/ours binds", func(t *testing.T) {
			s := open(t, typ, cfg)
			test(t, s, p.open(t, theirs, "connect", bind(t, s, tr.endpoint(t)), options...))
		})
		t.Run(tr.name+"/pyzmq binds", func(t *testing.T) {
			s, at := open(t, typ, cfg), "tcp://127.0.0.1:*"
			if tr.name == "ipc" {
				at = tr.endpoint(t)
			}
			f := p.open(t, theirs, "bind", at, options...)
			connect(t, s, f.at)
			test(t, s, f)
		})
	}
}

func TestReqToPyzmqRep(t *testing.T) {
	overEachWire(t, Req, Config{}, Rep, nil, func(t *testing.T, s *Socket, f *foreign) {
		for _, body := range [][]string{{"Hello"}, {""}, {"a", "", "c"}, {big, "x"}} {
			send(t, s, body...)
			f.expect(body...)
			f.send(append(body, "back")...)
			expect(t, s, append(body, "back")...)
		}
	})
}

func TestRepToPyzmqReq(t *testing.T) {
	overEachWire(t, Rep, Config{}, Req, nil, func(t *testing.T, s *Socket, f *foreign) {
		for _, body := range [][]string{{"Hello"}, {""}, {"a", "", "c"}, {big, "x"}} {
			f.send(body...)
			expect(t, s, body...)
			send(t, s, append(body, "back")...)
			f.expect(append(body, "back")...)
		}
	})
}

func TestRepToPyzmqDealer(t *testing.T) {
	overEachWire(t, Rep, Config{}, Dealer, nil, func(t *testing.T, s *Socket, f *foreign) {
		f.send("no delimiter")
		f.send("hop", "other hop", "", "one", "two")
		expect(t, s, "one", "two")
		send(t, s, "reply")
		f.expect("hop", "other hop", "", "reply")
	})
}

func TestReqToPyzmqRouter(t *testing.T) {
	overEachWire(t, Req, Config{Identity: []byte("me")}, Router, nil, func(t *testing.T, s *Socket, f *foreign) {
		send(t, s, "one", "two")
		f.expect("me", "", "one", "two")
		f.send("me", "no delimiter")
		f.send("me", "", "reply", "")
		expect(t, s, "reply", "")
	})
}

func TestDealerToPyzmqRouter(t *testing.T) {
	overEachWire(t, Dealer, Config{Identity: []byte("me")}, Router, nil, func(t *testing.T, s *Socket, f *foreign) {
		for i := range 100 {
			send(t, s, strconv.Itoa(i), "", big[:i*100])
		}
		for i := range 100 {
			f.expect("me", strconv.Itoa(i), "", big[:i*100])
			f.send("me", strconv.Itoa(i))
		}
		for i := range 100 {
			expect(t, s, strconv.Itoa(i))
		}
	})
}

func TestRouterToPyzmqDealer(t *testing.T) {
	overEachWire(t, Router, Config{}, Dealer, []string{"identity=you"}, func(t *testing.T, s *Socket, f *foreign) {
		f.send("hello", "")
		expect(t, s, "you", "hello", "")
		send(t, s, "you", "", big)
		f.expect("", big)
		send(t, s, "nobody", "x")
		if dropped(s) != 1 {
			t.Errorf("%d messages were dropped, want the one to nobody", dropped(s))
		}
	})
}

func TestRouterToPyzmqReqAndRep(t *testing.T) {
	overEachWire(t, Router, Config{}, Req, nil, func(t *testing.T, s *Socket, f *foreign) {
		f.send("question")
		got := recv(t, s)
		if len(got) != 3 || len(got[0]) != 5 || got[1] != "" || got[2] != "question" {
			t.Fatalf("received %q", got)
		}
		send(t, s, got[0], "", "answer")
		f.expect("answer")
	})
}

func TestDealerToPyzmqDealer(t *testing.T) {
	overEachWire(t, Dealer, Config{}, Dealer, nil, func(t *testing.T, s *Socket, f *foreign) {
		send(t, s, "there", "")
		f.expect("there", "")
		f.send("back")
		expect(t, s, "back")
	})
}

func TestPyzmqServerIsRestarted(t *testing.T) {
	for _, tr := range transports[1:] {
		t.Run(tr.name, func(t *testing.T) {
			at := tr.endpoint(t)
			client := open(t, Req, Config{})
			connect(t, client, at)
			send(t, client, "0") // before there is a server
			for i := range 3 {
				server := pyzmqPeer(t, Rep, "bind", at)
				server.expect(strconv.Itoa(i))
				server.send("ok")
				expect(t, client, "ok")
				server.kill()
				send(t, client, strconv.Itoa(i+1))
				for { // until it is known that nobody has the request
					_, err := client.Recv(within(t, 100*time.Millisecond))
					if err == nil {
						t.Fatal("a reply from nobody")
					}
					if err != ErrPeerLost {
						break
					}
					send(t, client, strconv.Itoa(i+1))
				}
			}
		})
	}
}

func TestOurServerIsRestartedUnderAPyzmqDealer(t *testing.T) {
	for _, tr := range transports[1:] {
		t.Run(tr.name, func(t *testing.T) {
			at := tr.endpoint(t)
			f := pyzmqPeer(t, Dealer, "connect", at)
			for i := range 3 {
				f.send("", strconv.Itoa(i))
				server := open(t, Rep, Config{})
				bind(t, server, at)
				expect(t, server, strconv.Itoa(i))
				send(t, server, "ok")
				shut(t, server) // the reply is delivered
				f.expect("", "ok")
			}
		})
	}
}

func TestCloseDeliversToPyzmq(t *testing.T) {
	at := "ipc://" + filepath.Join(t.TempDir(), "s")
	dealer := open(t, Dealer, Config{Identity: []byte("me")})
	connect(t, dealer, at)
	for i := range 500 {
		send(t, dealer, strconv.Itoa(i))
	}
	f := pyzmqPeer(t, Router, "bind", at)
	shut(t, dealer)
	for i := range 500 {
		f.expect("me", strconv.Itoa(i))
	}
	f.close()
}
