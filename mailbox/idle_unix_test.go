//go:build unix

package mailbox

import (
	"context"
	"errors"
	"sync"
	"syscall"
	"testing"
	"time"
)

// C07: when the context of calls that wait ends, they return soon, and what is left of it all needs no processor.
func TestNothingSpinsWhenContextsHaveEnded(t *testing.T) {
	for _, tr := range transports {
		t.Run(tr.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			var waiting sync.WaitGroup
			for _, pair := range [][2]SocketType{{Pull, Push}, {Rep, Req}, {Router, Dealer}, {Pair, Pair}} {
				server, client := open(t, pair[0], Config{}), open(t, pair[1], Config{})
				connect(t, client, bind(t, server, tr.endpoint(t)))
				send(t, client, "before")
				recv(t, server)
				for range 3 {
					waiting.Go(func() {
						if _, err := server.Recv(ctx); !errors.Is(err, context.Canceled) && !errors.Is(err, ErrState) {
							t.Errorf("%s: %v", server.Type(), err)
						}
					})
				}
			}
			alone := open(t, Push, Config{})
			connect(t, alone, "inproc://nobody-at-"+t.Name())
			for range alone.cfg.SendHWM {
				send(t, alone, "x")
			}
			waiting.Go(func() {
				if err := alone.Send(ctx, []byte("x")); !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			})
			cancel()
			began := time.Now()
			waiting.Wait()
			if d := time.Since(began); d > time.Second {
				t.Errorf("they returned after %v", d)
			}
			var used time.Duration
			for range 5 { // other things happen in a process, once in a while
				before := processorTime(t)
				time.Sleep(300 * time.Millisecond) // what is measured
				if used = processorTime(t) - before; used < 8*time.Millisecond {
					return
				}
			}
			t.Errorf("idle sockets used %v in 300 ms", used)
		})
	}
}

func processorTime(t *testing.T) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
