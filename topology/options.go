package topology

import (
	"flag"
	"io"
	"log/slog"
	"time"

	"github.com/troupe-go/troupe/mailbox"
)

// Options decide where a topology runs. The zero value runs all of it in this process. [Topology.Flags] fills one from
// flags.
type Options struct {
	// Run lists the roles to run here; none means all.
	Run []string
	// Instances overrides how many instances of a role run, by the role's name: 1 to 100,000.
	Instances map[string]int
	// At moves edges to other endpoints, by the edge's name. An edge that is moved uses a socket also inside one process.
	// A service that is called from here, and served elsewhere, may be at several endpoints, with commas in between: of its
	// servers that say [Binds], or of fronts. Each call goes to that with the fewest in hand, and to another if it is lost.
	At map[string]string
	// Processes runs every role instance in a child process: this program started again with the same arguments. What
	// children write goes where this process's output goes; their standard input is empty.
	Processes bool

	// Grace is how long roles may take to end once they are told to; 0 means 500 ms. A server handles what it has for
	// half of that; then its handler's context ends.
	Grace time.Duration
	// Drain is how long tasks under way may take to be finished once a run is told to end; 0 means 4 s. Sources are told
	// first, and what they have sent goes on to the sinks; a worker finishes the task in hand.
	Drain time.Duration
	// Network carries the sockets' bytes; nil means this machine's. Child processes always use the machine's.
	Network mailbox.Network
	// Security encrypts what edges carry over tcp and ipc, and lets in whom it says; nil means plain connections, for
	// which a port belongs on a network that keeps strangers out.
	Security *Security
	// Log receives what happens to roles and sockets; nil means slog.Default().
	Log *slog.Logger

	summary  io.Writer      // gets a line of text at the end; nil: the log does
	progress *progress      // where it is shown; nil: nowhere
	flags    *flag.FlagSet  // that filled them; nil: the program did
	config   string         // the value of -config
	drawing  string         // the value of -graph
	level    *slog.LevelVar // the value of -log
	instance int            // of the one role of a child process, from 1 on; 0: all
	siblings []string       // roles that run beside it in child processes
}

func (o Options) withDefaults() Options {
	if o.Grace <= 0 {
		o.Grace = 500 * time.Millisecond
	}
	if o.Drain <= 0 {
		o.Drain = 4 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return o
}

// patience is how long an instance of r may take to end once it is told to.
func (o Options) patience(r *role) time.Duration {
	if r.drains {
		return o.Drain + o.Grace
	}
	return o.Grace
}
