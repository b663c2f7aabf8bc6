package topology_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/troupe-go/troupe/topology"
)

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
