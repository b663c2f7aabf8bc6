package topology

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/troupe-go/troupe/mailbox"
)

// requester is a REQ socket that is replaced when a request is abandoned, as a REQ socket takes no further request before
// the reply.
type requester struct {
	turn     chan struct{} // holds one token; who has it may call
	endpoint string
	config   mailbox.Config
	once     bool
	log      *slog.Logger
	over     bool
	socket   *mailbox.Socket // nil until the first request and after an abandoned one
}

func newRequester(in *instance, e *edge) *requester {
	q := &requester{turn: make(chan struct{}, 1), endpoint: in.carrier(e).endpoint, config: in.socket(e), once: e.once, log: in.log}
	q.turn <- struct{}{}
	return q
}

// exchange returns the function that calls over q.
func exchange[Q, R any](q *requester, e *edge) func(context.Context, Q) (R, error) {
	return func(ctx context.Context, request Q) (reply R, err error) {
		body, err := e.codec.Append(nil, request)
		if err != nil {
			return reply, err
		}
		select {
		case <-q.turn:
			defer func() { q.turn <- struct{}{} }()
		case <-ctx.Done():
			return reply, ctx.Err()
		}
		answer, err := q.exchange(ctx, body)
		if err != nil {
			return reply, fmt.Errorf("topology: service %s: %w", e.name, err)
		}
		return reply, e.codec.Decode(answer, &reply)
	}
}

// exchange sends a request and returns its reply.
func (q *requester) exchange(ctx context.Context, request []byte) (reply []byte, err error) {
	if q.over {
		return nil, mailbox.ErrClosed
	}
	if q.socket == nil {
		if err := q.open(); err != nil {
			return nil, err
		}
	}
	for {
		frames, err := q.try(ctx, request)
		switch {
		case err == nil && len(frames) == 1:
			return frames[0], nil
		case err == nil:
			return nil, fmt.Errorf("a reply of %d frames from %s; a service's has one", len(frames), q.endpoint)
		case q.once || !errors.Is(err, mailbox.ErrPeerLost):
			q.close()
			return nil, err
		}
		q.log.Info("connection lost before the reply; the request is sent again", "endpoint", q.endpoint)
	}
}

func (q *requester) try(ctx context.Context, request []byte) ([][]byte, error) {
	if err := q.socket.Send(ctx, request); err != nil {
		return nil, err
	}
	return q.socket.Recv(ctx)
}

func (q *requester) open() error {
	s, err := mailbox.New(mailbox.Req, q.config)
	if err != nil {
		return err
	}
	q.socket = s
	if err := s.Connect(q.endpoint); err != nil {
		q.close()
		return err
	}
	return nil
}

// close ends the socket without lingering: a request is either answered or abandoned.
func (q *requester) close() {
	if q.socket == nil {
		return
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	q.socket.Close(ended)
	q.socket = nil
}

// end is close once nobody may call any more.
func (q *requester) end() {
	<-q.turn
	q.over = true
	q.close()
	q.turn <- struct{}{}
}
