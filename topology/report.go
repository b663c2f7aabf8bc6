package topology

import (
	"bufio"
	"io"
	"os"
	"time"
)

// report is how a child process tells its parent its news, line by line: an empty one once all that its role needs is
// open, then what it has done so far, whenever that has changed.
type report struct {
	pipe    *os.File
	tallies *tallies
	last    string
	over    chan struct{}
	gone    chan struct{}
}

// reportEvery is how often a child looks whether there is something to tell.
const reportEvery = 100 * time.Millisecond

// begin tells that all is open.
func (r *report) begin() {
	io.WriteString(r.pipe, "\n")
	r.over, r.gone = make(chan struct{}), make(chan struct{})
	go func() {
		defer close(r.gone)
		ticks := time.NewTicker(reportEvery)
		defer ticks.Stop()
		for {
			select {
			case <-r.over:
				r.tell()
				return
			case <-ticks.C:
				r.tell()
			}
		}
	}()
}

// tell writes what the one instance of a child has done.
func (r *report) tell() {
	r.tallies.mu.Lock()
	line := r.tallies.all[0].line()
	r.tallies.mu.Unlock()
	if line != r.last {
		r.last = line
		io.WriteString(r.pipe, line+"\n")
	}
}

// end tells the rest.
func (r *report) end() {
	if r.over != nil {
		close(r.over)
		<-r.gone
	}
	r.pipe.Close()
}

// hear reads a child's report until it ends: it calls started at the first line, and keeps t as the child's own tally is.
func hear(news io.Reader, t *tally, started func()) (up bool) {
	for lines := bufio.NewScanner(news); lines.Scan(); {
		if !up {
			up = true
			started()
			continue
		}
		t.read(lines.Text())
	}
	return up
}
