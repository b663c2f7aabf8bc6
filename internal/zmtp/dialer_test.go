package zmtp

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/internal/memnet"
)

func TestDialerConnectsToAListenerThatAppearsLater(t *testing.T) {
	for _, network := range []string{"tcp", "unix", "inproc"} {
		synctest.Test(t, func(t *testing.T) {
			var book logbook
			cfg := config(memnet.New(), &book)
			start := time.Now()
			connected := make(chan time.Duration, 1)
			d := Dial(cfg, network, "a:1", func(c *Conn) {
				connected <- time.Since(start)
				idle(c)
			})
			time.Sleep(10 * time.Second)
			l := listen(t, cfg, network, "a:1", idle)
			if took := <-connected; took > 15*time.Second || network == "inproc" && took != 10*time.Second {
				t.Errorf("%s: connected after %v", network, took)
			}
			d.Close()
			l.Close()
			if got := book.with("INFO", "connected"); len(got) != 1 {
				t.Error(network, book.with())
			}
			if got := book.with("WARN", "cannot connect", "refused"); (len(got) == 1) != (network != "inproc") {
				t.Error(network, book.with())
			}
		})
	}
}

func TestDialerConnectsAgainAfterTheConnectionIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var book logbook
		n := memnet.New()
		cfg := config(n, &book)
		l := listen(t, cfg, "tcp", "a:1", idle)
		connected := make(chan time.Time)
		d := Dial(cfg, "tcp", "a:1", func(c *Conn) {
			connected <- time.Now()
			idle(c)
		})
		<-connected
		for range 3 {
			time.Sleep(time.Minute)
			cut := time.Now()
			n.Cut("a:1")
			if pause := (<-connected).Sub(cut); pause < defaultBackoffMin || pause > 2*defaultBackoffMin {
				t.Error(pause)
			}
		}
		d.Close()
		l.Close()
		if lost, again := book.with("INFO", "lost", "reset"), book.with("INFO", "connected"); len(lost) != 3 || len(again) != 4 {
			t.Error(book.with())
		}
	})
}

func TestBackoffDoublesBetweenItsBounds(t *testing.T) {
	const low, high = 100 * time.Millisecond, 5 * time.Second
	for failed, bounds := range [][2]time.Duration{
		{low, 2 * low}, {2 * low, 4 * low}, {4 * low, 8 * low}, {8 * low, 16 * low}, {16 * low, 32 * low},
		{high / 2, high}, {high / 2, high},
	} {
		seen := make(map[time.Duration]bool)
		for range 1000 {
			d := backoff(failed, low, high)
			if d < bounds[0] || d > bounds[1] {
				t.Fatalf("%v after %d failures", d, failed)
			}
			seen[d] = true
		}
		if len(seen) < 500 {
			t.Errorf("only %d different pauses", len(seen))
		}
	}
	if d := backoff(1<<30, low, high); d < high/2 || d > high {
		t.Error(d)
	}
	if d := backoff(5, low, low); d != low {
		t.Error(d)
	}
	if d := backoff(70, 1<<62, 1<<63-1); d < 1<<62 {
		t.Error(d)
	}
}

// dead is a network on which nobody can be reached. It notes when that was tried.
type dead struct {
	memnet.Network
	mu    sync.Mutex
	tried []time.Time
}

func (d *dead) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tried = append(d.tried, time.Now())
	return nil, syscall.EHOSTUNREACH
}

// C26: one line for an outage, however long.
func TestLongOutageIsTriedWithinTheBoundsAndLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var book logbook
		n := new(dead)
		cfg := config(n, &book)
		cfg.BackoffMin, cfg.BackoffMax = time.Second, 8*time.Second
		d := Dial(cfg, "tcp", "a:1", idle)
		time.Sleep(time.Hour)
		d.Close()
		for i := 1; i < len(n.tried); i++ {
			if pause := n.tried[i].Sub(n.tried[i-1]); pause < time.Second || pause > 8*time.Second || i > 3 && pause < 4*time.Second {
				t.Fatalf("pause %d is %v", i, pause)
			}
		}
		if n := len(n.tried); n < 450 || n > 905 {
			t.Error(n, "attempts in an hour")
		}
		if len(book.with()) != 1 || len(book.with("WARN", "cannot connect", "no route")) != 1 {
			t.Error(book.with())
		}
	})
}

func TestPeerThatEndsEachConnectionAtOnceIsNotDialledInAHurry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var book, other logbook
		n := memnet.New()
		var count atomic.Int32
		var stay atomic.Bool
		l := listen(t, config(n, &other), "tcp", "a:1", func(c *Conn) {
			count.Add(1)
			if stay.Load() {
				idle(c)
			}
		})
		d := Dial(config(n, &book), "tcp", "a:1", idle)
		time.Sleep(time.Minute)
		if n := count.Load(); n > 30 {
			t.Error(n, "connections in a minute")
		}
		if len(book.with()) != 4 || len(book.with("INFO")) != 3 || len(book.with("WARN", "ended at once")) != 1 {
			t.Error(book.with())
		}
		stay.Store(true)
		time.Sleep(10 * time.Second)
		if len(book.with()) != 5 || len(book.with("INFO", "connected")) != 3 {
			t.Error(book.with())
		}
		d.Close()
		l.Close()
	})
}

func TestDialerCloseInterruptsWhateverIsUnderWay(t *testing.T) {
	for name, network := range map[string]string{"pause": "tcp", "bind": "inproc", "handshake": "unix", "connection": "tcp"} {
		synctest.Test(t, func(t *testing.T) {
			var book logbook
			n := memnet.New()
			cfg := config(n, &book)
			switch name {
			case "handshake": // with somebody who says nothing
				l, err := n.Listen(t.Context(), network, "a:1")
				if err != nil {
					t.Fatal(err)
				}
				defer l.Close()
			case "connection":
				defer listen(t, cfg, network, "a:1", idle).Close()
			}
			d := Dial(cfg, network, "a:1", idle)
			time.Sleep(time.Second)
			start := time.Now()
			d.Close()
			if took := time.Since(start); took != 0 {
				t.Errorf("%s: Close took %v", name, took)
			}
			d.Close() // once more is fine
		})
	}
}

func TestSilentListenerEndsAnAttemptAfterTheHandshakeTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var book logbook
		n := memnet.New()
		cfg := config(n, &book)
		cfg.Handshake = 3 * time.Second
		l, err := n.Listen(t.Context(), "tcp", "a:1")
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		d := Dial(cfg, "tcp", "a:1", idle)
		var at []time.Duration
		for range 2 {
			nc, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer nc.Close()
			at = append(at, time.Since(start))
		}
		if gap := at[1] - at[0]; gap < 3*time.Second || gap > 3*time.Second+2*defaultBackoffMin {
			t.Error(gap)
		}
		d.Close()
		l.Close()
	})
}

// The peer closes its end because it was asked to: it is not lost, and not dialled again.
func TestAGoodbyeIsNoLossInTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var book logbook
		cfg := config(memnet.New(), &book)
		l := listen(t, cfg, "tcp", "a:1", idle)
		for _, age := range []time.Duration{0, time.Minute} {
			connected := make(chan *Conn)
			d := Dial(cfg, "tcp", "a:1", func(c *Conn) {
				connected <- c
				idle(c)
			})
			c := <-connected
			time.Sleep(age)
			d.Rest()
			c.CloseWrite()
			synctest.Wait()
			d.Close()
		}
		l.Close()
		if got := book.with("lost"); len(got) > 0 {
			t.Error(got)
		}
		if got := book.with("trying again"); len(got) > 0 {
			t.Error(got)
		}
	})
}
