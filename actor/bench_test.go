package actor_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/troupe-go/troupe/actor"
)

type point struct{ x, y uint64 }

func benchSystem(b *testing.B) *actor.System {
	s, err := actor.NewSystem(actor.Config{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			b.Error(err)
		}
	})
	return s
}

func perSecond(b *testing.B, messages int) {
	b.ReportMetric(float64(messages)/b.Elapsed().Seconds(), "msg/s")
}

// BenchmarkTell is timed until the last message has been handled.
func BenchmarkTell(b *testing.B) {
	b.Run("1to1", func(b *testing.B) {
		b.ReportAllocs()
		s := benchSystem(b)
		done := make(chan struct{})
		n := 0
		ref, err := actor.Spawn(s, "", func(c *actor.Context, p point) error {
			if n++; n == b.N {
				close(done)
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
		b.ResetTimer()
		for i := range b.N {
			if err := ref.Tell(s, point{uint64(i), 1}); err != nil {
				b.Fatal(err)
			}
		}
		<-done
		b.StopTimer()
		perSecond(b, b.N)
	})
}

// BenchmarkAsk asks from outside, one client after the other reply.
func BenchmarkAsk(b *testing.B) {
	b.Run("1", func(b *testing.B) {
		b.ReportAllocs()
		s := benchSystem(b)
		ref, err := actor.Spawn(s, "", func(c *actor.Context, p point) error { return c.Reply(p) })
		if err != nil {
			b.Fatal(err)
		}
		ctx := context.Background()
		b.ResetTimer()
		for i := range b.N {
			p, err := actor.As[point](ref.Ask(ctx, s, point{uint64(i), 1}))
			if err != nil || p.x != uint64(i) {
				b.Fatal(p, err)
			}
		}
		b.StopTimer()
		perSecond(b, b.N)
	})
}

// BenchmarkPingPong counts round trips between two actors.
func BenchmarkPingPong(b *testing.B) {
	b.ReportAllocs()
	s := benchSystem(b)
	done := make(chan struct{})
	pong, err := actor.Spawn(s, "", func(c *actor.Context, back actor.Ref[point]) error {
		return back.Tell(c, point{1, 2})
	})
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	ping, err := actor.Spawn(s, "", func(c *actor.Context, p point) error {
		if n++; n > b.N {
			close(done)
			return nil
		}
		return pong.Tell(c, actor.RefTo[point](c.Self()))
	})
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	if err := ping.Tell(s, point{}); err != nil {
		b.Fatal(err)
	}
	<-done
	b.StopTimer()
	perSecond(b, b.N)
}
