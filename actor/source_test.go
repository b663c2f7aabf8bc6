package actor_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/codec"
	"github.com/troupe-go/troupe/mailbox"
)

// client is a REQ socket connected to endpoint.
func client(t *testing.T, endpoint string) *mailbox.Socket {
	t.Helper()
	req, err := mailbox.New(mailbox.Req, mailbox.Config{Linger: -1, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := req.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if err := req.Connect(endpoint); err != nil {
		t.Fatal(err)
	}
	return req
}

func request(t *testing.T, req *mailbox.Socket, frames ...[]byte) string {
	t.Helper()
	ctx := within(t, 10*time.Second)
	if err := req.Send(ctx, frames...); err != nil {
		t.Fatal(err)
	}
	reply, err := req.Recv(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return string(bytes.Join(reply, []byte("|")))
}

func endpoints(t *testing.T) map[string]string {
	return map[string]string{
		"inproc": "inproc://" + t.Name(),
		"ipc":    "ipc://" + filepath.Join(t.TempDir(), "s"),
		"tcp":    freePort(t),
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "tcp://" + l.Addr().String()
}

func TestAnActorBoundToASocketServesItsClients(t *testing.T) {
	for transport, endpoint := range endpoints(t) {
		t.Run(transport, func(t *testing.T) {
			s := start(t, actor.Config{})
			serve := func() actor.Ref[string] {
				return spawn(t, s, "greeter", func(c *actor.Context, m string) error {
					return c.Reply(m + " World")
				}, actor.Bind(mailbox.Rep, endpoint, codec.Raw))
			}
			ref := serve()
			for range 3 {
				if got := request(t, client(t, endpoint), []byte("Hello")); got != "Hello World" {
					t.Fatal(got)
				}
			}
			if got, err := actor.As[string](ref.Ask(t.Context(), s, "Local")); got != "Local World" || err != nil {
				t.Fatal(got, err)
			}
			// The endpoint is free when Stop returns.
			stop(t, s, ref)
			serve()
			if got := request(t, client(t, endpoint), []byte("Again")); got != "Again World" {
				t.Fatal(got)
			}
		})
	}
}

func TestAnActorConnectedToASocketServesIt(t *testing.T) {
	s := start(t, actor.Config{})
	spawn(t, s, "greeter", func(c *actor.Context, n int) error {
		return c.Reply(n + 1)
	}, actor.Connect(mailbox.Rep, "inproc://"+t.Name(), codec.Msgpack))
	req, err := mailbox.New(mailbox.Req, mailbox.Config{Linger: -1, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer req.Close(context.Background())
	if _, err := req.Bind(t.Context(), "inproc://"+t.Name()); err != nil {
		t.Fatal(err)
	}
	if got := request(t, req, []byte{41}); got != "\x2a" {
		t.Fatalf("%q", got)
	}
}

// A request that gets no reply is one dead letter, and the socket goes on.
func TestARequestWithoutAReplyIsDroppedAndTheSocketGoesOn(t *testing.T) {
	s := start(t, actor.Config{})
	endpoint := "inproc://" + t.Name()
	spawn(t, s, "judge", func(c *actor.Context, m string) error {
		switch m {
		case "fail":
			return actor.ErrNoReply
		case "panic":
			panic(m)
		case "refuse":
			return c.Reply(errOwn)
		case "reply with a number":
			return c.Reply(1)
		case "reply":
			return c.Reply(m)
		}
		return nil
	}, actor.Bind(mailbox.Rep, endpoint, codec.Msgpack), actor.Bind(mailbox.Rep, endpoint+"/raw", codec.Raw))

	for i, r := range []struct {
		endpoint string
		frames   [][]byte
	}{
		{endpoint + "/raw", [][]byte{[]byte("fail")}},
		{endpoint + "/raw", [][]byte{[]byte("panic")}},
		{endpoint + "/raw", [][]byte{[]byte("refuse")}},
		{endpoint + "/raw", [][]byte{[]byte("silence")}},
		{endpoint + "/raw", [][]byte{[]byte("reply with a number")}},
		{endpoint + "/raw", [][]byte{[]byte("two"), []byte("frames")}},
		{endpoint, [][]byte{{0xc1}}},
		{endpoint, [][]byte{{1}}},
	} {
		req := client(t, r.endpoint)
		if err := req.Send(within(t, 10*time.Second), r.frames...); err != nil {
			t.Fatal(err)
		}
		eventually(t, func() bool { return countDead(s) == uint64(i+1) })
		other := client(t, r.endpoint)
		want, send := "reply", []byte("reply")
		if !strings.HasSuffix(r.endpoint, "raw") {
			want, send = "\xa5reply", append([]byte{0xa5}, "reply"...)
		}
		if got := request(t, other, send); got != want {
			t.Fatalf("%q", got)
		}
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantDead(t, s, map[actor.Reason]uint64{actor.Failed: 3, actor.NoReply: 2, actor.Undecodable: 3})
}

func TestStopAnswersTheRequestInHand(t *testing.T) {
	s := start(t, actor.Config{})
	endpoint := freePort(t)
	inHand, goOn := make(chan struct{}), make(chan struct{})
	ref := spawn(t, s, "slow", func(c *actor.Context, m string) error {
		close(inHand)
		<-goOn
		return c.Reply(m)
	}, actor.Bind(mailbox.Rep, endpoint, codec.Raw))
	req := client(t, endpoint)
	ctx := within(t, 10*time.Second)
	if err := req.Send(ctx, []byte("slow")); err != nil {
		t.Fatal(err)
	}
	<-inHand
	stopped := make(chan error)
	go func() { stopped <- actor.Stop(context.Background(), s, ref.PID()) }()
	close(goOn)
	if reply, err := req.Recv(ctx); err != nil || string(reply[0]) != "slow" {
		t.Fatal(reply, err)
	}
	wantErr(t, <-stopped, nil)
}

func TestStopAtOnceClosesTheSocketOfABusyActor(t *testing.T) {
	s := start(t, actor.Config{})
	endpoint := "inproc://" + t.Name()
	inHand := make(chan struct{})
	ref := spawn(t, s, "busy", func(c *actor.Context, m string) error {
		close(inHand)
		<-c.Done()
		return nil
	}, actor.Bind(mailbox.Rep, endpoint, codec.Raw))
	if err := client(t, endpoint).Send(within(t, 10*time.Second), []byte("x")); err != nil {
		t.Fatal(err)
	}
	<-inHand
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := actor.Stop(ended, s, ref.PID()); err != nil {
		t.Fatal(err)
	}
	spawn(t, s, "busy", func(c *actor.Context, m string) error { return nil }, actor.Bind(mailbox.Rep, endpoint, codec.Raw))
}

func TestSpawnReturnsWhatIsWrongWithASocket(t *testing.T) {
	s := start(t, actor.Config{})
	none := func(*actor.Context, string) error { return nil }
	try := func(opts ...actor.Option) error {
		_, err := actor.Spawn(s, "x", none, opts...)
		return err
	}
	wantErr(t, try(actor.Bind(mailbox.Router, "inproc://x", codec.Raw)), mailbox.ErrUnsupported)
	wantErr(t, try(actor.Bind(mailbox.Rep, "inproc://x", nil)), actor.ErrUsage)
	wantErr(t, try(actor.Bind(mailbox.Rep, "udp://x", codec.Raw)), mailbox.ErrEndpoint)
	_, err := actor.Spawn(s, "x", func(*actor.Context, int) error { return nil }, actor.Bind(mailbox.Rep, "inproc://x", codec.Raw))
	wantErr(t, err, codec.ErrEncode)

	endpoint := freePort(t)
	holder := spawn(t, s, "holder", none, actor.Bind(mailbox.Rep, endpoint, codec.Raw))
	taken := try(actor.Bind(mailbox.Rep, "inproc://"+t.Name(), codec.Raw), actor.Bind(mailbox.Rep, endpoint, codec.Raw))
	if taken == nil || errors.Is(taken, actor.ErrNameTaken) {
		t.Fatal(taken)
	}
	stop(t, s, holder)
	// Name and endpoints are free again.
	if err := try(actor.Bind(mailbox.Rep, "inproc://"+t.Name(), codec.Raw), actor.Bind(mailbox.Rep, endpoint, codec.Raw)); err != nil {
		t.Fatal(err)
	}
}
