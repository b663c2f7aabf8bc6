package pipe

import (
	"context"

	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/troupe-go/troupe/mailbox"
)

// source is the Origin of all tasks of a benchmark.
type source struct{ done atomic.Int64 }

func (s *source) Done()  { s.done.Add(1) }
func (s *source) Flush() {}

func BenchmarkNear(b *testing.B) {
	p := NewProducer(Config[int]{Log: quiet})
	c := NewConsumer[int](ConsumerConfig{Once: true})
	Connect(p, c)
	b.ReportAllocs()
	var s source
	var wg sync.WaitGroup
	n := 0
	wg.Go(func() {
		for {
			d := c.Take(context.Background())
			if d == nil {
				return
			}
			d.Done()
			n++
		}
	})
	src := uuid.New()
	i := uint64(0)
	for b.Loop() {
		p.Send(context.Background(), ID{src, i}, "", 1, 0, &s)
		i++
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
	c.Stop()
	wg.Wait()
	c.Close()
}

func BenchmarkWire(b *testing.B) {
	for _, at := range []string{"inproc://bench", "tcp://127.0.0.1:25557"} {
		b.Run(at[:4], func(b *testing.B) {
			p := NewProducer(Config[[]byte]{Log: quiet})
			c := NewConsumer[[]byte](ConsumerConfig{Once: true})
			wp, err := Give(p, Place{Edge: "e", Endpoint: at, Bind: true, Socket: mailbox.Config{Log: quiet}})
			if err != nil {
				b.Fatal(err)
			}
			defer wp.Close(ended)
			wc, err := Take(c, Place{Edge: "e", Endpoint: at, Socket: mailbox.Config{Log: quiet}})
			if err != nil {
				b.Fatal(err)
			}
			defer wc.Close(ended)
			b.ReportAllocs()
			var s source
			var wg sync.WaitGroup
			wg.Go(func() {
				for {
					d := c.Take(context.Background())
					if d == nil {
						return
					}
					d.Done()
				}
			})
			src := uuid.New()
			i := uint64(0)
			body := []byte{}
			for b.Loop() {
				p.Send(context.Background(), ID{src, i}, "", body, 0, &s)
				i++
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
			c.Stop()
			wg.Wait()
			c.Close()
		})
	}
}
