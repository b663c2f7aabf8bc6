package actor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"time"

	"github.com/troupe-go/troupe/codec"
	"github.com/troupe-go/troupe/mailbox"
)

// Bind makes a ZeroMQ socket, bound to endpoint, a further source of messages of the actor: any ZeroMQ program can talk
// to it. What comes in is decoded with c, and the handler's Reply is encoded with it.
//
// The one type so far is mailbox.Rep: each request is an Ask. Requests are taken one at a time, and wait for room in the
// mailbox. A request that can't be decoded, whose handler fails, refuses or gives no reply is dropped without an answer,
// as one dead letter (which is counted, and logged at debug level), and the socket goes on. Spawn fails if c can't carry
// M; what the handler gives to Reply is checked only then.
//
// Spawn returns the error of binding. The socket lives as long as the actor, through restarts; when Stop returns, it is
// closed and its endpoint free.
func Bind(t mailbox.SocketType, endpoint string, c codec.Codec) Option {
	return func(o *options) {
		o.sources = append(o.sources, newSource(t, endpoint, c, true))
	}
}

// Connect is Bind for a socket that connects to endpoint, now or when somebody binds it, and again when it was lost.
func Connect(t mailbox.SocketType, endpoint string, c codec.Codec) Option {
	return func(o *options) {
		o.sources = append(o.sources, newSource(t, endpoint, c, false))
	}
}

// Socket sets up the sockets of Bind and Connect. A nil Network or Log is the System's.
func Socket(cfg mailbox.Config) Option {
	return func(o *options) { o.socket = cfg }
}

// source is a socket that feeds an actor's mailbox, and the goroutine that pumps.
type source struct {
	kind     mailbox.SocketType
	endpoint string
	codec    codec.Codec
	bind     bool
	config   mailbox.Config

	cell    *cell
	log     *slog.Logger
	socket  *mailbox.Socket    // nil until opened
	pumping chan struct{}      // closed when the pump has ended; nil if it never ran
	taking  context.Context    // ends when no more requests are taken
	stop    context.CancelFunc // of taking
	living  context.Context    // ends when the actor must not wait for the socket any more
	abort   context.CancelFunc // of living and taking
}

func newSource(t mailbox.SocketType, endpoint string, c codec.Codec, bind bool) *source {
	s := &source{kind: t, endpoint: endpoint, codec: c, bind: bind}
	s.living, s.abort = context.WithCancel(context.Background())
	s.taking, s.stop = context.WithCancel(s.living)
	return s
}

func (s *source) check(t reflect.Type) error {
	if s.kind != mailbox.Rep {
		return fmt.Errorf("%w: an actor can't be fed by a %v socket, only by %v", mailbox.ErrUnsupported, s.kind, mailbox.Rep)
	}
	if s.codec == nil {
		return fmt.Errorf("%w: nil codec for %s", ErrUsage, s.endpoint)
	}
	return s.codec.Check(t)
}

func (s *source) open(c *cell) (err error) {
	s.cell = c
	s.log = c.sys.log.With("actor", c.label(), "endpoint", s.endpoint)
	cfg := s.config
	if cfg.Network == nil {
		cfg.Network = c.sys.network
	}
	if cfg.Log == nil {
		cfg.Log = c.sys.log
	}
	if s.socket, err = mailbox.New(s.kind, cfg); err != nil {
		return err
	}
	if !s.bind {
		return s.socket.Connect(s.endpoint)
	}
	bound, err := s.socket.Bind(s.living, s.endpoint)
	if err == nil {
		s.log.Info("actor's socket is bound", "bound", bound.String())
	}
	return err
}

func (s *source) run() {
	s.pumping = make(chan struct{})
	go s.pump()
}

// close lets the request in hand be answered, then closes the socket.
func (s *source) close() {
	s.stop()
	if s.pumping != nil {
		<-s.pumping
	}
	if s.socket != nil {
		if err := s.socket.Close(s.living); err != nil && s.living.Err() == nil {
			s.log.Warn("actor's socket did not close cleanly", "error", err)
		}
	}
	s.abort()
}

const (
	retryMin = 100 * time.Millisecond
	retryMax = 5 * time.Second
)

// pump hands on one request after the other.
func (s *source) pump() {
	defer close(s.pumping)
	pause := retryMin
	for {
		frames, err := s.socket.Recv(s.taking)
		switch {
		case err == nil:
			pause = retryMin
			s.serve(frames)
		case s.taking.Err() != nil || errors.Is(err, mailbox.ErrClosed):
			return
		default:
			s.log.Warn("actor's socket failed; trying again", "error", err, "pause", pause)
			if !s.sleep(pause) {
				return
			}
			pause = min(2*pause, retryMax)
		}
	}
}

// sleep returns false if the source is closed in the meantime.
func (s *source) sleep(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.taking.Done():
		return false
	}
}

// serve hands a request to the actor and its reply back.
func (s *source) serve(frames [][]byte) {
	b := &body{codec: s.codec, typeName: string(s.kind) + " request"}
	reply := &socketAsker{source: s, done: make(chan []byte, 1)}
	m := bodyMessage(b, reply)
	if len(frames) != 1 {
		s.cell.drop(m, Undecodable, fmt.Errorf("%w: a request of %d frames, not 1", ErrType, len(frames)))
	} else {
		b.data = frames[0]
		if s.cell.box.put(s.taking, steady, m) != nil { // the actor is stopping
			s.cell.drop(m, Stopped, s.cell.stoppedError())
		}
	}
	select {
	case data := <-reply.done:
		if data != nil {
			s.answer(data)
			return
		}
	case <-s.living.Done():
	}
	if err := s.socket.Skip(); err != nil && s.taking.Err() == nil {
		s.log.Warn("actor's socket could not drop a request", "error", err)
	}
}

func (s *source) answer(data []byte) {
	err := s.socket.Send(s.living, data)
	if err != nil && s.living.Err() == nil {
		s.log.Debug("reply not sent", "error", err)
	}
}

// socketAsker is the peer whose request is in hand. Done gets the encoded reply, or nil if there is none.
type socketAsker struct {
	source *source
	done   chan []byte
}

func (a *socketAsker) reply(v any) error {
	data, err := a.source.codec.Append(nil, v)
	if err != nil {
		return err
	}
	if data == nil {
		data = []byte{}
	}
	a.done <- data
	return nil
}

func (a *socketAsker) refuse(err error) {
	a.source.log.Debug("request refused", "error", err)
	a.fail(ErrNoReply)
}

func (a *socketAsker) fail(err error) {
	if err == ErrNoReply { // the runtime's own; what other reasons there are has been counted
		c := a.source.cell
		c.sys.dead.add(NoReply, c.self, PID{}, func() string { return string(a.source.kind) + " request" })
	}
	a.done <- nil
}
