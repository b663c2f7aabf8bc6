package bench

import (
	"errors"
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"
)

var (
	patterns   = []string{"push-pull", "req-rep", "pub-sub-all", "pub-sub-all-5", "pub-sub-filter"}
	transports = []string{"inproc", "ipc", "tcp"}
	sizes      = []string{"16", "100", "1024", "65536"}
	weathers   = []string{"weather", "digits"}
	sides      = []string{troupeSide, libzmqSide, rawSide}
)

func BenchmarkSocket(b *testing.B) {
	for _, pattern := range patterns {
		b.Run(pattern, func(b *testing.B) {
			for _, transport := range transports {
				b.Run(transport, func(b *testing.B) { benchSizes(b, pattern, transport) })
			}
		})
	}
}

func benchSizes(b *testing.B, pattern, transport string) {
	s := spec{pattern: pattern, subscribers: 1}
	if pattern == "pub-sub-all-5" {
		s.subscribers = 5
	}
	choice := sizes
	if pattern == "pub-sub-filter" {
		choice = weathers
	}
	for _, s.size = range choice {
		b.Run(s.size, func(b *testing.B) {
			c := startContest(s, transport, selected(b))
			defer c.stop()
			for _, name := range sides {
				b.Run(name, func(b *testing.B) { benchSide(b, c, name) })
			}
		})
	}
}

// benchSide reports the next figure. The first call for each -count has one iteration; those with more, by which go test
// wants to fill -benchtime, get the same figure.
func benchSide(b *testing.B, c *contest, name string) {
	if b.N == 1 {
		f, err := c.figure(name, testing.Short())
		if errors.Is(err, errMissing) && os.Getenv("TROUPE_REQUIRE_INTEROP") != "1" {
			b.Skip(err)
		}
		if err != nil {
			b.Fatal(err)
		}
		last = f
	}
	b.ReportMetric(last.perSecond(), "msg/s")
	b.ReportMetric(0, "ns/op") // would be of no use
}

// last is the figure that was reported last.
var last figure

// selected returns the sides that -bench asks for.
func selected(b *testing.B) []string {
	elements := strings.Split(flag.Lookup("test.bench").Value.String(), "/")
	if len(elements) != 5 { // more: of several alternatives
		return sides
	}
	wanted, err := regexp.Compile(elements[4])
	if err != nil {
		b.Fatal(err)
	}
	var names []string
	for _, name := range sides {
		if wanted.MatchString(name) {
			names = append(names, name)
		}
	}
	return names
}
