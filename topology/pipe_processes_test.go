package topology_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestStreamEndsWithEveryRoleInAProcess(t *testing.T) {
	p := start(t, "farm", "-processes", "-n", "worker=3")
	if got := p.status(0); got != 0 {
		t.Error(p.Cmd.ProcessState)
	}
	p.says("results=100 distinct=100")
}

// crew starts the roles of a farm each in a process of its own.
type crew struct {
	t  *testing.T
	at []string
}

func newCrew(t *testing.T) crew {
	return crew{t, []string{"-at", "tasks=tcp://" + freeAddress(t), "-at", "results=tcp://" + freeAddress(t)}}
}

func (c crew) start(role string, args ...string) process {
	return start(c.t, "farm", append(append([]string{"-run", role}, c.at...), args...)...)
}

func TestRolesMayStartInAnyOrder(t *testing.T) {
	for _, order := range []string{"source worker sink", "sink worker source", "worker sink source", "source sink worker"} {
		t.Run(order, func(t *testing.T) {
			c := newCrew(t)
			running := map[string]process{}
			for _, role := range strings.Fields(order) {
				running[role] = c.start(role)
				time.Sleep(300 * time.Millisecond) // so that it is there first
			}
			for _, role := range []string{"source", "sink"} {
				if running[role].status(0, 1, 2) != 0 {
					t.Errorf("%s: %v", role, running[role].Cmd.ProcessState)
				}
			}
			running["sink"].says("results=100 distinct=100")
			running["worker"].Cmd.Process.Signal(syscall.SIGTERM)
			if running["worker"].status(0, 1, 143) != 0 {
				t.Errorf("worker: %v", running["worker"].Cmd.ProcessState)
			}
		})
	}
}

// A worker that serves one batch serves the next, whose sink does not take the end of the first for its own.
func TestWorkersOutliveABatch(t *testing.T) {
	c := newCrew(t)
	worker := c.start("worker")
	for i := range 3 {
		sink := c.start("sink")
		time.Sleep(300 * time.Millisecond)
		source := c.start("source", "-tasks", fmt.Sprint(50+i))
		if source.status(0, 1) != 0 || sink.status(0, 1) != 0 {
			t.Error(source.Cmd.ProcessState, sink.Cmd.ProcessState)
		}
		sink.says(fmt.Sprintf("results=%d distinct=%d", 50+i, 50+i))
	}
	worker.Cmd.Process.Signal(syscall.SIGTERM)
	worker.status(0)
}

func TestAWorkerThatIsToldToEndFinishesItsTask(t *testing.T) {
	c := newCrew(t)
	sink, source := c.start("sink"), c.start("source", "-tasks", "20")
	first := c.start("worker", "-us", "200000", "-say")
	first.says("begins")
	first.Cmd.Process.Signal(syscall.SIGTERM)
	if first.status(0, 1, 143) != 0 {
		t.Error(first.Cmd.ProcessState)
	}
	began, done := strings.Count(first.Out.String(), "begins"), strings.Count(first.Out.String(), "is done")
	if began != done {
		t.Errorf("it began %d tasks and finished %d", began, done)
	}
	second := c.start("worker", "-say")
	if source.status(0, 1) != 0 || sink.status(0, 1) != 0 {
		t.Error(source.Cmd.ProcessState, sink.Cmd.ProcessState)
	}
	sink.says("results=20 distinct=20")
	if rest := strings.Count(second.Out.String(), "begins"); rest != 20-began {
		t.Errorf("the second worker began %d, the first %d", rest, began)
	}
	second.Cmd.Process.Signal(syscall.SIGTERM)
	second.status(0)
}

func TestARunThatIsToldToEndFinishesWhatWasSent(t *testing.T) {
	for _, args := range [][]string{{}, {"-processes"}} {
		p := start(t, "farm", append(args, "-tasks", "1000000000", "-us", "1000", "-say")...)
		p.says("is done")
		p.Cmd.Process.Signal(syscall.SIGTERM)
		if p.status(0, 1, 143) != 0 {
			t.Error(args, p.Cmd.ProcessState)
		}
		p.says("results=")
	}
}

// Nobody is left who could finish what is under way, so nobody takes the time for it.
func TestKillingTheParentEndsItsPipesAtOnce(t *testing.T) {
	for _, us := range []string{"1000", "60000000"} {
		p := start(t, "farm", "-processes", "-tasks", "1000000000", "-us", us, "-say")
		p.says("begins")
		killed := time.Now()
		p.Cmd.Process.Kill()
		<-p.Exited
		p.LeavesNothing()
		if took := time.Since(killed); took > 3*time.Second { // a second, and more as tests share the machine
			t.Errorf("with tasks of %s us its children outlive it by %v", us, took)
		}
	}
}

func TestASourceThatWasKilledBeginsAnew(t *testing.T) {
	c := newCrew(t)
	sink, worker, first := c.start("sink"), c.start("worker", "-say"), c.start("source", "-tasks", "1000")
	worker.says("is done")
	first.Cmd.Process.Signal(syscall.SIGKILL)
	<-first.Exited
	if second := c.start("source", "-tasks", "1000"); second.status(0, 1) != 0 {
		t.Error(second.Cmd.ProcessState)
	}
	if sink.status(0, 1) != 0 {
		t.Error(sink.Cmd.ProcessState)
	}
	sink.says("distinct=1000")
	worker.Cmd.Process.Signal(syscall.SIGTERM)
	worker.status(0)
}
