package main

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/troupe-go/troupe/internal/program"
	"github.com/troupe-go/troupe/internal/pyzmq"
)

func TestMain(m *testing.M) { program.Main(m) }

var pair = regexp.MustCompile(`(\w+)=(\d+)`)

// sums waits for the end of a program that runs the sink, and returns the numbers of its last line.
func sums(t testing.TB, p *program.Process) map[string]int {
	t.Helper()
	p.Ends(0, time.Minute)
	lines := strings.Split(strings.TrimSpace(p.Out.String()), "\n")
	numbers := map[string]int{}
	for _, match := range pair.FindAllStringSubmatch(lines[len(lines)-1], -1) {
		numbers[match[1]], _ = strconv.Atoi(match[2])
	}
	return numbers
}

// everyTask checks that the sink has had n tasks, each once.
func everyTask(t *testing.T, got map[string]int, n int) {
	t.Helper()
	if got["tasks"] != n || got["distinct"] != n {
		t.Errorf("the sink says %v, want %d tasks", got, n)
	}
}

// at returns flags that put the edges at free addresses of this machine.
func at(t *testing.T) (flags []string, tasks, results string) {
	tasks, results = "tcp://"+program.FreeAddress(t), "tcp://"+program.FreeAddress(t)
	return []string{"-at", "tasks=" + tasks, "-at", "results=" + results}, tasks, results
}

// run starts the program for some of its roles.
func run(t *testing.T, at []string, args ...string) *program.Process {
	t.Helper()
	return program.Start(t, append(append(args, "-log=info"), at...)...)
}

func TestWorkersShareTheTasks(t *testing.T) {
	for _, args := range []string{"-n worker=1 -tasks 10", "-n worker=4", "-n worker=16", "-processes -n worker=4"} {
		t.Run(args, func(t *testing.T) {
			got := sums(t, program.Start(t, append(strings.Fields(args), "-seed", "1")...))
			n := 100
			if strings.Contains(args, "10") {
				n = 10
			}
			everyTask(t, got, n)
			// A bound for a machine that does other things too; what it takes on one that doesn't is measured by a benchmark.
			if got["elapsed_ms"] > 2*got["ideal_ms"]+1000 {
				t.Errorf("%v: far from ideal", got)
			}
		})
	}
}

// A batch waits for the workers that are started with it: here there is one task for each.
func TestABatchIsSharedByAllWorkersThatAreStartedWithIt(t *testing.T) {
	for _, mode := range []string{"-processes", ""} {
		got := sums(t, program.Start(t, strings.Fields("-n worker=8 -tasks 8 -seed 1 "+mode)...))
		if everyTask(t, got, 8); got["workers"] != 8 {
			t.Errorf("%s: the sink says %v, want all 8 workers", mode, got)
		}
	}
}

// C66: workers come and die while it runs; every result comes once.
func TestWorkersJoinAndAreKilledWhileItRuns(t *testing.T) {
	at, _, _ := at(t)
	sink := run(t, at, "-run", "sink")
	run(t, at, "-run", "worker")
	vent := run(t, at, "-run", "ventilator", "-tasks", "100")
	late := run(t, at, "-run", "worker")
	late.Logs("connected")
	killed := run(t, at, "-run", "worker", "-n", "worker=2")
	killed.Logs("connected")
	killed.SignalAll(syscall.SIGKILL)
	everyTask(t, sums(t, sink), 100)
	vent.Ends(0, 20*time.Second)
	late.Signal(syscall.SIGTERM)
	late.Ends(0, 10*time.Second)
}

// C68: tasks wait for the first worker.
func TestTheStartOrderDoesNotMatter(t *testing.T) {
	orders := [][]string{{"ventilator", "sink", "worker"}, {"worker", "sink", "ventilator"}, {"sink", "ventilator", "worker"}}
	for _, order := range orders {
		t.Run(strings.Join(order, " "), func(t *testing.T) {
			at, _, _ := at(t)
			started := map[string]*program.Process{}
			for _, role := range order {
				started[role] = run(t, at, "-run", role, "-tasks", "20")
				started[role].Logs("edge=")
			}
			everyTask(t, sums(t, started["sink"]), 20)
			started["ventilator"].Ends(0, 20*time.Second)
			started["worker"].Signal(syscall.SIGTERM)
			started["worker"].Ends(0, 10*time.Second)
		})
	}
}

// SIGTERM: what the ventilator has given out is finished, and the status is 0.
func TestASignalDrainsTheFarm(t *testing.T) {
	p := program.Start(t, "-log=info", "-tasks", "100", "-n", "worker=8", "-seed", "3")
	p.Logs("role=sink")
	p.Signal(syscall.SIGTERM)
	got := sums(t, p)
	if got["tasks"] != got["distinct"] {
		t.Errorf("the sink says %v", got)
	}
}

func TestAWorkerInPython(t *testing.T) {
	script, err := os.ReadFile("worker.py")
	if err != nil {
		t.Fatal(err)
	}
	at, tasks, results := at(t)
	python := pyzmq.Command(t, string(script), tasks, results)
	if err := python.Start(); err != nil {
		t.Fatal(err)
	}
	sink := run(t, at, "-run", "sink")
	vent := run(t, at, "-run", "ventilator", "-tasks", "20")
	got := sums(t, sink)
	everyTask(t, got, 20)
	if got["workers"] != 1 {
		t.Errorf("the sink says %v", got)
	}
	vent.Ends(0, 20*time.Second)
	python.Process.Kill()
	python.Wait()
}

// The Guide's programs, rewritten: each takes the endpoints of tasks and of results, and how many tasks there are.
var guides = map[string]string{
	"ventilator": `
import sys, time, zmq
tasks, results, n = sys.argv[1], sys.argv[2], int(sys.argv[3])
c = zmq.Context()
sender = c.socket(zmq.PUSH)
sender.bind(tasks)
sink = c.socket(zmq.PUSH)
sink.connect(results)
time.sleep(1)  # in the place of Enter
sink.send(b"0")
for i in range(n):
    sender.send_string(str(i % 10))
sender.close(10000)
sink.close(10000)
c.term()
`,
	"worker": `
import sys, time, zmq
tasks, results = sys.argv[1], sys.argv[2]
c = zmq.Context()
receiver = c.socket(zmq.PULL)
receiver.connect(tasks)
sender = c.socket(zmq.PUSH)
sender.connect(results)
while True:
    time.sleep(int(receiver.recv()) * 0.001)
    sender.send(b"")
`,
	"sink": `
import sys, zmq
results, n = sys.argv[2], int(sys.argv[3])
c = zmq.Context()
receiver = c.socket(zmq.PULL)
receiver.bind(results)
receiver.recv()
for i in range(n):
    receiver.recv()
print("tasks=%d" % n)
`,
}

// In every combination of the Guide's programs with ours.
func TestPlainRolesWorkWithForeignOnes(t *testing.T) {
	roles := []string{"sink", "worker", "ventilator"}
	for foreign := range 1<<len(roles) - 1 {
		name := "all are ours"
		if foreign > 0 {
			name = "foreign"
		}
		for i, role := range roles {
			if foreign>>i&1 == 1 {
				name += " " + role
			}
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at, tasks, results := at(t)
			var printed *program.Output // by the sink
			for i, role := range roles {
				var out *program.Output
				if foreign>>i&1 == 0 {
					out = &run(t, at, "-plain", "-run", role, "-tasks", "30").Out
				} else {
					out = foreignRole(t, role, tasks, results)
				}
				if role == "sink" {
					printed = out
				}
			}
			program.Eventually(t, "the sink has all results", func() bool { return strings.HasPrefix(printed.String(), "tasks=30") })
		})
	}
}

// foreignRole starts one of the Guide's programs.
func foreignRole(t *testing.T, role, tasks, results string) *program.Output {
	cmd, out := pyzmq.Command(t, guides[role], tasks, results, "30"), new(program.Output)
	cmd.Stdout = out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	return out
}

func TestIdealIsThatOfTheNextFreeWorker(t *testing.T) {
	tasks := []Task{{0, 10}, {1, 50}, {2, 30}, {3, 30}}
	for workers, want := range map[int]int{1: 120, 2: 70, 3: 50, 100: 50} {
		if got := ideal(tasks, workers); got != want {
			t.Errorf("%d workers: %d ms, want %d", workers, got, want)
		}
	}
}
