package topology

import (
	"flag"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
)

// Flags defines -run, -n, -at, -processes, -config, -log and -graph on fs and returns the options that fs.Parse will fill. The
// topology's roles and edges, all declared before, are listed in the flags' help, and values that don't fit them are
// errors of fs.Parse. A program's own flags must have other names.
//
// What no flag says, Run takes from environment variables: TROUPE_RUN, TROUPE_N, TROUPE_AT, TROUPE_PROCESSES,
// TROUPE_LOG and TROUPE_CONFIG have the flags' values, several of -n and -at separated by commas. What those leave open is taken from the
// file that -config names, see [Topology.ReadConfig], and the rest is as declared.
func (t *Topology) Flags(fs *flag.FlagSet) *Options {
	o := &Options{Instances: map[string]int{}, At: map[string]string{}, flags: fs, level: new(slog.LevelVar)}
	fs.Func("run", "run only these `roles` here, separated by commas, with edges at their endpoints\nroles:"+t.describeRoles(),
		func(s string) error { return t.setRun(o, s) })
	fs.Func("n", "run `role=n` instances of a role, at least 1 (-run leaves roles out); may be given for several roles",
		func(s string) error { return t.setInstances(o, s) })
	fs.Func("at", "move an edge: `edge=endpoint`, as "+t.exampleAt()+"; may be given for several edges\n"+
		"(a service that is only called from here may be at several, with commas in between)\nedges:"+t.describeEdges(),
		func(s string) error { return t.setAt(o, s) })
	fs.BoolVar(&o.Processes, "processes", false, "run each role instance as a process of its own on this machine")
	fs.StringVar(&o.config, "config", "", "take what other flags leave open from a YAML `file`: edges' endpoints, roles' numbers, keys")
	o.level.Set(slog.LevelWarn)
	fs.TextVar(o.level, "log", o.level, "log what is of this `level` or above: debug, info, warn or error")
	fs.BoolFunc("graph", "print the graph as text, or with -graph=mermaid in that language, and end", o.setDrawing)
	return o
}

func (o *Options) setDrawing(s string) error {
	switch s {
	case "true", "text":
		o.drawing = "text"
	case "mermaid":
		o.drawing = s
	default:
		return fmt.Errorf("write -graph or -graph=mermaid")
	}
	return nil
}

func (t *Topology) setRun(o *Options, s string) error {
	for name := range strings.SplitSeq(s, ",") {
		name = strings.TrimSpace(name)
		if err := t.checkRole(name); err != nil {
			return err
		}
		o.Run = append(o.Run, name)
	}
	return nil
}

func (t *Topology) setInstances(o *Options, s string) error {
	name, number, ok := strings.Cut(s, "=")
	if !ok {
		return fmt.Errorf("write role=n, as in worker=4")
	}
	if err := t.checkRole(name); err != nil {
		return err
	}
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 {
		return fmt.Errorf("%q is no number of instances; at least 1 is needed", number)
	}
	o.Instances[name] = n
	return nil
}

func (t *Topology) setAt(o *Options, s string) error {
	name, endpoint, ok := strings.Cut(s, "=")
	if !ok {
		return fmt.Errorf("write edge=endpoint, as in %s", t.exampleAt())
	}
	if err := t.checkEdge(name); err != nil {
		return err
	}
	if _, err := parsePlaces(endpoint); err != nil {
		return err
	}
	o.At[name] = endpoint
	return nil
}

func (t *Topology) exampleAt() string {
	if len(t.edges) == 0 {
		return "name=tcp://10.0.0.7:5555"
	}
	return t.edges[0].name + "=tcp://10.0.0.7:5555"
}

// describeRoles returns what -help says of the roles.
func (t *Topology) describeRoles() string {
	var b strings.Builder
	for _, r := range t.roles {
		fmt.Fprintf(&b, "\n  %s: %s", r.name, r.does)
		if r.front != nil {
			b.WriteString(" its calls")
		}
		for i, end := range r.ends {
			b.WriteString([]string{" ", ", "}[min(i, 1)] + end.edge.name)
		}
		if r.instances > 1 {
			fmt.Fprintf(&b, ", %d instances", r.instances)
		}
	}
	return b.String()
}

// describeEdges returns what -help says of the edges.
func (t *Topology) describeEdges() string {
	var b strings.Builder
	for _, e := range t.edges {
		fmt.Fprintf(&b, "\n  %s, a %s at %s, %s", e.name, e.kind, e.endpoint, e.carries)
		if e.zmq {
			fmt.Fprintf(&b, ", ZeroMQ with %s", e.codec.Name())
		}
	}
	return b.String()
}
