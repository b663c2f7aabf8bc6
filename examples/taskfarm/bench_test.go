package main

import (
	"strings"
	"testing"

	"github.com/troupe-go/troupe/internal/program"
)

// BenchmarkFarm measures by how many milliseconds 100 tasks take longer than the ideal (over-ms), and what share of it
// they take (of-ideal).
func BenchmarkFarm(b *testing.B) {
	for _, mode := range []string{"", "-processes"} {
		for _, workers := range []string{"1", "2", "4", "16", "100"} {
			b.Run("workers-"+workers+mode, func(b *testing.B) {
				elapsed, ideal := 0, 0
				for b.Loop() {
					got := sums(b, program.Start(b, append(strings.Fields(mode), "-seed", "1", "-n", "worker="+workers)...))
					if got["distinct"] != 100 {
						b.Fatal(got)
					}
					elapsed += got["elapsed_ms"]
					ideal += got["ideal_ms"]
				}
				b.ReportMetric(float64(elapsed-ideal)/float64(b.N), "over-ms")
				b.ReportMetric(float64(elapsed)/float64(ideal), "of-ideal")
			})
		}
	}
}
