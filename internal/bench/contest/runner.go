package contest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// runner is the running children of one side of a case.
type runner struct {
	Spec
	side      Side
	processes []*process
	workers   int
	said      chan string
	count     int      // messages in a round; 0 before the first
	figures   []figure // measured and not yet reported
	err       error    // why there are none
}

// startRunner starts the children. Whatever fails is in err.
func startRunner(side Side, s Spec, transport string) *runner {
	r := &runner{Spec: s, side: side, workers: 1 + s.Subscribers, said: make(chan string, 64)}
	r.err = r.start(transport)
	return r
}

func (r *runner) start(transport string) error {
	r.Endpoint = map[string]string{
		"inproc": "inproc://bench",
		"ipc":    "ipc://" + filepath.Join(Scratch, r.side.Name+".sock"),
		"tcp":    "tcp://127.0.0.1:*",
	}[transport]
	if transport == "inproc" {
		return r.child("both")
	}
	os.Remove(strings.TrimPrefix(r.Endpoint, "ipc://"))
	if err := r.child("bind"); err != nil {
		return err
	}
	return r.child("connect")
}

// child starts one that does part of the work: bind, connect or both.
func (r *runner) child(part string) error {
	p, err := startProcess(r.side, r.said, r.Pattern, r.Size, part, r.Endpoint, strconv.Itoa(r.Subscribers))
	if err != nil {
		return err
	}
	r.processes = append(r.processes, p)
	if part == "connect" {
		return nil
	}
	words, err := listen(r.said, "bound", time.After(deadline))
	if err == nil {
		r.Endpoint = words[0]
	}
	return err
}

// stop ends the children, those that connected first: they would try again otherwise.
func (r *runner) stop() {
	for _, p := range slices.Backward(r.processes) {
		p.stop()
	}
}

// round moves n messages. The figure is that of the slowest of those that measure.
func (r *runner) round(n int) (slowest figure, err error) {
	for _, p := range r.processes {
		if _, err := fmt.Fprintln(p.stdin, n); err != nil {
			return slowest, fmt.Errorf("%s: a process ended: %w", r.side.Name, err)
		}
	}
	timeout := time.After(deadline)
	var published, received int // of the watched place
	for done := range r.workers {
		words, err := listen(r.said, "did", timeout)
		if err != nil {
			return slowest, fmt.Errorf("%s, a round of %d messages, done by %d of %d workers: %w", r.side.Name, n, done, r.workers, err)
		}
		count, ns, hits, err := numbers(words)
		if err != nil {
			return slowest, err
		}
		if took := time.Duration(ns); took > slowest.took {
			slowest = figure{count, took}
		}
		if ns > 0 {
			published += hits
		} else {
			received += hits
		}
	}
	if published != received {
		return slowest, fmt.Errorf("%s: of the watched place %d updates were published and not dropped, and %d received",
			r.side.Name, published, received)
	}
	return slowest, nil
}
