package bench

import (
	"context"
	"log/slog"
	"os"

	"github.com/troupe-go/troupe/internal/bench/contest"
	"github.com/troupe-go/troupe/mailbox"
)

// socket is the troupe side's link.
type socket struct {
	*mailbox.Socket
	ctx context.Context
}

func newSocket(t mailbox.SocketType, cfg mailbox.Config) (*socket, error) {
	cfg.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	s, err := mailbox.New(t, cfg)
	return &socket{s, context.Background()}, err
}

func troupeBind(sp contest.Spec) (link, error) {
	t, cfg := mailbox.Pub, mailbox.Config{NoDrop: sp.Pattern != "pub-sub-filter"}
	switch sp.Pattern {
	case "push-pull":
		t, cfg = mailbox.Pull, mailbox.Config{}
	case "req-rep":
		t, cfg = mailbox.Rep, mailbox.Config{}
	}
	s, err := newSocket(t, cfg)
	if err != nil {
		return nil, err
	}
	where, err := s.Bind(s.ctx, sp.Endpoint)
	if err != nil {
		return nil, err
	}
	contest.Bound(where.String())
	if t == mailbox.Pub {
		err = s.WaitSubscribers(s.ctx, sp.Subscribers)
	}
	return s, err
}

func troupeConnect(sp contest.Spec) (link, error) {
	t := mailbox.Sub
	switch sp.Pattern {
	case "push-pull":
		t = mailbox.Push
	case "req-rep":
		t = mailbox.Req
	}
	s, err := newSocket(t, mailbox.Config{})
	if err != nil {
		return nil, err
	}
	if err := s.Connect(sp.Endpoint); err != nil {
		return nil, err
	}
	switch {
	case sp.Pattern == "pub-sub-filter":
		err = s.Subscribe(s.ctx, string(topic))
	case t == mailbox.Sub:
		err = s.Subscribe(s.ctx, "")
	}
	return s, err
}

func (s *socket) Send(msg []byte) error { return s.Socket.Send(s.ctx, msg) }

func (s *socket) Flush() error { return nil }

func (s *socket) Recv() ([]byte, error) {
	msg, err := s.Socket.Recv(s.ctx)
	if err != nil {
		return nil, err
	}
	return msg[0], nil
}

func (s *socket) Dropped() int { return int(s.Stats().Dropped[mailbox.Full]) }
