package topology

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
)

// Main is a program's whole main: it defines the topology's flags (see [Topology.Flags]) beside the program's own on
// flag.CommandLine, parses the command line, runs the topology and ends the process; it doesn't return. The program must
// not have called flag.Parse; the values of its own flags are there when its roles run. Logs go to standard error as
// slog's text, from the level on that -log says (default warn); a run goes on when nobody reads them any more. At the end
// a line of text says what each role has done. On a terminal another, drawn over itself, says how far the stream of a
// source is.
//
// SIGINT (ctrl-C), SIGTERM and SIGHUP (a closed terminal; not under nohup) end the run, which takes at most a second, and
// Options.Drain more if tasks are under way; a second signal ends the process at once. The exit status is
//
//	0    all clients here are done, or a process that only serves was told to end
//	1    an error, which is logged
//	2    bad flags
//	129  SIGHUP while clients were at work
//	130  SIGINT while clients were at work
//	143  SIGTERM while clients were at work
func Main(t *Topology) {
	o := t.Flags(flag.CommandLine)
	flag.Parse() // exits with 2, or with 0 after -help
	log := stderr()
	var w io.Writer = log
	if isTerminal(log) && !isChild() {
		o.progress = &progress{terminal: log}
		w = o.progress
	}
	o.Log, o.summary = slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: o.level})), w
	if o.drawing != "" {
		os.Exit(status(t.draw(*o), o.Log))
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	var dir atomic.Pointer[string]
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // as nohup has it
		signal.Notify(signals, syscall.SIGHUP)
	}
	go interrupts(signals, cancel, isChild(), func() {
		if dir := dir.Load(); dir != nil {
			os.RemoveAll(*dir)
		}
	})
	err := t.run(ctx, *o, func(made string) { dir.Store(&made) })
	os.Exit(status(err, o.Log))
}

// interrupted is the cause of a context that a signal ended.
type interrupted struct{ signal syscall.Signal }

func (i interrupted) Error() string { return i.signal.String() }

// status is the exit status that follows from what Run returned.
func status(err error, log *slog.Logger) int {
	var i interrupted
	switch {
	case err == nil:
		return 0
	case errors.Is(err, ErrOptions) && !errors.Is(err, ErrDeclared):
		fmt.Fprintln(flag.CommandLine.Output(), err)
		return 2
	case errors.As(err, &i):
		log.Info("ended", "err", err)
		return 128 + int(i.signal)
	case errors.Is(err, errStart):
		log.Error("can't start", "err", err)
	default:
		log.Error("failed", "err", err)
	}
	return 1
}

// interrupts cancels at the first signal, and cleans up and ends the process at the second. A terminal's ctrl-C
// and its end reach a child as they do its parent, who then tells the child what to do: the child itself takes no notice.
func interrupts(signals <-chan os.Signal, cancel context.CancelCauseFunc, child bool, cleanUp func()) {
	for first := true; ; {
		s := (<-signals).(syscall.Signal)
		switch {
		case child && s != syscall.SIGTERM:
		case first:
			first = false
			cancel(interrupted{s})
		default:
			cleanUp()
			os.Exit(128 + int(s))
		}
	}
}
