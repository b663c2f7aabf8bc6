package nodes

import (
	"fmt"

	"github.com/troupe-go/troupe/internal/bench/contest"
)

// work is what a case is about.
type work struct {
	name    string
	size    int // of a message, in bytes
	unit    string
	tells   cargo // nil: it is about asks
	pairs   int   // of senders and receivers
	lot     int   // messages after which the sender is told that they are handled; a power of two
	clients int   // of asks
}

const million = 1_000_000

var works = []work{
	{name: "tell-struct-1to1", size: 100, unit: "msg/s", tells: quotes, pairs: 1, lot: smallLot},
	{name: "tell-struct-4to4", size: 100, unit: "msg/s", tells: quotes, pairs: 4, lot: smallLot},
	{name: "tell-own-1to1", size: 100, unit: "msg/s", tells: ownQuotes, pairs: 1, lot: smallLot},
	{name: "tell-bytes-1to1", size: 100, unit: "msg/s", tells: byteSlices(100), pairs: 1, lot: smallLot},
	{name: "ask-1", size: 100, unit: "msg/s", clients: 1},
	{name: "ask-64", size: 100, unit: "msg/s", clients: 64},
	{name: "bulk-1MB", size: million, unit: "MB/s", tells: byteSlices(million), pairs: 1, lot: bulkLot},
}

const (
	smallLot = 8192
	bulkLot  = 4
	ahead    = 4 // lots that a sender may be ahead
)

// worker is one end of a case.
type worker struct {
	*contest.Worker
	work
}

// side is contest.Side for the ends of a case.
func side(name string, bind, connect func(worker) error) contest.Side {
	return contest.Side{Name: name, Bind: with(bind), Connect: with(connect)}
}

func with(end func(worker) error) func(*contest.Worker) error {
	return func(w *contest.Worker) error {
		for _, job := range works {
			if job.name == w.Pattern {
				return end(worker{w, job})
			}
		}
		return fmt.Errorf("there is no %q", w.Pattern)
	}
}

// each runs do for each of n, at the same time, and returns the first error.
func each(n int, do func(i int) error) error {
	errs := make(chan error, n)
	for i := range n {
		go func() { errs <- do(i) }()
	}
	for range n {
		if err := <-errs; err != nil {
			return err
		}
	}
	return nil
}
