package bench

import (
	"testing"

	"github.com/troupe-go/troupe/internal/bench/contest"
)

func TestMain(m *testing.M) { contest.Main(m, sides) }
