package contest

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

// Scratch is a directory for the time that Main takes.
var Scratch string

// Main is a TestMain of benchmarks that call Bench. In a child it does the part of its side, which is one of sides.
func Main(m *testing.M, sides []Side) {
	name := os.Getenv(envChild)
	if name == "" {
		os.Exit(run(m))
	}
	for _, side := range sides {
		if side.Name == name {
			child(side, os.Args[1:])
			return
		}
	}
	Fail(fmt.Errorf("no side is called %q", name))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "troupe-bench")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	Scratch = dir
	return m.Run()
}

// Bench has a sub-benchmark for each side, which reports how many messages per second there were. They are called unit:
// "msg/s", or "MB/s" for messages of a million bytes.
func Bench(b *testing.B, s Spec, transport string, sides []Side, unit string) {
	c := start(s, transport, selected(b, sides))
	defer c.stop()
	for _, side := range sides {
		b.Run(side.Name, func(b *testing.B) { report(b, c, side.Name, unit) })
	}
}

// report reports the next figure. The first call for each -count has one iteration; those with more, by which go test
// wants to fill -benchtime, get the same figure.
func report(b *testing.B, c *contest, name, unit string) {
	if b.N == 1 {
		f, err := c.figure(name, testing.Short())
		if errors.Is(err, ErrMissing) && os.Getenv("TROUPE_REQUIRE_INTEROP") != "1" {
			b.Skip(err)
		}
		if err != nil {
			b.Fatal(err)
		}
		last = f
	}
	b.ReportMetric(last.perSecond(), unit)
	b.ReportMetric(0, "ns/op") // would be of no use
}

// last is the figure that was reported last.
var last figure

// selected returns the sides that -bench asks for.
func selected(b *testing.B, sides []Side) []Side {
	elements := strings.Split(flag.Lookup("test.bench").Value.String(), "/")
	depth := strings.Count(b.Name(), "/") + 1
	if len(elements) != depth+1 { // more: of several alternatives
		return sides
	}
	wanted, err := regexp.Compile(elements[depth])
	if err != nil {
		b.Fatal(err)
	}
	var some []Side
	for _, side := range sides {
		if wanted.MatchString(side.Name) {
			some = append(some, side)
		}
	}
	return some
}
