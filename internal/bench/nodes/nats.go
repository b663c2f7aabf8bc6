package nodes

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/troupe-go/troupe/internal/bench/contest"
)

// natsDial connects to a server. A subscriber that is too slow for it ends the process.
func natsDial(url string) (*nats.Conn, error) {
	return nats.Connect(url, nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { contest.Fail(err) }))
}

// natsListen subscribes without a limit for what waits: the flow is limited.
func natsListen(conn *nats.Conn, subject string, handle func(*nats.Msg)) error {
	sub, err := conn.Subscribe(subject, handle)
	if err != nil {
		return err
	}
	return sub.SetPendingLimits(-1, -1)
}

func natsBind(w worker) error {
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoLog: true, NoSigs: true})
	if err != nil {
		return err
	}
	s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		return errors.New("the NATS server does not start")
	}
	conn, err := natsDial(s.ClientURL())
	if err != nil {
		return err
	}
	done := make(chan burst, w.pairs)
	for i := range w.pairs {
		lots := fmt.Sprintf("lots.%d", i)
		r := receiver{lot: w.lot, done: done, handled: func() error { return conn.Publish(lots, nil) }}
		err := natsListen(conn, fmt.Sprintf("receiver.%d", i), func(m *nats.Msg) {
			number, err := w.tells.unpack(m.Data)
			if err != nil {
				contest.Fail(err)
			}
			r.got(number)
		})
		if err != nil {
			return err
		}
	}
	err = natsListen(conn, "echo", func(m *nats.Msg) {
		if err := m.Respond(m.Data); err != nil {
			contest.Fail(err)
		}
	})
	if err != nil {
		return err
	}
	if err := conn.Flush(); err != nil {
		return err
	}
	contest.Bound(s.ClientURL())
	if w.tells == nil {
		return w.serve()
	}
	return w.receive(done)
}

func natsConnect(w worker) error {
	conn, err := natsDial(w.Endpoint)
	if err != nil {
		return err
	}
	if w.tells == nil {
		return w.ask(func(ctx context.Context, _ int, msg []byte) ([]byte, error) {
			reply, err := conn.RequestWithContext(ctx, "echo", msg)
			if err != nil {
				return nil, err
			}
			return reply.Data, nil
		})
	}
	senders := make([]sender, w.pairs)
	for i := range senders {
		lots := newLots()
		if err := natsListen(conn, fmt.Sprintf("lots.%d", i), func(*nats.Msg) { lots <- struct{}{} }); err != nil {
			return err
		}
		pack, subject := w.tells.packer(), fmt.Sprintf("receiver.%d", i)
		senders[i] = sender{flush: conn.Flush, lots: lots, send: func(number uint64) error {
			data, err := pack(number)
			if err != nil {
				return err
			}
			return conn.Publish(subject, data)
		}}
	}
	if err := conn.Flush(); err != nil { // the server knows the subscriptions
		return err
	}
	return w.send(senders)
}
