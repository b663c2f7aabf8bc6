package topology_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// killNewest kills the child process of a role that was started last.
func (p process) killNewest(role string) {
	p.t.Helper()
	all := regexp.MustCompile(`process started".* role=`+role+` .*child=(\d+)`).FindAllStringSubmatch(p.Out.String(), -1)
	if all == nil {
		p.t.Fatalf("no child runs %s", role)
	}
	pid, err := strconv.Atoi(all[len(all)-1][1])
	if err != nil {
		p.t.Fatal(err)
	}
	syscall.Kill(pid, syscall.SIGKILL)
}

// C66
func TestEveryCallIsAnsweredAlthoughServersAreKilled(t *testing.T) {
	p := start(t, "crowd", "-processes", "-calls", "3000")
	for i := range 3 {
		p.says(fmt.Sprintf("answered %d", 300+600*i))
		p.killNewest("server")
	}
	p.Ends(0, 60*time.Second)
	text := p.Out.String()
	if !strings.Contains(text, "calls=3000 answered=3000") || strings.Contains(text, "call failed") {
		t.Errorf("output: %s", text)
	}
	if n := strings.Count(text, "a serving process ended"); n < 1 {
		t.Errorf("%d servers were killed", n)
	}
}

func TestEveryCallIsAnsweredAlthoughTheFrontIsKilled(t *testing.T) {
	p := start(t, "crowd", "-processes", "-calls", "3000")
	p.says("answered 600")
	p.killChild("square")
	p.Ends(0, 60*time.Second)
	if text := p.Out.String(); !strings.Contains(text, "calls=3000 answered=3000") {
		t.Errorf("output: %s", text)
	}
}
