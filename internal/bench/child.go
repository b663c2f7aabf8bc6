package bench

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
// It has a worker for each socket: one that binds ENDPOINT, or SUBSCRIBERS that connect to it (one, if the pattern is not
// pub-sub), or both. On its standard output "bound ENDPOINT" says where a connection is possible. For each count on its
// standard input every worker does a round of so many messages and then says "did MESSAGES NANOSECONDS HITS": how many it
// measured, how long they took (0 if others measure), and how many updates of the watched place it published or received.
// "failed REASON" is the last that it says. It ends when its standard input does, so with its parent too.

// Environment variables.
const (
	envChild   = "TROUPE_BENCH_CHILD"   // the side that a child is of
	envProfile = "TROUPE_BENCH_PROFILE" // a directory
)

// spec is what a case and a child of it are about.
type spec struct {
	pattern, size string
	endpoint      string
	subscribers   int
}

// bytes is the size of messages.
func (s spec) bytes() int {
	n, err := strconv.Atoi(s.size)
	if err != nil {
		return len("10001 -80 59") // weather: at most
	}
	return n
}

// worker is one socket's goroutine.
type worker struct {
	spec
	rounds chan int
}

func (w *worker) did(messages int, took time.Duration, hits int) {
	say("did %d %d %d", messages, took.Nanoseconds(), hits)
}

var saying sync.Mutex

func say(format string, args ...any) {
	saying.Lock()
	defer saying.Unlock()
	fmt.Fprintf(os.Stdout, format+"\n", args...)
}

func fail(err error) {
	say("failed %s", strings.ReplaceAll(err.Error(), "\n", " "))
	os.Exit(1)
}

// child runs this process as a child of side.
func child(side string, args []string) {
	if len(args) != 5 {
		fail(fmt.Errorf("arguments: %q", args))
	}
	subscribers, err := strconv.Atoi(args[4])
	if err != nil {
		fail(err)
	}
	s := spec{pattern: args[0], size: args[1], endpoint: args[3], subscribers: subscribers}
	if dir := os.Getenv(envProfile); dir != "" && side == troupeSide {
		defer profile(filepath.Join(dir, fmt.Sprintf("%s-%s-%s-%s.pprof",
			s.pattern, strings.SplitN(s.endpoint, ":", 2)[0], s.size, args[2])))()
	}
	bind, connect := troupeBind, troupeConnect
	if side == rawSide {
		bind, connect = rawBind, rawConnect
	}
	var workers []*worker
	start := func(work func(*worker) error) {
		w := &worker{spec: s, rounds: make(chan int, 1)}
		workers = append(workers, w)
		go func() { fail(work(w)) }()
	}
	if args[2] != "connect" {
		start(func(w *worker) error { return w.binder(bind) })
	}
	if args[2] != "bind" {
		for range s.subscribers {
			start(func(w *worker) error { return w.connecter(connect) })
		}
	}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		n, err := strconv.Atoi(in.Text())
		if err != nil {
			fail(err)
		}
		for _, w := range workers {
			w.rounds <- n
		}
	}
}

// profile writes a CPU profile until the function that it returns is called.
func profile(file string) func() {
	f, err := os.Create(file)
	if err != nil {
		fail(err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		fail(err)
	}
	return func() {
		pprof.StopCPUProfile()
		f.Close()
	}
}
