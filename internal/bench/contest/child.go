package contest

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A child is a process of one side, run with
//
//	PATTERN SIZE (bind|connect|both) ENDPOINT SUBSCRIBERS
//
// It has a worker for each end: one that binds ENDPOINT, or SUBSCRIBERS that connect to it (one, if the pattern is not
// pub-sub), or both. On its standard output "bound ENDPOINT" says where a connection is possible. For each count on its
// standard input every worker does a round of so many messages and then says "did MESSAGES NANOSECONDS HITS": how many it
// measured, how long they took (0 if others measure), and how many updates of the watched place it published or received.
// "failed REASON" is the last that it says. It ends when its standard input does, so with its parent too.

// Environment variables.
const (
	envChild   = "TROUPE_BENCH_CHILD"   // the side that a child is of
	envProfile = "TROUPE_BENCH_PROFILE" // a directory
)

// Troupe is the name of the side that writes profiles.
const Troupe = "troupe"

// Spec is what a case and a child of it are about.
type Spec struct {
	Pattern, Size string
	Endpoint      string // set for children
	Subscribers   int    // how many workers connect
}

// Worker is one end's goroutine, in a child.
type Worker struct {
	Spec
	Rounds chan int // how many messages the next round has; each ends with a call of Did
}

// Did says that a round is over: messages were measured, and took so long; 0 if the other end measures. hits are the
// updates of the watched place.
func (w *Worker) Did(messages int, took time.Duration, hits int) {
	say("did %d %d %d", messages, took.Nanoseconds(), hits)
}

// Bound says where the other end can connect. A worker's Bind calls it once.
func Bound(endpoint string) { say("bound %s", endpoint) }

// Fail ends the child, and with it the case, because of err.
func Fail(err error) {
	say("failed %s", strings.ReplaceAll(err.Error(), "\n", " "))
	os.Exit(1)
}

var saying sync.Mutex

func say(format string, args ...any) {
	saying.Lock()
	defer saying.Unlock()
	fmt.Fprintf(os.Stdout, format+"\n", args...)
}

// child runs this process as a child of side.
func child(side Side, args []string) {
	if len(args) != 5 {
		Fail(fmt.Errorf("arguments: %q", args))
	}
	subscribers, err := strconv.Atoi(args[4])
	if err != nil {
		Fail(err)
	}
	s := Spec{Pattern: args[0], Size: args[1], Endpoint: args[3], Subscribers: subscribers}
	if dir := os.Getenv(envProfile); dir != "" && side.Name == Troupe {
		defer profile(filepath.Join(dir, fmt.Sprintf("%s-%s-%s-%s.pprof",
			s.Pattern, strings.SplitN(s.Endpoint, ":", 2)[0], s.Size, args[2])))()
	}
	var workers []*Worker
	start := func(work func(*Worker) error) {
		w := &Worker{Spec: s, Rounds: make(chan int, 1)}
		workers = append(workers, w)
		go func() { Fail(work(w)) }()
	}
	if args[2] != "connect" {
		start(side.Bind)
	}
	if args[2] != "bind" {
		for range s.Subscribers {
			start(side.Connect)
		}
	}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		n, err := strconv.Atoi(in.Text())
		if err != nil {
			Fail(err)
		}
		for _, w := range workers {
			w.Rounds <- n
		}
	}
}

// profile writes a CPU profile until the function that it returns is called.
func profile(file string) func() {
	f, err := os.Create(file)
	if err != nil {
		Fail(err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		Fail(err)
	}
	return func() {
		pprof.StopCPUProfile()
		f.Close()
	}
}
