package broker

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/troupe-go/troupe/mailbox"
)

// BenchmarkCalls measures calls over tcp, all ends in this process, in calls per second.
func BenchmarkCalls(b *testing.B) {
	for _, clients := range []int{1, 64} {
		for _, callers := range []int{1, 64} {
			b.Run(fmt.Sprintf("%d-clients-%d-connections", clients, callers), func(b *testing.B) {
				cfg := mailbox.Config{Log: slog.New(slog.DiscardHandler)}
				f, err := NewFront(cfg, nil, "echo")
				if err != nil {
					b.Fatal(err)
				}
				defer f.Close(b.Context())
				at, err := f.Bind(b.Context(), "tcp://127.0.0.1:0")
				if err != nil {
					b.Fatal(err)
				}
				const slots = 64
				s, err := NewServer(cfg, "echo", at.String(), slots)
				if err != nil {
					b.Fatal(err)
				}
				defer s.Close()
				for range slots {
					go func() {
						for {
							r, err := s.Next(context.Background())
							if err != nil {
								return
							}
							r.Reply(r.Body)
						}
					}()
				}
				var all []*Caller
				for range callers {
					c, err := NewCaller(cfg, "echo", at.String())
					if err != nil {
						b.Fatal(err)
					}
					defer c.Close()
					if _, err := c.Call(b.Context(), []byte("hello"), false); err != nil {
						b.Fatal(err)
					}
					all = append(all, c)
				}
				b.ReportAllocs()
				b.ResetTimer()
				var n atomic.Int64
				var done sync.WaitGroup
				for i := range clients {
					done.Go(func() {
						for n.Add(1) <= int64(b.N) {
							if _, err := all[i%callers].Call(b.Context(), []byte("hello"), false); err != nil {
								b.Error(err)
								return
							}
						}
					})
				}
				done.Wait()
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
			})
		}
	}
}
