package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/troupe-go/troupe/mailbox"
)

const (
	heartbeat = time.Second     // how often a silent connection is probed
	silence   = 3 * time.Second // and how long it then may say nothing
	redial    = time.Second     // the longest pause before the next attempt to connect
	sendHWM   = 1 << 16         // messages that wait for a peer that doesn't read
	burst     = 256             // messages handled before what they lead to is sent
)

// socket makes a socket of the engine.
func socket(t mailbox.SocketType, cfg *mailbox.Config) (*mailbox.Socket, error) {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	cfg.Heartbeat, cfg.HeartbeatTimeout, cfg.ReconnectMax, cfg.SendHWM = heartbeat, silence, redial, sendHWM
	cfg.Mandatory = t == mailbox.Router
	return mailbox.New(t, *cfg)
}

// ended is the context of what is to be tried without waiting.
var ended = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// Front is where callers and servers of services meet. One goroutine does all of its work.
type Front struct {
	s     *mailbox.Socket
	log   *slog.Logger
	again *atomic.Int64
	done  chan struct{} // closed when the goroutine has ended

	mu     sync.Mutex
	events []mailbox.Event
	rest   context.CancelFunc // lets the goroutine look for events

	// the goroutine's
	services map[string]*service
	parties  map[string]*party // by the identities of their connections
	last     uint64            // number of the call given last
	lost     bool              // a party was forgotten: its calls may go to others
	spoken   []*party          // that something is to be sent to
	unspoken []*party          // spoken's other half
	pack     packer
	owed     map[string]struct{} // identities that are to get a WHO once there is room
	warned   time.Time           // when the log last got to know of a refusal
}

// NewFront returns a front for the named services, which is to be bound, and closed. cfg is its socket's, which has
// heartbeats and bounds of the engine's own. Calls that are given to a second server are counted in again, if not nil.
func NewFront(cfg mailbox.Config, again *atomic.Int64, services ...string) (*Front, error) {
	f, err := newFront(cfg, services)
	if err != nil {
		return nil, err
	}
	if again != nil {
		f.again = again
	}
	events := f.s.Monitor(context.Background()) // ends with the socket
	go func() {
		for e := range events {
			f.note(e)
		}
	}()
	return f, nil
}

// newFront returns a front that has to be told of events.
func newFront(cfg mailbox.Config, services []string) (*Front, error) {
	s, err := socket(mailbox.Router, &cfg)
	if err != nil {
		return nil, err
	}
	f := &Front{
		s: s, log: cfg.Log, done: make(chan struct{}),
		services: make(map[string]*service), parties: make(map[string]*party),
		last: rand.Uint64(), again: new(atomic.Int64), owed: make(map[string]struct{}),
	}
	for _, name := range services {
		f.services[name] = &service{name: name}
	}
	go f.run(f.turn())
	return f, nil
}

// Bind accepts callers and servers at endpoint. It returns the endpoint with its port filled in.
func (f *Front) Bind(ctx context.Context, endpoint string) (mailbox.Endpoint, error) {
	return f.s.Bind(ctx, endpoint)
}

// Close ends the front. Callers keep their calls for one that comes back, servers give up theirs.
func (f *Front) Close(ctx context.Context) error {
	err := f.s.Close(ctx)
	<-f.done
	return err
}

// note lets the goroutine know of an event.
func (f *Front) note(e mailbox.Event) {
	if e.Kind != mailbox.Accepted && e.Kind != mailbox.Disconnected && e.Missed == 0 {
		return
	}
	f.mu.Lock()
	f.events = append(f.events, e)
	f.mu.Unlock()
	f.wake()
}

// wake lets the goroutine look for what there is besides messages.
func (f *Front) wake() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rest()
}

// turn returns the context of the goroutine's next waits. It ends when there is something else to do.
func (f *Front) turn() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	f.rest = cancel
	return ctx
}

func (f *Front) run(turn context.Context) {
	defer close(f.done)
	for {
		switch msg, err := f.s.Recv(turn); {
		case err == nil:
			f.handle(msg)
			f.handleAll(burst)
			f.flush()
			if turn.Err() != nil { // Recv prefers messages
				turn = f.look()
				f.flush()
			}
		case errors.Is(err, mailbox.ErrClosed):
			return
		default:
			turn = f.look()
			f.flush()
		}
	}
}

// look acts upon events. What a peer had sent before its connection ended comes first: its replies count.
func (f *Front) look() (turn context.Context) {
	f.mu.Lock()
	events := f.events
	f.events = nil
	turn = f.turn()
	f.mu.Unlock()
	f.handleAll(1000) // so many, lest an end waits for ever
	missed := false
	for _, e := range events {
		missed = missed || e.Missed > 0
		switch e.Kind {
		case mailbox.Accepted:
			f.greet(string(e.Identity))
		case mailbox.Disconnected:
			delete(f.owed, string(e.Identity))
			f.forget(f.parties[string(e.Identity)])
		}
	}
	if missed {
		f.recount()
	}
	f.greetOwed()
	f.redo()
	return turn
}

// handleAll handles what is there, at most n messages.
func (f *Front) handleAll(n int) {
	for range n {
		msg, err := f.s.Recv(ended)
		if err != nil {
			return
		}
		f.handle(msg)
	}
}

// recount finds out who is there, after events were missed.
func (f *Front) recount() {
	there := make(map[string]bool)
	for _, p := range f.s.Stats().Peers {
		if id := string(p.Identity); p.Connected {
			there[id] = true
			if f.parties[id] == nil {
				f.greet(id)
			}
		}
	}
	for id, p := range f.parties {
		if !there[id] {
			f.forget(p)
		}
	}
}

// greet asks a peer who it is.
func (f *Front) greet(id string) {
	if f.tell([]byte(id), entry{header{kind: who}, [2][]byte{[]byte(Protocol)}}) == noRoom {
		f.owe(id)
	}
}

// tell sends an entry at once to a peer that is no party.
func (f *Front) tell(id []byte, e entry) outcome {
	f.pack.reset(id)
	f.pack.add(&e)
	return f.send()
}

// owe notes that a peer is to be greeted once there is room.
func (f *Front) owe(id string) {
	const pause = 250 * time.Millisecond
	if len(f.owed) == 0 {
		time.AfterFunc(pause, f.wake)
	}
	f.owed[id] = struct{}{}
}

func (f *Front) greetOwed() {
	owed := f.owed
	f.owed = make(map[string]struct{})
	for id := range owed {
		f.greet(id)
	}
}

// outcome is what came of a message.
type outcome int

const (
	sent   outcome = iota
	noRoom         // the peer doesn't read what it has
	nobody         // its connection has ended
)

// send sends what was packed.
func (f *Front) send() outcome {
	switch err := f.s.Send(ended, f.pack.frames...); {
	case err == nil:
		return sent
	case errors.Is(err, mailbox.ErrUnroutable), errors.Is(err, mailbox.ErrClosed):
		return nobody
	}
	return noRoom
}

// say has an entry sent to a party with the next flush.
func (f *Front) say(p *party, e entry) {
	if len(p.out) == 0 {
		f.spoken = append(f.spoken, p)
	}
	p.out = append(p.out, e)
}

// flush sends what was said. A server that doesn't read what it has gets the rest when it is heard of again. A caller
// that doesn't can't be told everything any more: it is forgotten, and asked who it is when it reads again.
func (f *Front) flush() {
	for len(f.spoken) > 0 { // more is said to others if somebody is forgotten
		all := f.spoken
		f.spoken = f.unspoken[:0]
		for _, p := range all {
			if f.parties[string(p.id)] == p {
				f.flushTo(p)
			}
		}
		clear(all)
		f.unspoken = all
		f.redo()
	}
}

func (f *Front) flushTo(p *party) {
	done := 0
	for done < len(p.out) {
		f.pack.reset(p.id)
		first := done
		for done < len(p.out) && f.pack.fits(&p.out[done]) {
			f.pack.add(&p.out[done])
			done++
		}
		switch f.send() {
		case noRoom:
			if p.slots > 0 {
				p.out = slices.Delete(p.out, 0, first)
				p.full = true
				f.offer(p)
				return
			}
			f.log.Warn("a caller doesn't read what it has; it is to begin again", "service", p.service.name)
			f.forget(p)
			f.owe(string(p.id))
			return
		case nobody:
			f.forget(p)
			return
		}
	}
	clear(p.out)
	p.out = p.out[:0]
}

// refuse tells a peer, and the log, why it is not listened to, and forgets what it has.
func (f *Front) refuse(id []byte, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if time.Since(f.warned) > 10*time.Second { // a hostile peer doesn't fill the log
		f.warned = time.Now()
		f.log.Warn("peer refused", "reason", text)
	}
	f.forget(f.parties[string(id)])
	f.tell(id, entry{header{kind: refused}, [2][]byte{[]byte(text)}})
}
