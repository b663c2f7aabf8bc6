package topology_test

import (
	"context"
	"iter"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/troupe-go/troupe/internal/memnet"
	"github.com/troupe-go/troupe/topology"
	"github.com/troupe-go/troupe/topology/durable"
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

// A value that emit refuses is not kept, or the source could never begin again.
func TestADurableSourceOutlivesAValueThatIsTooLarge(t *testing.T) {
	file := durable.File(filepath.Join(t.TempDir(), "tasks.db"))
	network := memnet.New()
	run := func(work func(context.Context, func(string) error) error) (got []string, err error) {
		top := topology.New("large")
		tasks := topology.Pipe[string](top, "tasks", "tcp://large:1", topology.Durable(file))
		topology.Source(top, "source", tasks, work)
		topology.Sink(top, "sink", tasks, func(_ context.Context, all iter.Seq[string]) error {
			for s := range all {
				got = append(got, s)
			}
			return nil
		})
		err = top.Run(t.Context(), topology.Options{Network: network, Log: slog.New(slog.DiscardHandler),
			At: map[string]string{"tasks": "tcp://large:1"}})
		return got, err
	}
	if _, err := run(func(_ context.Context, emit func(string) error) error {
		return emit(strings.Repeat("x", 33<<20))
	}); err == nil {
		t.Fatal("33 MiB are not too large")
	}
	got, err := run(func(_ context.Context, emit func(string) error) error { return emit("small") })
	if err != nil || len(got) != 1 || got[0] != "small" {
		t.Errorf("%d values, %v", len(got), err)
	}
}
