package topology_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestADurableSourceThatIsKilledLosesNothing(t *testing.T) {
	c := newCrew(t)
	path := filepath.Join(t.TempDir(), "tasks.db")
	source := func() process {
		return startWith(t, func(cmd *exec.Cmd) { cmd.Env = append(cmd.Env, "FARM_FILE="+path) }, "farm",
			append([]string{"-run", "source", "-tasks", "800"}, c.at...)...)
	}
	sink, worker := c.start("sink"), c.start("worker", "-us", "500", "-say")
	for kills := 0; ; kills++ {
		p := source()
		before := strings.Count(worker.Out.String(), "is done")
		if kills < 4 {
			for strings.Count(worker.Out.String(), "is done") < before+100 {
				time.Sleep(5 * time.Millisecond)
			}
			p.Cmd.Process.Signal(syscall.SIGKILL)
			<-p.Exited
			continue
		}
		if p.status(0, 1) != 0 {
			t.Error(p.Cmd.ProcessState)
		}
		break
	}
	if sink.status(0, 1) != 0 {
		t.Error(sink.Cmd.ProcessState)
	}
	sink.says("results=800 distinct=800")
	worker.Cmd.Process.Signal(syscall.SIGTERM)
	worker.status(0)
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
	sink, worker = c.start("sink"), c.start("worker") // it came to its end: it begins anew
	if p := source(); p.status(0, 1) != 0 {
		t.Error(p.Cmd.ProcessState)
	}
	sink.says("results=800 distinct=800")
	worker.Cmd.Process.Signal(syscall.SIGTERM)
	worker.status(0)
}
