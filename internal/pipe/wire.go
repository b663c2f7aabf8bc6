package pipe

import (
	"context"
	"iter"
	"log/slog"
	"sync"
	"time"

	"github.com/troupe-go/troupe/mailbox"
)

// Place says where one end of an edge is.
type Place struct {
	Edge     string // its name, which both ends must agree on
	Name     string // of this end, for the other's log
	Endpoint string
	Bind     bool           // as ROUTER; else it connects, as DEALER
	Socket   mailbox.Config // what is not the protocol's: Network, Security, Log
}

const (
	heartbeat        = time.Second
	heartbeatTimeout = 3 * time.Second
	redialMin        = 50 * time.Millisecond
	redialMax        = time.Second
	refusedWait      = 2 * time.Second // before the next attempt, if the other end said BYE
	longSession      = 5 * time.Second // one that lasted so long was no failed attempt
	sendHWM          = 10_000          // more than is ever on its way to a peer that reads
	lostAfter        = 10_000          // messages handled at most before a loss is
)

// handler is what a Wire's messages go to. Its methods are called by one goroutine.
type handler interface {
	opened()                              // a session of an end that connects begins
	message(peer []byte, frames [][]byte) // peer is nil if this end connects
	lost(peer string)                     // the connection of a peer has ended; all its messages came before
	probe()                               // somebody may be lost: sending to all shows who
}

// Wire is one end of an edge on the network.
//
// An end that connects has a socket of its own for each connection, so that nothing of one session comes into the next.
type Wire struct {
	place Place
	side  string // this end's
	h     handler
	cfg   mailbox.Config
	log   *slog.Logger
	ended sync.WaitGroup

	complained time.Time // when the log last told of a peer that was refused
	farewell   string    // the last BYE that it told of
	greeted    bool      // of an end that connects: by the other, in this session

	mu        sync.Mutex
	socket    *mailbox.Socket
	up        bool     // of an end that connects: there is a connection
	losses    []string // peers whose connections ended
	over      bool     // of an end that connects: the session is to end
	refused   bool     // because one of the ends refused it
	suspect   bool     // a loss may have been missed
	closed    bool
	closing   chan struct{}
	hurry     context.CancelFunc // ends the lingering of Close
	interrupt context.CancelFunc // of the Recv that waits
}

// open opens the socket and begins to receive, with the handler that h makes.
func open(place Place, side string, h func(*Wire) handler) (*Wire, error) {
	cfg := place.Socket
	cfg.SendHWM = sendHWM
	cfg.Heartbeat, cfg.HeartbeatTimeout = heartbeat, heartbeatTimeout
	cfg.ReconnectMin, cfg.ReconnectMax = redialMin, redialMax
	cfg.Mandatory = place.Bind
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	w := &Wire{place: place, side: side, cfg: cfg, log: cfg.Log.With("edge", place.Edge), closing: make(chan struct{})}
	w.h = h(w)
	events, err := w.start()
	if err != nil {
		return nil, err
	}
	w.ended.Go(func() { w.run(events) })
	return w, nil
}

// start opens a socket.
func (w *Wire) start() (iter.Seq[mailbox.Event], error) {
	typ := mailbox.Dealer
	if w.place.Bind {
		typ = mailbox.Router
	}
	s, err := mailbox.New(typ, w.cfg)
	if err != nil {
		return nil, err
	}
	events := s.Monitor(context.Background())
	if w.place.Bind {
		_, err = s.Bind(context.Background(), w.place.Endpoint)
	} else {
		err = s.Connect(w.place.Endpoint)
	}
	if err != nil {
		s.Close(ended)
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.socket, w.up, w.over, w.refused = s, false, w.closed, false
	return events, nil
}

// ended is a context for what must not wait.
var ended = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// run receives until Close, in one session after the other if this end connects.
func (w *Wire) run(events iter.Seq[mailbox.Event]) {
	pause := redialMin
	for {
		began := time.Now()
		w.session(events)
		if w.place.Bind {
			return
		}
		w.mu.Lock()
		refused, closed := w.refused, w.closed
		w.mu.Unlock()
		if closed {
			return
		}
		switch {
		case refused:
			pause = refusedWait
		case time.Since(began) > longSession:
			pause = redialMin
		default:
			pause = min(2*pause, redialMax)
		}
		select {
		case <-w.closing:
			return
		case <-time.After(pause):
		}
		var err error
		if events, err = w.start(); err != nil { // what was possible once
			w.log.Error("can't connect any more", "endpoint", w.place.Endpoint, "err", err)
			return
		}
	}
}

// session receives from the socket there is until it is closed or, if this end connects, its connection ends.
func (w *Wire) session(events iter.Seq[mailbox.Event]) {
	var watching sync.WaitGroup
	watching.Go(func() {
		for e := range events {
			if w.place.Bind && e.Kind == mailbox.Accepted {
				w.hello(e.Identity)
			}
			w.event(e)
		}
	})
	if !w.place.Bind {
		w.greeted = false
		w.hello(nil)
		w.h.opened()
	}
	w.receive()
	if !w.place.Bind {
		w.h.lost("")
		w.socket.Close(ended) // does nothing if Close is at it
	}
	watching.Wait()
}

// event notes what happened to connections.
func (w *Wire) event(e mailbox.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case e.Kind == mailbox.Connected:
		w.up = true
	case e.Kind == mailbox.Disconnected && w.place.Bind:
		w.losses = append(w.losses, string(e.Identity))
	case e.Kind == mailbox.Disconnected:
		w.up, w.over = false, true
		if w.closed {
			w.hurry()
		}
	}
	w.suspect = w.suspect || e.Missed > 0
	if w.attention() && w.interrupt != nil {
		w.interrupt()
	}
}

// attention says whether there is something to do besides receiving.
func (w *Wire) attention() bool { return len(w.losses) > 0 || w.over || w.suspect }

// end ends the session of an end that connects, or forgets a peer.
func (w *Wire) end(peer string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.place.Bind {
		w.losses = append(w.losses, peer)
	} else {
		w.over = true
	}
	if w.interrupt != nil {
		w.interrupt()
	}
}

// refuse ends the session of an end that connects, and lets the next one wait.
func (w *Wire) refuse() {
	w.mu.Lock()
	w.refused = true
	w.mu.Unlock()
	w.end("")
}

// receive hands messages to the handler. It learns of a lost connection when the messages that came over it were handled.
func (w *Wire) receive() {
	w.mu.Lock()
	s := w.socket
	w.mu.Unlock()
	for {
		ctx, cancel := context.WithCancel(context.Background())
		w.mu.Lock()
		w.interrupt = cancel
		if w.attention() {
			cancel()
		}
		w.mu.Unlock()
		for late := 0; late < lostAfter; {
			frames, err := s.Recv(ctx)
			if err == mailbox.ErrClosed {
				cancel()
				return
			}
			if err != nil {
				break
			}
			if ctx.Err() != nil {
				late++
			}
			if w.place.Bind {
				w.h.message(frames[0], frames[1:])
			} else {
				w.h.message(nil, frames)
			}
		}
		cancel()
		if !w.attend() {
			return
		}
	}
}

// attend does what else there is to do. It reports false if the session is over.
func (w *Wire) attend() bool {
	w.mu.Lock()
	losses, suspect, over := w.losses, w.suspect, w.over
	w.losses, w.suspect = nil, false
	w.mu.Unlock()
	for _, peer := range losses {
		w.h.lost(peer)
	}
	if suspect {
		w.h.probe()
	}
	return !over
}

// send sends a message without waiting, to peer if this end is bound. It reports false if that is not possible.
func (w *Wire) send(peer []byte, frames ...[]byte) bool {
	if !w.place.Bind {
		return w.sendAll(frames)
	}
	var few [8][]byte
	return w.sendAll(append(append(few[:0], peer), frames...))
}

// sendAll is a send of frames that begin with the peer if this end is bound.
func (w *Wire) sendAll(frames [][]byte) bool {
	w.mu.Lock()
	s := w.socket
	w.mu.Unlock()
	return s.Send(ended, frames...) == nil
}

// Close closes the socket. What was sent to peers that are connected is still written, until ctx ends.
func (w *Wire) Close(ctx context.Context) {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		w.ended.Wait()
		return
	}
	ctx, w.hurry = context.WithCancel(ctx)
	defer w.hurry()
	w.closed = true
	close(w.closing)
	s := w.socket
	if !w.place.Bind && !w.up {
		w.hurry()
	}
	w.mu.Unlock()
	s.Close(ctx)
	w.ended.Wait()
}
