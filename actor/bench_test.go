package actor_test

import (
	"context"
	"log/slog"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
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

func benchSpawn[M any](b *testing.B, s *actor.System, f func(*actor.Context, M) error) actor.Ref[M] {
	ref, err := actor.Spawn(s, "", f)
	if err != nil {
		b.Fatal(err)
	}
	return ref
}

func perSecond(b *testing.B, n int, unit string) {
	b.StopTimer()
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), unit)
}

// BenchmarkTell is timed until the last message has been handled. In 1to1 and 8to1 the actor takes messages of any type,
// so each is boxed in an interface, which is the one allocation; in typed it takes this type only.
func BenchmarkTell(b *testing.B) {
	b.Run("1to1", func(b *testing.B) { benchTell[any](b, 1, func(p point) any { return p }) })
	b.Run("8to1", func(b *testing.B) { benchTell[any](b, 8, func(p point) any { return p }) })
	b.Run("typed", func(b *testing.B) { benchTell(b, 1, func(p point) point { return p }) })
	b.Run("typed8", func(b *testing.B) { benchTell(b, 8, func(p point) point { return p }) })
}

func benchTell[M any](b *testing.B, senders int, message func(point) M) {
	b.ReportAllocs()
	s := benchSystem(b)
	done := make(chan struct{})
	n, all := 0, b.N/senders*senders
	ref := benchSpawn(b, s, func(c *actor.Context, m M) error {
		if n++; n >= all {
			close(done)
		}
		return nil
	})
	b.ResetTimer()
	for range senders {
		go func() {
			for i := range max(all, 1) / senders {
				if err := ref.Tell(s, message(point{uint64(i), 1})); err != nil {
					b.Error(err)
				}
			}
		}()
	}
	if all > 0 {
		<-done
	}
	perSecond(b, all, "msg/s")
}

// BenchmarkChannel is what BenchmarkTell/typed does, with a channel as large as a mailbox.
func BenchmarkChannel(b *testing.B) {
	messages := make(chan point, 10_000)
	go func() {
		for i := range b.N {
			messages <- point{uint64(i), 1}
		}
		close(messages)
	}()
	for range messages {
	}
	perSecond(b, b.N, "msg/s")
}

// BenchmarkAsk asks from outside, each client after its last reply.
func BenchmarkAsk(b *testing.B) {
	b.Run("1", func(b *testing.B) { benchAsk(b, 1) })
	b.Run("64", func(b *testing.B) { benchAsk(b, 64) })
}

func benchAsk(b *testing.B, clients int) {
	b.ReportAllocs()
	s := benchSystem(b)
	ref := benchSpawn(b, s, func(c *actor.Context, p point) error { return c.Reply(p) })
	ctx := context.Background()
	each := (b.N + clients - 1) / clients
	b.ResetTimer()
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for i := range each {
				p, err := actor.As[point](ref.Ask(ctx, s, point{uint64(i), 1}))
				if err != nil || p.x != uint64(i) {
					b.Error(p, err)
				}
			}
		})
	}
	all.Wait()
	perSecond(b, each*clients, "msg/s")
}

// BenchmarkPingPong counts round trips between two actors.
func BenchmarkPingPong(b *testing.B) {
	b.ReportAllocs()
	s := benchSystem(b)
	done := make(chan struct{})
	pong := benchSpawn(b, s, func(c *actor.Context, back actor.Ref[point]) error { return back.Tell(c, point{1, 2}) })
	n := 0
	ping := benchSpawn(b, s, func(c *actor.Context, p point) error {
		if n++; n > b.N {
			close(done)
			return nil
		}
		return pong.Tell(c, actor.RefTo[point](c.Self()))
	})
	b.ResetTimer()
	if err := ping.Tell(s, point{}); err != nil {
		b.Fatal(err)
	}
	<-done
	perSecond(b, b.N, "msg/s")
}

// BenchmarkWindow is a PingPong of several messages that are on their way at the same time.
func BenchmarkWindow(b *testing.B) {
	for _, window := range []int{2, 4, 16} {
		b.Run(strconv.Itoa(window), func(b *testing.B) {
			s := benchSystem(b)
			done := make(chan struct{})
			pong := benchSpawn(b, s, func(c *actor.Context, back actor.Ref[point]) error { return back.Tell(c, point{1, 2}) })
			n := 0
			ping := benchSpawn(b, s, func(c *actor.Context, p point) error {
				if n++; n == b.N+window {
					close(done)
				} else if n > b.N {
					return nil
				}
				return pong.Tell(c, actor.RefTo[point](c.Self()))
			})
			b.ResetTimer()
			for range window {
				if err := ping.Tell(s, point{}); err != nil {
					b.Fatal(err)
				}
			}
			<-done
			perSecond(b, b.N, "msg/s")
		})
	}
}

// BenchmarkPool tells through a pool of 4, and is timed until the last message has been handled.
func BenchmarkPool(b *testing.B) {
	b.ReportAllocs()
	s := benchSystem(b)
	done := make(chan struct{})
	var n atomic.Int64
	ref, err := actor.SpawnPool(s, "", actor.Pool[point]{Size: 4}, func() *player[point] {
		return &player[point]{receive: func(*actor.Context, point) error {
			if n.Add(1) == int64(b.N) {
				close(done)
			}
			return nil
		}}
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
	perSecond(b, b.N, "msg/s")
}

const crowd = 100_000

// BenchmarkSpawn spawns and stops a crowd of actors.
func BenchmarkSpawn(b *testing.B) {
	b.ReportAllocs()
	s := benchSystem(b)
	ctx := context.Background()
	refs := make([]actor.Ref[point], crowd)
	b.ResetTimer()
	for range b.N {
		for i := range refs {
			refs[i] = benchSpawn(b, s, func(*actor.Context, point) error { return nil })
		}
		for _, ref := range refs {
			if err := actor.Stop(ctx, s, ref.PID()); err != nil {
				b.Fatal(err)
			}
		}
	}
	perSecond(b, b.N*crowd, "actors/s")
}

// BenchmarkBroadcast tells one message to each of a crowd, and is timed until all have handled it.
func BenchmarkBroadcast(b *testing.B) {
	b.ReportAllocs()
	s := benchSystem(b)
	var all sync.WaitGroup
	refs := make([]actor.Ref[point], crowd)
	for i := range refs {
		refs[i] = benchSpawn(b, s, func(*actor.Context, point) error { all.Done(); return nil })
	}
	b.ResetTimer()
	for range b.N {
		all.Add(crowd)
		for _, ref := range refs {
			if err := ref.Tell(s, point{1, 2}); err != nil {
				b.Fatal(err)
			}
		}
		all.Wait()
	}
	perSecond(b, b.N*crowd, "msg/s")
}

// BenchmarkIdleActor is the memory, stacks included, of each of a million actors that wait for messages: spawned ones, and
// those that have handled a message.
func BenchmarkIdleActor(b *testing.B) {
	for _, handled := range []bool{false, true} {
		name := "spawned"
		if handled {
			name = "handled"
		}
		b.Run(name, func(b *testing.B) {
			for range b.N {
				benchIdle(b, handled)
			}
		})
	}
}

func benchIdle(b *testing.B, handled bool) {
	const many = 1_000_000
	s := benchSystem(b)
	var all sync.WaitGroup
	receive := func(*actor.Context, point) error { all.Done(); return nil }
	before := memory()
	for range many {
		ref := benchSpawn(b, s, receive)
		if handled {
			all.Add(1)
			if err := ref.Tell(s, point{}); err != nil {
				b.Fatal(err)
			}
		}
	}
	all.Wait()
	b.ReportMetric(float64(memory()-before)/many, "B/actor")
	if err := s.Close(context.Background()); err != nil {
		b.Fatal(err)
	}
}

func memory() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}
