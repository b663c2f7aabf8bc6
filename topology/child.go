package topology

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// childVariable is the environment variable by which a process knows that it is a child of a run as processes.
const childVariable = "TROUPE_CHILD"

// The file descriptors that a child inherits: exec.Cmd's extra files. The child reads from the first, which ends when the
// parent closes its side, after a byte that says why, or is gone; it writes its news to the second.
const (
	parentPipe = 3
	newsPipe   = 4
)

// What a parent says to a child that is to end.
const (
	saysEnd  = 'e' // what is under way is to be finished
	saysOver = 'o' // nothing is left to be finished
)

// errParent is the cause of the end of a child's context.
var errParent = errors.New("told to end by the parent process")

// childhood is what a child is told by its parent: the value of childVariable, as JSON.
type childhood struct {
	Topology  string            `json:"topology"`
	Role      string            `json:"role"`
	Instance  int               `json:"instance"`
	Roles     []string          `json:"roles"`     // of the run
	Instances map[string]int    `json:"instances"` // of all roles, as far as options say
	At        map[string]string `json:"at"`
	Dir       string            `json:"dir"`
}

func (c childhood) environ() string {
	text, err := json.Marshal(c)
	if err != nil {
		panic(err) // strings and ints
	}
	return childVariable + "=" + string(text)
}

// isChild reports whether this process is a child of a run as processes that has not yet come to its Run.
func isChild() bool { return os.Getenv(childVariable) != "" }

// childhood returns what this process was told if it is a child, else nil. The variable is taken away, so that programs
// that the child starts are no children of the run.
func (t *Topology) childhood() (*childhood, error) {
	text := os.Getenv(childVariable)
	if text == "" {
		return nil, nil
	}
	c := new(childhood)
	if err := json.Unmarshal([]byte(text), c); err != nil {
		return nil, fmt.Errorf("topology: environment variable %s: %w", childVariable, err)
	}
	if c.Topology != t.name { // or it would start children in its turn, and they too
		return nil, fmt.Errorf("topology: %s: this process was started for a role of topology %s, and only one topology of "+
			"a program can run as processes", t.name, c.Topology)
	}
	return c, os.Unsetenv(childVariable)
}

// runChild runs a child's role until it ends, or the parent says so or is gone, and returns the exit status.
func (t *Topology) runChild(ctx context.Context, c *childhood, o Options) int {
	o.Log = o.Log.With("pid", os.Getpid())
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	told := make(chan struct{})
	go func() {
		says, _ := io.ReadAll(os.NewFile(parentPipe, "parent"))
		close(told)
		patience := o.patience(t.role(c.Role))
		switch {
		case len(says) == 0: // the parent is gone, and with it who else would be needed to finish anything
			patience = o.Grace
			cancel(errOver)
		case says[0] == saysOver:
			cancel(errOver)
		default:
			cancel(errParent)
		}
		time.AfterFunc(patience+killAfter/2, func() {
			os.RemoveAll(c.Dir)
			os.Exit(1)
		})
	}()
	o.Run, o.Instances, o.At, o.Processes, o.instance = []string{c.Role}, c.Instances, c.At, false, c.Instance
	o.siblings = c.Roles
	p, err := t.plan(o, "")
	if err == nil {
		news := report{pipe: os.NewFile(newsPipe, "news"), tallies: new(tallies)}
		err = t.runHere(ctx, o, p, news.tallies, news.begin)
		news.end()
	}
	select {
	case <-told:
		os.RemoveAll(c.Dir) // nothing of the run is wanted any more, and the parent may be gone
	default:
	}
	if errors.Is(err, errParent) || errors.Is(err, errOver) {
		return 0
	}
	return status(err, o.Log)
}
