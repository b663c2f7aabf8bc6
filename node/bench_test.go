package node

import (
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/troupe-go/troupe/actor"
)

// Two nodes in this process, over loopback tcp: what both ends of a link cost together.

type quote struct {
	Symbol string
	Price  float64
	At     int64
	Venue  string
}

func BenchmarkLink(b *testing.B) {
	b.Run("tell-bytes", func(b *testing.B) { benchmarkTell(b, make([]byte, 100)) })
	b.Run("tell-struct", func(b *testing.B) {
		benchmarkTell(b, quote{"TROUPE-CLASS-A-COMMON-STOCK", 12.5, 1764460800000000000, "exchange"})
	})
	b.Run("ask", func(b *testing.B) {
		alpha, beta := benchmarkPair(b)
		_, err := actor.Spawn(beta, "echo", func(c *actor.Context, m []byte) error { return c.Reply(m) })
		if err != nil {
			b.Fatal(err)
		}
		echo, m := actor.RefTo[[]byte](actor.Named("echo@beta")), make([]byte, 100)
		for b.Loop() {
			if _, err := echo.Ask(b.Context(), alpha, m); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("bulk", func(b *testing.B) {
		b.SetBytes(1 << 20)
		benchmarkTell(b, make([]byte, 1<<20))
	})
}

func benchmarkPair(b *testing.B) (alpha, beta *Node) {
	b.Helper()
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	beta, err := Start(b.Context(), Config{Name: "beta", Listen: []string{"tcp://127.0.0.1:0"}, Log: quiet})
	if err != nil {
		b.Fatal(err)
	}
	alpha, err = Start(b.Context(), Config{Name: "alpha", Log: quiet, Wait: time.Minute,
		Peers: map[string]string{"beta": beta.Endpoints()[0].String()}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		alpha.Close(ended())
		beta.Close(ended())
	})
	return alpha, beta
}

func benchmarkTell[M any](b *testing.B, m M) {
	alpha, beta := benchmarkPair(b)
	done, n, want := make(chan struct{}), 0, b.N
	_, err := actor.Spawn(beta, "sink", func(c *actor.Context, m M) error {
		if n++; n == want {
			close(done)
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	sink := actor.RefTo[M](actor.Named("sink@beta"))
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		if err := sink.Tell(alpha, m); err != nil {
			b.Fatal(err)
		}
	}
	<-done
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
}
