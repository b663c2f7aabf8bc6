package topology_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/troupe-go/troupe/topology"
)

// BenchmarkServiceOwn measures calls of a service without ZMQ by 64 clients at once, each of which waits for each reply,
// in calls per second. All ends are in this process, and as many instances serve.
func BenchmarkServiceOwn(b *testing.B) {
	for _, place := range []struct{ name, at string }{
		{"local-64", ""},
		{"inproc-64", "inproc://bench"},
		{"ipc-64", "ipc://" + filepath.Join(b.TempDir(), "s")},
		{"tcp-64", "tcp://" + freeAddress(b)},
	} {
		b.Run(place.name, func(b *testing.B) {
			o := topology.Options{Log: slog.New(slog.DiscardHandler)}
			if place.at != "" {
				o.At = map[string]string{"echo": place.at}
			}
			top := topology.New("bench")
			e := topology.Service[string, string](top, "echo", "tcp://127.0.0.1:5555")
			topology.Server(top, "server", e, func(context.Context, string) (string, error) { return "World", nil },
				topology.Instances(64))
			var n atomic.Int64
			var start sync.Once
			topology.Client(top, "client", e, func(ctx context.Context, c *caller) error {
				if _, err := c.Call(ctx, "Hello"); err != nil {
					return err
				}
				start.Do(b.ResetTimer)
				for n.Add(1) <= int64(b.N) {
					if _, err := c.Call(ctx, "Hello"); err != nil {
						return err
					}
				}
				return nil
			}, topology.Instances(64))
			b.ReportAllocs()
			if err := top.Run(b.Context(), o); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
		})
	}
}

// BenchmarkService measures round trips of one client that waits for each reply, in requests per second.
func BenchmarkService(b *testing.B) {
	for _, place := range []struct{ name, at string }{
		{"local", ""},
		{"inproc", "inproc://bench"},
		{"ipc", "ipc://" + filepath.Join(b.TempDir(), "s")},
		{"tcp", "tcp://" + freeAddress(b)},
	} {
		b.Run(place.name, func(b *testing.B) {
			o := topology.Options{Log: slog.New(slog.DiscardHandler)}
			if place.at != "" {
				o.At = map[string]string{"echo": place.at}
			}
			err := service(func(context.Context, string) (string, error) { return "World", nil },
				func(ctx context.Context, c *caller) error {
					for b.Loop() {
						if _, err := c.Call(ctx, "Hello"); err != nil {
							return err
						}
					}
					b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
					return nil
				}).Run(b.Context(), o)
			if err != nil {
				b.Fatal(err)
			}
		})
	}
}
