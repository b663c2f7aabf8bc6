package bench

import (
	"testing"

	"github.com/troupe-go/troupe/internal/bench/contest"
)

var (
	patterns   = []string{"push-pull", "req-rep", "pub-sub-all", "pub-sub-all-5", "pub-sub-filter"}
	transports = []string{"inproc", "ipc", "tcp"}
	sizes      = []string{"16", "100", "1024", "65536"}
	weathers   = []string{"weather", "digits"}
	sides      = []contest.Side{
		between(contest.Troupe, troupeBind, troupeConnect),
		{Name: "libzmq", Program: buildPeer},
		between("raw", rawBind, rawConnect),
	}
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
	s := contest.Spec{Pattern: pattern, Subscribers: 1}
	if pattern == "pub-sub-all-5" {
		s.Subscribers = 5
	}
	choice := sizes
	if pattern == "pub-sub-filter" {
		choice = weathers
	}
	for _, s.Size = range choice {
		b.Run(s.Size, func(b *testing.B) { contest.Bench(b, s, transport, sides, "msg/s") })
	}
}
