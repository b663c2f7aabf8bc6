package actors

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"time"
)

// point is the message: 16 bytes.
type point struct{ x, y uint64 }

// system is one side's actors. Receive of an actor is called with each message, in order.
type system interface {
	// spawn starts an actor.
	spawn(receive func(c turn, m any)) address
	// close ends the system.
	close()
}

// turn is what a handler has.
type turn interface {
	tell(to address, m any)
	reply(m any)
}

// address is how an actor is reached from outside.
type address interface {
	tell(m any)
	ask(ctx context.Context, m any) (any, error)
	stop()
}

const crowd = 100_000

var work = []struct {
	name string
	run  func(b *testing.B, s system)
}{
	{"tell", func(b *testing.B, s system) { tell(b, s, 1) }},
	{"tell-8", func(b *testing.B, s system) { tell(b, s, 8) }},
	{"ping-pong", pingPong},
	{"ask", func(b *testing.B, s system) { ask(b, s, 1) }},
	{"ask-64", func(b *testing.B, s system) { ask(b, s, 64) }},
	{"spawn", spawn},
	{"broadcast", broadcast},
	{"idle", idle},
}

// BenchmarkActors/<what>/<side> counts messages that were handled, round trips, actors that were spawned and stopped, or the
// bytes of memory that an idle actor takes.
func BenchmarkActors(b *testing.B) {
	sides := []struct {
		name string
		open func(b *testing.B) system
	}{{"troupe", openTroupe}, {"protoactor", openProto}}
	for _, w := range work {
		b.Run(w.name, func(b *testing.B) {
			for _, side := range sides {
				b.Run(side.name, func(b *testing.B) {
					s := side.open(b)
					defer s.close()
					w.run(b, s)
				})
			}
		})
	}
}

func perSecond(b *testing.B, n int, unit string) {
	b.StopTimer()
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), unit)
}

func tell(b *testing.B, s system, senders int) {
	each := (b.N + senders - 1) / senders
	n, done := 0, make(chan struct{})
	to := s.spawn(func(_ turn, _ any) {
		if n++; n == each*senders {
			close(done)
		}
	})
	b.ResetTimer()
	for range senders {
		go func() {
			for i := range each {
				to.tell(point{uint64(i), 1})
			}
		}()
	}
	<-done
	perSecond(b, each*senders, "msg/s")
}

func pingPong(b *testing.B, s system) {
	n, done := 0, make(chan struct{})
	var ping, pong address
	pong = s.spawn(func(c turn, m any) { c.tell(ping, m) })
	ping = s.spawn(func(c turn, m any) {
		if n++; n > b.N {
			close(done)
			return
		}
		c.tell(pong, m)
	})
	b.ResetTimer()
	ping.tell(point{})
	<-done
	perSecond(b, b.N, "msg/s")
}

func ask(b *testing.B, s system, clients int) {
	each := (b.N + clients - 1) / clients
	to := s.spawn(func(c turn, m any) { c.reply(m) })
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	b.ResetTimer()
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for i := range each {
				if m, err := to.ask(ctx, point{uint64(i), 1}); err != nil || m.(point).x != uint64(i) {
					b.Error(m, err)
				}
			}
		})
	}
	all.Wait()
	perSecond(b, each*clients, "msg/s")
}

func spawn(b *testing.B, s system) {
	const many = crowd / 10
	all := make([]address, many)
	b.ResetTimer()
	for range b.N {
		for i := range all {
			all[i] = s.spawn(func(turn, any) {})
		}
		for _, a := range all {
			a.stop()
		}
	}
	perSecond(b, b.N*many, "actors/s")
}

func broadcast(b *testing.B, s system) {
	var handled sync.WaitGroup
	all := make([]address, crowd)
	for i := range all {
		all[i] = s.spawn(func(turn, any) { handled.Done() })
	}
	var m any = point{1, 2}
	b.ResetTimer()
	for range b.N {
		handled.Add(crowd)
		for _, a := range all {
			a.tell(m)
		}
		handled.Wait()
	}
	perSecond(b, b.N*crowd, "msg/s")
}

func idle(b *testing.B, s system) {
	for range b.N {
		all := make([]address, crowd)
		before := memory()
		for i := range all {
			all[i] = s.spawn(func(turn, any) {})
		}
		b.ReportMetric(float64(memory()-before)/crowd, "B/actor")
		for _, a := range all {
			a.stop()
		}
	}
}

func memory() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}
