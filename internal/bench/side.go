package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// side is the running children of one side of a case.
type side struct {
	spec
	name      string
	processes []*process
	workers   int
	said      chan string
	count     int      // messages in a round; 0 before the first
	figures   []figure // measured and not yet reported
	err       error    // why there are none
}

// startSide starts the children. Whatever fails is in err.
func startSide(name string, s spec, transport string) *side {
	d := &side{spec: s, name: name, workers: 1 + s.subscribers, said: make(chan string, 64)}
	d.err = d.start(transport)
	return d
}

func (d *side) start(transport string) error {
	d.endpoint = map[string]string{
		"inproc": "inproc://bench",
		"ipc":    "ipc://" + filepath.Join(scratch, d.name+".sock"),
		"tcp":    "tcp://127.0.0.1:*",
	}[transport]
	if transport == "inproc" {
		return d.child("both")
	}
	os.Remove(strings.TrimPrefix(d.endpoint, "ipc://"))
	if err := d.child("bind"); err != nil {
		return err
	}
	return d.child("connect")
}

// child starts one that does part of the work: bind, connect or both.
func (d *side) child(part string) error {
	p, err := startProcess(d.name, d.said, d.pattern, d.size, part, d.endpoint, strconv.Itoa(d.subscribers))
	if err != nil {
		return err
	}
	d.processes = append(d.processes, p)
	if part == "connect" {
		return nil
	}
	words, err := listen(d.said, "bound", time.After(deadline))
	if err == nil {
		d.endpoint = words[0]
	}
	return err
}

// stop ends the children, those that connected first: they would try again otherwise.
func (d *side) stop() {
	for _, p := range slices.Backward(d.processes) {
		p.stop()
	}
}

// round moves n messages. The figure is that of the slowest of those that measure.
func (d *side) round(n int) (slowest figure, err error) {
	for _, p := range d.processes {
		if _, err := fmt.Fprintln(p.stdin, n); err != nil {
			return slowest, fmt.Errorf("%s: a process ended: %w", d.name, err)
		}
	}
	timeout := time.After(deadline)
	var published, received int // of the watched place
	for done := range d.workers {
		words, err := listen(d.said, "did", timeout)
		if err != nil {
			return slowest, fmt.Errorf("%s, a round of %d messages, done by %d of %d sockets: %w", d.name, n, done, d.workers, err)
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
			d.name, published, received)
	}
	return slowest, nil
}
