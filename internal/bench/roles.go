package bench

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
	"time"

	"github.com/troupe-go/troupe/internal/bench/contest"
)

// link is a socket of one of the sides in Go, as the roles use it.
type link interface {
	// Send sends msg, which is the caller's again.
	Send(msg []byte) error
	// Flush is called after the last message before the sender waits for something.
	Flush() error
	// Recv returns the next message, which is the caller's.
	Recv() ([]byte, error)
	// Dropped returns how many messages were dropped so far.
	Dropped() int
}

// worker is one socket's goroutine.
type worker struct{ *contest.Worker }

// bytes is the size of messages.
func (w worker) bytes() int {
	n, err := strconv.Atoi(w.Size)
	if err != nil {
		return len("10001 -80 59") // weather: at most
	}
	return n
}

// between is a side in Go: bind opens a link where others connect, connect one that does.
func between(name string, bind, connect func(contest.Spec) (link, error)) contest.Side {
	return contest.Side{
		Name: name,
		Bind: func(w *contest.Worker) error {
			l, err := bind(w.Spec)
			if err != nil {
				return err
			}
			return worker{w}.binder(l)
		},
		Connect: func(w *contest.Worker) error {
			l, err := connect(w.Spec)
			if err != nil {
				return err
			}
			return worker{w}.connecter(l)
		},
	}
}

// binder does rounds where others connect. It returns only to fail.
func (w worker) binder(l link) error {
	switch w.Pattern {
	case "push-pull":
		return w.sink(l)
	case "req-rep":
		return w.server(l)
	case "pub-sub-filter":
		return w.station(l)
	}
	return w.source(l)
}

// connecter is binder for the other end.
func (w worker) connecter(l link) error {
	switch w.Pattern {
	case "push-pull":
		return w.source(l)
	case "req-rep":
		return w.client(l)
	case "pub-sub-filter":
		return w.watcher(l)
	}
	return w.sink(l)
}

// source sends numbered messages.
func (w worker) source(l link) error {
	msg := make([]byte, w.bytes())
	for n := range w.Rounds {
		for i := range n {
			binary.NativeEndian.PutUint64(msg, uint64(i))
			if err := l.Send(msg); err != nil {
				return err
			}
		}
		if err := l.Flush(); err != nil {
			return err
		}
		w.Did(n, 0, 0)
	}
	return nil
}

// sink receives them and measures from the first to the last.
func (w worker) sink(l link) error {
	size := w.bytes()
	for n := range w.Rounds {
		var start time.Time
		for i := range n {
			if err := w.receive(l, i, size); err != nil {
				return err
			}
			if i == 0 {
				start = time.Now()
			}
		}
		w.Did(n-1, time.Since(start), 0)
	}
	return nil
}

// receive fails unless the next message is the i-th of its round, and of size bytes.
func (w worker) receive(l link, i, size int) error {
	msg, err := l.Recv()
	if err != nil {
		return err
	}
	if len(msg) != size || binary.NativeEndian.Uint64(msg) != uint64(i) {
		return fmt.Errorf("another message came in the place of number %d", i)
	}
	return nil
}

// client measures round trips.
func (w worker) client(l link) error {
	msg := make([]byte, w.bytes())
	for n := range w.Rounds {
		start := time.Now()
		for i := range n {
			binary.NativeEndian.PutUint64(msg, uint64(i))
			if err := l.Send(msg); err != nil {
				return err
			}
			if err := l.Flush(); err != nil {
				return err
			}
			if err := w.receive(l, i, len(msg)); err != nil {
				return err
			}
		}
		w.Did(n, time.Since(start), 0)
	}
	return nil
}

// server sends back what it receives.
func (w worker) server(l link) error {
	for n := range w.Rounds {
		for range n {
			msg, err := l.Recv()
			if err != nil {
				return err
			}
			if err := l.Send(msg); err != nil {
				return err
			}
			if err := l.Flush(); err != nil {
				return err
			}
		}
		w.Did(n, 0, 0)
	}
	return nil
}

// topic is what the watcher subscribes to, and end, which starts with it, what the station publishes after a round.
var (
	topic = []byte("10001 ")
	end   = append(bytes.Clone(topic), "end"...)
)

const topicZip = 10001

// station publishes the weather everywhere, and measures how long that takes.
func (w worker) station(l link) error {
	random := uint64(88172645463325252)
	var buf []byte
	for n := range w.Rounds {
		hits, dropped := 0, l.Dropped()
		start := time.Now()
		for range n {
			var zip int
			buf, zip = weather(buf[:0], &random)
			if zip == topicZip {
				hits++
			}
			if err := l.Send(buf); err != nil {
				return err
			}
		}
		took := time.Since(start)
		hits -= l.Dropped() - dropped
		if err := l.Send(end); err != nil {
			return err
		}
		if err := l.Flush(); err != nil {
			return err
		}
		w.Did(n, took, hits)
	}
	return nil
}

// watcher counts the updates of its place until the end of the round.
func (w worker) watcher(l link) error {
	for range w.Rounds {
		for hits := 0; ; hits++ {
			msg, err := l.Recv()
			if err != nil {
				return err
			}
			if bytes.Equal(msg, end) {
				w.Did(hits, 0, hits)
				break
			}
			if !bytes.HasPrefix(msg, topic) {
				return fmt.Errorf("%q came, which nobody subscribed to", msg)
			}
		}
	}
	return nil
}
