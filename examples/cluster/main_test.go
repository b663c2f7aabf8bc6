package main

import (
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/troupe-go/troupe/internal/program"
)

func TestMain(m *testing.M) { program.Main(m) }

var summary = regexp.MustCompile(`^jobs=(\d+) done=(\d+) lost=0 doubled=0 retried=\d+ alpha=[1-9]\d* beta=[1-9]\d* gamma=[1-9]\d* beta_again=[1-9]\d*$`)

func TestNothingIsLostWhileANodeDiesAndComesBack(t *testing.T) {
	p := program.Start(t, "-jobs", "150")
	p.Ends(0, 45*time.Second)
	lines := strings.Split(strings.TrimSpace(p.Out.String()), "\n")
	got := summary.FindStringSubmatch(lines[len(lines)-1])
	if got == nil || got[1] != got[2] {
		t.Errorf("the last line is %q", lines[len(lines)-1])
	}
	for _, want := range []string{"beta is killed", "beta is found dead", "beta works again"} {
		if !strings.Contains(p.Out.String(), want) {
			t.Errorf("not printed: %s", want)
		}
	}
}

func TestKillingTheParentLeavesNothing(t *testing.T) {
	p := program.Start(t, "-jobs", "1000000")
	program.Eventually(t, "work begins", func() bool { return strings.Contains(p.Out.String(), "the client sees") })
	p.Signal(syscall.SIGKILL)
	<-p.Exited
	p.LeavesNothing()
}
