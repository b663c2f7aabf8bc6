package nodes

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/internal/bench/contest"
	"github.com/troupe-go/troupe/node"
)

// The names of the nodes.
const (
	near = "near" // sends and asks
	far  = "far"
)

func startNode(cfg node.Config) (*node.Node, error) {
	cfg.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	return node.Start(context.Background(), cfg)
}

func troupeBind(w worker) error {
	n, err := startNode(node.Config{Name: far, Listen: []string{w.Endpoint}})
	if err != nil {
		return err
	}
	done := make(chan burst, w.pairs)
	for i := range w.pairs {
		lots := actor.RefTo[int](actor.Named(fmt.Sprintf("lots-%d@%s", i, near)))
		r := receiver{lot: w.lot, done: done, handled: func() error { return lots.Tell(n, 1) }}
		room := (ahead + 1) * w.lot // a message counts until its handler has returned, after handled
		if err := w.tells.spawn(n, fmt.Sprintf("receiver-%d", i), r.got, actor.HWM(room)); err != nil {
			return err
		}
	}
	_, err = actor.Spawn(n, "echo", func(c *actor.Context, m []byte) error { return c.Reply(m) })
	if err != nil {
		return err
	}
	contest.Bound(n.Endpoints()[0].String())
	if w.tells == nil {
		return w.serve()
	}
	return w.receive(done)
}

func troupeConnect(w worker) error {
	n, err := startNode(node.Config{Name: near, Peers: map[string]string{far: w.Endpoint}, Wait: patience})
	if err != nil {
		return err
	}
	if w.tells == nil {
		echo := actor.RefTo[[]byte](actor.Named("echo@" + far))
		return w.ask(func(ctx context.Context, _ int, msg []byte) ([]byte, error) {
			return actor.As[[]byte](echo.Ask(ctx, n, msg))
		})
	}
	senders := make([]sender, w.pairs)
	for i := range senders {
		lots := newLots()
		_, err := actor.Spawn(n, fmt.Sprintf("lots-%d", i), func(*actor.Context, int) error {
			lots <- struct{}{}
			return nil
		})
		if err != nil {
			return err
		}
		to := actor.Named(fmt.Sprintf("receiver-%d@%s", i, far))
		senders[i] = sender{send: w.tells.teller(n, to), lots: lots}
	}
	return w.send(senders)
}
