package nodes

import (
	"os"
	"strconv"
	"testing"

	"github.com/troupe-go/troupe/internal/bench/contest"
)

var sides = []contest.Side{
	side(contest.Troupe, troupeBind, troupeConnect),
	side("nats", natsBind, natsConnect),
	side("raw", rawBind, rawConnect),
}

func TestMain(m *testing.M) {
	if endpoint := os.Getenv(envCrowd); endpoint != "" {
		crowd(endpoint)
		return
	}
	contest.Main(m, sides)
}

// BenchmarkNode/<what>/<side> is explained in the package's documentation.
func BenchmarkNode(b *testing.B) {
	for _, w := range works {
		b.Run(w.name, func(b *testing.B) {
			s := contest.Spec{Pattern: w.name, Size: strconv.Itoa(w.size), Subscribers: 1}
			contest.Bench(b, s, "tcp", sides, w.unit)
		})
	}
}
