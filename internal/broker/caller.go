package broker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/troupe-go/troupe/mailbox"
)

var (
	// ErrFull is wrapped by the error of a call that the front has no room for.
	ErrFull = errors.New("the service has no room for another call of this process; run more servers, or call less at once")
	// ErrRefused is wrapped by the errors of calls to a front that doesn't want this caller. The text says why.
	ErrRefused  = errors.New("the front refuses this caller")
	errProtocol = errors.New("the answer is not of the service's protocol")
)

// Failure is the error of a call whose handler failed: what the server said of the handler's error.
type Failure struct{ Name, Text string }

func (f *Failure) Error() string { return f.Text }

// Caller is a connection to a front, for any number of calls at a time. All methods may be called from any goroutine.
type Caller struct {
	s       *mailbox.Socket
	log     *slog.Logger
	service string
	out     outbox
	over    context.Context // ends with Close
	cancel  context.CancelFunc
	done    sync.WaitGroup
	news    func() // of a Group: the front is there, or refuses; nil: calls wait for this front and no other

	mu      sync.Mutex
	calls   map[uint64]*outstanding
	last    uint64
	up      bool      // the front knows this caller
	since   time.Time // it asked who this is
	refused error     // it wants none of it
}

// outstanding is a call that has no answer yet.
type outstanding struct {
	id      uint64
	body    []byte
	end     time.Time // zero: never
	once    bool
	sent    bool
	window  uint32 // of a stream
	got     uint32 // parts of it
	answers chan answer
}

// answer is what came for a call.
type answer struct {
	body []byte
	part bool // body is the reply, or part of it
	last bool
	err  error
}

// NewCaller returns a caller of the service whose front is, or will be, at endpoint.
func NewCaller(cfg mailbox.Config, service, endpoint string) (*Caller, error) {
	return newCaller(cfg, service, endpoint, nil)
}

func newCaller(cfg mailbox.Config, service, endpoint string, news func()) (*Caller, error) {
	s, err := socket(mailbox.Dealer, &cfg)
	if err != nil {
		return nil, err
	}
	c := &Caller{s: s, log: cfg.Log, service: service, news: news, calls: make(map[uint64]*outstanding), last: rand.Uint64()}
	c.over, c.cancel = context.WithCancel(context.Background())
	c.out.s, c.out.over = s, c.over
	listen(c.over, &c.done, s, c.heard, c.lose)
	if err := s.Connect(endpoint); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// Close ends the caller: calls fail with mailbox.ErrClosed.
func (c *Caller) Close() {
	c.cancel()
	c.s.Close(ended)
	c.out.close()
	c.done.Wait()
	c.failAll(mailbox.ErrClosed)
}

// Call sends a request and waits for its reply. If once is set, no second server ever gets it: the error then wraps
// mailbox.ErrPeerLost if the connection to the front ended, or the server's did. It does too once several servers were
// lost with the call in hand. Other errors are a *Failure, and those that wrap ErrFull, ErrRefused, mailbox.ErrClosed or
// ctx's.
func (c *Caller) Call(ctx context.Context, body []byte, once bool) ([]byte, error) {
	o := &outstanding{body: body, once: once, answers: make(chan answer, 1)}
	if err := c.begin(ctx, o); err != nil {
		return nil, err
	}
	a, err := c.next(ctx, o)
	return a.body, err
}

// next waits for the next answer.
func (c *Caller) next(ctx context.Context, o *outstanding) (answer, error) {
	select {
	case a := <-o.answers:
		return a, a.err
	case <-ctx.Done():
		c.abandon(o)
		return answer{}, ctx.Err()
	}
}

// begin registers a call, and sends it if there is a front.
func (c *Caller) begin(ctx context.Context, o *outstanding) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	o.end, _ = ctx.Deadline()
	c.mu.Lock()
	err := c.refused
	if c.news != nil && !c.up {
		err = errMoved
	}
	if c.over.Err() != nil {
		err = mailbox.ErrClosed
	}
	if err != nil {
		c.mu.Unlock()
		return err
	}
	c.last++
	o.id = c.last
	c.calls[o.id] = o
	up := c.up
	o.sent = up
	e := o.entry()
	c.mu.Unlock()
	if up && !c.out.say(e) {
		c.abandon(o)
		return ErrFull
	}
	return nil
}

// entry is the call as it is sent.
func (o *outstanding) entry() entry {
	h := header{kind: call, id: o.id, n: o.window, once: o.once}
	if !o.end.IsZero() {
		h.ms = millis(time.Until(o.end))
	}
	return entry{h, [2][]byte{o.body}}
}

// abandon gives a call up.
func (c *Caller) abandon(o *outstanding) {
	c.mu.Lock()
	id := o.id
	had := c.calls[id] == o
	delete(c.calls, id)
	tell := had && o.sent && c.up
	c.mu.Unlock()
	if tell {
		c.out.say(entry{header: header{kind: cancel, id: id}}) // if there is no room, the answer comes in vain
	}
}

// heard acts upon what the front said.
func (c *Caller) heard(e *entry) {
	switch e.kind {
	case who:
		c.introduce(e.frames[0])
	case refused:
		reason := string(cut(e.frames[0], maxText))
		c.log.Error("refused by the front", "service", c.service, "reason", reason)
		c.refuse(fmt.Errorf("%w: %s", ErrRefused, reason))
	case reply:
		c.answer(e.id, answer{body: e.frames[0], part: true, last: true})
	case part:
		c.part(e)
	case end:
		c.answer(e.id, answer{last: true})
	case fail:
		c.answer(e.id, answer{last: true, err: &Failure{string(cut(e.frames[0], maxName)), string(cut(e.frames[1], maxText))}})
	case busy:
		c.answer(e.id, answer{last: true, err: ErrFull})
	case gone:
		c.answer(e.id, answer{last: true, err: fmt.Errorf("%w: the server with the call in hand was lost", mailbox.ErrPeerLost)})
	}
}

// introduce tells a new front, or one that has lost track, who this is, and what has no answer. That gets new numbers:
// what may still come for the old ones is of no use.
func (c *Caller) introduce(protocol []byte) {
	if string(protocol) != Protocol {
		err := fmt.Errorf("%w: it speaks %q, this caller %s", ErrRefused, cut(protocol, maxName), Protocol)
		c.log.Error("the front is of another protocol", "service", c.service, "err", err)
		c.refuse(err)
		return
	}
	c.lose(time.Now())
	c.out.restart(entry{header{kind: hello}, [2][]byte{[]byte(Protocol), []byte(c.service)}})
	c.mu.Lock()
	defer c.mu.Unlock()
	all := slices.SortedFunc(maps.Values(c.calls), func(a, b *outstanding) int { return cmp.Compare(a.id, b.id) })
	clear(c.calls)
	for _, o := range all {
		c.last++
		o.id, o.sent = c.last, true
		c.calls[o.id] = o
		if !c.out.say(o.entry()) {
			delete(c.calls, o.id)
			o.put(answer{last: true, err: ErrFull})
		}
	}
	c.up, c.refused, c.since = true, nil, time.Now()
	if c.news != nil {
		c.news()
	}
}

// state says whether the front is there, how many calls are in hand, and why the front refuses this caller, if it does.
func (c *Caller) state() (up bool, calls int, refused error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over.Err() != nil {
		return false, 0, mailbox.ErrClosed
	}
	return c.up, len(c.calls), c.refused
}

// lose fails the calls that may not be sent again, or go to another front, after the connection that carried them has ended,
// at a time at which it may have been another than there is now.
func (c *Caller) lose(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at.Before(c.since) {
		return
	}
	c.up = false
	for id, o := range c.calls {
		switch {
		case o.sent && (o.once || o.got > 0):
			delete(c.calls, id)
			o.put(answer{last: true, err: fmt.Errorf("%w: that to the front", mailbox.ErrPeerLost)})
		case c.news != nil:
			delete(c.calls, id)
			o.put(answer{last: true, err: errMoved})
		}
	}
}

func (c *Caller) refuse(err error) {
	c.mu.Lock()
	c.up, c.refused = false, err
	c.mu.Unlock()
	if c.news != nil {
		c.failAll(errMoved) // none was given to a server
		c.news()
		return
	}
	c.failAll(err)
}

func (c *Caller) failAll(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, o := range c.calls {
		o.put(answer{last: true, err: err})
	}
	clear(c.calls)
}

// answer ends a call.
func (c *Caller) answer(id uint64, a answer) {
	c.mu.Lock()
	o := c.calls[id]
	delete(c.calls, id)
	c.mu.Unlock()
	if o != nil {
		o.put(a)
	}
}

// put gives an answer to who waits for it. There is room for what was asked for; more is no answer.
func (o *outstanding) put(a answer) bool {
	select {
	case o.answers <- a:
		return true
	default:
		return false
	}
}
