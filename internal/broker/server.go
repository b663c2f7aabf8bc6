package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/troupe-go/troupe/mailbox"
)

// errStalled is the error of what can't be said as the front doesn't read.
var errStalled = errors.New("the front doesn't read what this server has to say")

// Server is a connection to a front, for the requests of a service. All methods may be called from any goroutine.
type Server struct {
	s       *mailbox.Socket
	log     *slog.Logger
	service string
	slots   int
	out     outbox
	over    context.Context // ends with Close; requests' contexts are its children
	cancel  context.CancelCauseFunc
	done    sync.WaitGroup
	next    chan *Request

	mu      sync.Mutex
	hand    map[uint64]*Request // by number
	up      bool                // the front knows this server
	since   time.Time           // it asked who this is
	leaving bool
	left    chan struct{} // closed when the front has nothing more of this server's
}

// Request is a call in a server's hand. It is to be answered once, by Reply, End or Fail, also when its context has
// ended: until then the front takes its place as occupied.
type Request struct {
	Body []byte
	// Context ends when the caller gives up, when its own context would, and when the front is lost or the server closed.
	Context context.Context

	server *Server
	id     uint64
	cancel context.CancelFunc
	part   uint32

	mu     sync.Mutex
	credit uint32
	more   chan struct{} // credit has come
	stream bool          // the caller takes parts
}

// NewServer returns a server of the service whose front is, or will be, at endpoint, that takes so many requests at a
// time.
func NewServer(cfg mailbox.Config, service, endpoint string, slots int) (*Server, error) {
	sock, err := socket(mailbox.Dealer, &cfg)
	if err != nil {
		return nil, err
	}
	s := &Server{s: sock, log: cfg.Log, service: service, slots: slots,
		next: make(chan *Request, slots), hand: make(map[uint64]*Request), left: make(chan struct{})}
	s.over, s.cancel = context.WithCancelCause(context.Background())
	s.out.s, s.out.over = sock, s.over
	listen(s.over, &s.done, sock, s.heard, func(at time.Time) { s.drop(false, at) })
	if err := sock.Connect(endpoint); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Next returns the next request, in the order in which they came. It fails when ctx ends, and with mailbox.ErrClosed.
func (s *Server) Next(ctx context.Context) (*Request, error) {
	for {
		select {
		case r := <-s.next:
			if r.Context.Err() == nil {
				return r, nil
			}
			r.Fail("", "given up") // nobody waits for it
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-s.over.Done():
			return nil, mailbox.ErrClosed
		}
	}
}

// Leave asks the front for no more requests, and waits until those that there are are answered, and the front has
// the answers. Without a front it does not wait. It fails when ctx ends.
func (s *Server) Leave(ctx context.Context) error {
	s.mu.Lock()
	up := s.up
	s.leaving = true
	s.mu.Unlock()
	if !up {
		return nil
	}
	s.out.say(entry{header: header{kind: leave}})
	select {
	case <-s.left:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close ends the server. The front gives what it has in hand to others.
func (s *Server) Close() {
	s.cancel(mailbox.ErrClosed)
	s.s.Close(ended)
	s.out.close()
	s.done.Wait()
}

// heard acts upon what the front said.
func (s *Server) heard(e *entry) {
	switch e.kind {
	case who:
		s.introduce(e.frames[0])
	case refused:
		s.log.Error("refused by the front", "service", s.service, "reason", string(cut(e.frames[0], maxText)))
		s.drop(false, time.Now())
	case call:
		s.take(e)
	case cancel:
		if r := s.request(e.id); r != nil {
			r.cancel()
		}
	case more:
		if r := s.request(e.id); r != nil {
			r.grant(e.n)
		}
	case leave:
		s.leave()
	}
}

// introduce tells a new front, or one that has lost track, who this is.
func (s *Server) introduce(protocol []byte) {
	if string(protocol) != Protocol {
		s.log.Error("the front is of another protocol", "service", s.service, "its", string(cut(protocol, maxName)), "ours", Protocol)
		return
	}
	if s.drop(true, time.Now()) {
		return
	}
	s.out.restart(entry{header{kind: hello, n: uint32(s.slots)}, [2][]byte{[]byte(Protocol), []byte(s.service)}})
}

// drop gives up all that is in hand, as the connection that it came over ended, at a time at which it may have been
// another than there is now: the front has given it to others. It reports whether the server is leaving: then nobody
// waits for anything any more.
func (s *Server) drop(up bool, at time.Time) (leaving bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at.Before(s.since) {
		return s.leaving
	}
	for _, r := range s.hand {
		r.cancel()
	}
	clear(s.hand)
	for len(s.next) > 0 {
		select {
		case <-s.next:
		default:
		}
	}
	if up {
		s.since = at
	}
	s.up = up && !s.leaving
	if s.leaving {
		s.hasLeft()
	}
	return s.leaving
}

func (s *Server) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hasLeft()
}

// hasLeft is called with the lock.
func (s *Server) hasLeft() {
	select {
	case <-s.left:
	default:
		close(s.left)
	}
}

// take queues a request.
func (s *Server) take(e *entry) {
	r := &Request{Body: e.frames[0], server: s, id: e.id}
	if e.n > 0 {
		r.stream, r.credit, r.more = true, e.n, make(chan struct{}, 1)
	}
	if e.ms > 0 {
		r.Context, r.cancel = context.WithTimeout(s.over, time.Duration(e.ms)*time.Millisecond)
	} else {
		r.Context, r.cancel = context.WithCancel(s.over)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case s.next <- r:
		s.hand[r.id] = r
	default:
		r.cancel()
		s.log.Warn("the front gave more calls than were asked for", "service", s.service)
	}
}

func (s *Server) request(id uint64) *Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hand[id]
}

// Reply answers the request, by a body that nobody changes from now on. An error means that it doesn't get to the caller over
// this server.
func (r *Request) Reply(body []byte) error { return r.finish(reply, body, nil) }

// End ends a reply that was sent in parts.
func (r *Request) End() error { return r.finish(end, nil, nil) }

// Fail answers the request by an error, known by name.
func (r *Request) Fail(name, text string) error {
	return r.finish(fail, cut([]byte(name), maxName), cut([]byte(text), maxText))
}

func (r *Request) finish(kind byte, first, second []byte) error {
	r.cancel()
	s := r.server
	s.mu.Lock()
	mine := s.hand[r.id] == r
	delete(s.hand, r.id)
	s.mu.Unlock()
	if !mine {
		return fmt.Errorf("%w: the front has given the call to another server", mailbox.ErrPeerLost)
	}
	return r.say(entry{header{kind: kind, id: r.id}, [2][]byte{first, second}})
}

func (r *Request) say(e entry) error {
	if !r.server.out.say(e) {
		return errStalled
	}
	return nil
}

// Streams says whether the caller takes a reply in parts.
func (r *Request) Streams() bool { return r.stream }

// Part sends a part of the reply, once the caller has room for it, and returns. It fails with the cause of the end of the
// request's context. Parts are sent by one goroutine at a time; nobody changes body from now on.
func (r *Request) Part(body []byte) error {
	for !r.spend() {
		select {
		case <-r.more:
		case <-r.Context.Done():
			return context.Cause(r.Context)
		}
	}
	if err := r.Context.Err(); err != nil {
		return context.Cause(r.Context)
	}
	n := r.part
	r.part++
	return r.say(entry{header{kind: part, id: r.id, n: n}, [2][]byte{body}})
}

// spend takes the right to send one part.
func (r *Request) spend() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.credit == 0 {
		return false
	}
	r.credit--
	return true
}

// grant lets r send n more parts.
func (r *Request) grant(n uint32) {
	r.mu.Lock()
	r.credit = min(r.credit+min(n, maxCredit), maxCredit)
	r.mu.Unlock()
	select {
	case r.more <- struct{}{}:
	default:
	}
}
