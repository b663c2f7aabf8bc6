package pipe

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/troupe-go/troupe/internal/memnet"
	"github.com/troupe-go/troupe/mailbox"
)

var quiet = slog.New(slog.DiscardHandler)

// diary is a log that a test looks into.
type diary struct {
	mu   sync.Mutex
	text strings.Builder
}

func (d *diary) Write(b []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.text.Write(b)
}

func (d *diary) has(text string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.Contains(d.text.String(), text)
}

// stream is the Origin of a test's tasks.
type stream struct {
	id   uuid.UUID
	next uint64
	done atomic.Int64
}

func newStream() *stream { return &stream{id: uuid.New()} }

func (s *stream) Done()  { s.done.Add(1) }
func (s *stream) Flush() {}

func (s *stream) ID() ID {
	s.next++
	return ID{s.id, s.next - 1}
}

// edge is an edge between producers and consumers of a test, over a network in memory.
type edge struct {
	t     *testing.T
	net   *memnet.Network
	log   *slog.Logger
	diary diary
	side  string // that binds
}

const address = "edge:1"

// over runs test in a bubble over each way in which an edge can be: in the process, bound by the producer, bound by the
// consumer.
func over(t *testing.T, ways string, test func(e *edge)) {
	for _, way := range strings.Fields(ways) {
		t.Run(way, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := &edge{t: t, net: memnet.New(), side: way}
				e.log = slog.New(slog.NewTextHandler(&e.diary, nil))
				test(e)
			})
		})
	}
}

// place is where a side of the edge is.
func (e *edge) place(side string) Place {
	return Place{Edge: "tasks", Name: "test", Endpoint: "tcp://" + address, Bind: e.side == side,
		Socket: mailbox.Config{Network: e.net, Log: e.log}}
}

// producer opens one that ends with the test.
func (e *edge) producer(cfg Config[[]byte]) *Producer[[]byte] {
	cfg.Log = e.log
	p := NewProducer(cfg)
	if e.side == "near" {
		return p
	}
	w, err := Give(p, e.place(sideGives))
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() { w.Close(ended) })
	return p
}

// worker is a consumer whose handler is do.
type worker struct {
	c    *Consumer[[]byte]
	do   func(d *Delivery[[]byte]) string // what went wrong
	wire *Wire
	mu   sync.Mutex
	all  []string
	over chan struct{} // closed when Take has returned nil
}

// worker opens a consumer, and takes and does what comes until the stream is over or the test ends.
func (e *edge) worker(p *Producer[[]byte], cfg ConsumerConfig, do func(d *Delivery[[]byte]) string) *worker {
	cfg.Returns = e.side != sideTakes
	w := &worker{c: NewConsumer[[]byte](cfg), do: do, over: make(chan struct{})}
	if e.side == "near" {
		Connect(p, w.c)
	} else {
		var err error
		if w.wire, err = Take(w.c, e.place(sideTakes)); err != nil {
			e.t.Fatal(err)
		}
	}
	e.t.Cleanup(w.leave)
	go func() {
		defer close(w.over)
		for d := w.c.Take(context.Background()); d != nil; d = w.c.Take(context.Background()) {
			w.mu.Lock()
			w.all = append(w.all, string(d.Body))
			w.mu.Unlock()
			reason := ""
			if w.do != nil {
				reason = w.do(d)
			}
			if reason != "" {
				d.Fail(reason)
				continue
			}
			d.Finish()
			d.Done()
		}
	}()
	return w
}

// got is the bodies of what came so far.
func (w *worker) got() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.all)
}

// leave ends the worker, at once.
func (w *worker) leave() {
	w.c.Stop()
	if w.wire != nil {
		w.wire.Close(ended)
	}
	w.c.Close()
	<-w.over
}

// send sends tasks whose bodies are the numbers from first to last.
func (e *edge) send(p *Producer[[]byte], s *stream, first, last int) {
	e.t.Helper()
	for i := first; i <= last; i++ {
		body := fmt.Append(nil, i)
		if err := p.Send(context.Background(), s.ID(), "", body, len(body), s); err != nil {
			e.t.Fatal(err)
		}
	}
}

// numbers are the texts of those from first to last.
func numbers(first, last int) (texts []string) {
	for i := first; i <= last; i++ {
		texts = append(texts, fmt.Sprint(i))
	}
	return texts
}

// sleep is a handler whose tasks say how many milliseconds they take.
func sleep(d *Delivery[[]byte]) string {
	var ms int
	fmt.Sscan(string(d.Body), &ms)
	time.Sleep(time.Duration(ms) * time.Millisecond)
	return ""
}

const everyWay = "near gives takes"

// pass lets time pass, until nothing happens any more.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
