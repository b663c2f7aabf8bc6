package topology

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"time"
)

// A crashed serving child is started again after restartMin, then after twice as long each time it crashes again, up to
// restartMax. One that has lived for longer than restartMax starts from restartMin.
const (
	restartMin = 100 * time.Millisecond
	restartMax = 5 * time.Second
)

// killAfter is how long after its Grace a child is killed.
const killAfter = 250 * time.Millisecond

// company is a topology that runs as child processes of this one.
type company struct {
	topology *Topology
	options  Options
	plan     *plan
	program  string
	dir      string         // of the ipc files
	up       sync.WaitGroup // instances that bind edges and have not yet
	tallies  *tallies
}

// runProcesses runs every role instance in a child process and applies the rule of "When it ends" to them.
func (t *Topology) runProcesses(ctx context.Context, o Options, made func(dir string)) error {
	if runtime.GOOS == "windows" {
		return fmt.Errorf("%w: -processes is not supported on Windows; start the roles with -run", ErrOptions)
	}
	dir, err := os.MkdirTemp(shortTempDir(), "troupe-")
	if err != nil {
		return fmt.Errorf("%w: no directory for the ipc files; set TMPDIR to one that can be written: %w", errStart, err)
	}
	defer os.RemoveAll(dir)
	made(dir)
	p, err := t.plan(o, dir)
	if err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("%w: %w", errStart, err)
	}
	o.Log = o.Log.With("pid", os.Getpid())
	c := &company{topology: t, options: o, plan: p, program: program, dir: dir, tallies: new(tallies)}
	defer c.tallies.summarise(o, t.name)
	defer t.show(o, c.tallies)()
	parts := c.parts()
	o.Grace += 2 * killAfter // the children have o.Grace, and o.Drain; then they are killed
	return play(ctx, o, parts)
}

// parts returns what the plan's role instances are in this process.
func (c *company) parts() (parts []part) {
	up := make(chan struct{}) // closed once all roles that bind an edge have done so
	for _, s := range c.plan.shares {
		if c.topology.rank(s.role) == 0 {
			c.up.Add(s.n)
		}
	}
	go func() {
		c.up.Wait()
		close(up)
	}()
	for _, s := range c.plan.shares {
		binds := c.topology.rank(s.role) == 0
		for i := range s.n {
			run := c.finish
			if s.role.restarts {
				run = c.keep
			}
			parts = append(parts, part{s.role.name, s.role.class, s.role.drains, func(ctx context.Context) error {
				if binds {
					return run(ctx, s.role, i+1, sync.OnceFunc(c.up.Done))
				}
				select {
				case <-up: // not needed, but it spares vain attempts to connect
				case <-ctx.Done():
					return nil
				}
				return run(ctx, s.role, i+1, func() {})
			}})
		}
	}
	return parts
}

// keep has a serving role run until ctx ends, or it is done. It fails only if the role can't be started the first time.
func (c *company) keep(ctx context.Context, r *role, instance int, started func()) error {
	defer started()
	ready := false
	for wait := restartMin; ; wait = min(2*wait, restartMax) {
		began := time.Now()
		pid, up, err := c.child(ctx, c.childhood(r, instance), started)
		if ctx.Err() != nil {
			return nil
		}
		if err == nil && r.class != serving {
			return nil
		}
		if err == nil {
			err = errors.New("exit status 0")
		}
		if ready = ready || up; !ready {
			return fmt.Errorf("process %d did not start: %w", pid, err)
		}
		if time.Since(began) > restartMax {
			wait = restartMin
		}
		c.options.Log.Warn("a serving process ended; it is started again", "role", r.name, "instance", instance, "child", pid,
			"err", err, "in", wait)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

// finish has a finishing role, or a source, run to its end.
func (c *company) finish(ctx context.Context, r *role, instance int, started func()) error {
	defer started()
	pid, _, err := c.child(ctx, c.childhood(r, instance), started)
	if err == nil {
		return nil
	}
	select { // the signal that ended the child may be on its way to this process too
	case <-ctx.Done():
	case <-time.After(restartMin):
	}
	return fmt.Errorf("process %d: %w", pid, err)
}

// childhood is what the child is told that runs an instance of r.
func (c *company) childhood(r *role, instance int) childhood {
	at := endpoints(c.plan.dial)
	for e, endpoint := range c.plan.at {
		if c.topology.binder(e) == r {
			at[e.name] = endpoint
		}
	}
	var roles []string
	for _, s := range c.plan.shares {
		roles = append(roles, s.role.name)
	}
	return childhood{Role: r.name, Instance: instance, At: at, Roles: roles, Instances: c.options.Instances}
}

// endpoints returns edges' endpoints by name.
func endpoints(edges map[*edge]string) map[string]string {
	at := map[string]string{}
	for e, endpoint := range edges {
		at[e.name] = endpoint
	}
	return at
}

// child runs what is told in a child process until it ends, and calls started if its servers came to be there. When
// ctx ends it is told to end, and killed if it doesn't in time. The error is that of exec.Cmd.Wait, or what kept it from
// starting; then the pid is 0.
func (c *company) child(ctx context.Context, tell childhood, started func()) (pid int, up bool, err error) {
	if ctx.Err() != nil {
		return 0, false, ctx.Err()
	}
	// The system closes this side of the first pipe when this process ends in whatever way, and so tells the child.
	inherited, parent, err := os.Pipe()
	if err != nil {
		return 0, false, err
	}
	defer parent.Close()
	news, report, err := os.Pipe()
	if err != nil {
		inherited.Close()
		return 0, false, err
	}
	defer news.Close()
	cmd := exec.Command(c.program, os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.ExtraFiles = []*os.File{inherited, report} // parentPipe, newsPipe
	tell.Topology, tell.Dir = c.topology.name, c.dir
	cmd.Env = append(os.Environ(), tell.environ())
	err = cmd.Start()
	inherited.Close()
	report.Close()
	if err != nil {
		return 0, false, err
	}
	pid = cmd.Process.Pid
	log := c.options.Log.With("role", tell.Role, "instance", tell.Instance, "child", pid)
	log.Info("process started")
	heard := make(chan bool, 1)
	tally := c.tallies.add(c.topology.role(tell.Role), tell.Instance-1)
	go func() { heard <- hear(news, tally, started) }()
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	select {
	case err = <-exited:
	case <-ctx.Done():
		says := []byte{saysEnd}
		if errors.Is(context.Cause(ctx), errOver) {
			says[0] = saysOver
		}
		parent.Write(says)
		parent.Close()
		err = c.await(cmd, tell, exited, log)
	}
	level := slog.LevelDebug
	if !cmd.ProcessState.Success() {
		level = slog.LevelInfo
	}
	log.Log(context.Background(), level, "process ended", "status", cmd.ProcessState.String())
	news.SetReadDeadline(time.Now().Add(restartMin)) // if something that the child has started holds the pipe open
	return pid, <-heard, err
}

// await waits for a child that was told to end, and kills it if it doesn't in time.
func (c *company) await(cmd *exec.Cmd, tell childhood, exited <-chan error, log *slog.Logger) error {
	select {
	case err := <-exited:
		return err
	case <-time.After(c.options.patience(c.topology.role(tell.Role)) + killAfter):
		log.Warn("process did not end in time; it is killed")
		cmd.Process.Kill()
		return <-exited
	}
}

// ipcEndpoint is where edge number i of a run as processes is.
func ipcEndpoint(dir string, i int) string {
	return "ipc://" + filepath.Join(dir, strconv.Itoa(i))
}

// shortTempDir returns the directory for temporary files, or another if its name is too long for sockets.
func shortTempDir() string {
	if dir := os.TempDir(); len(dir) <= 64 {
		return dir
	}
	return "/tmp"
}
