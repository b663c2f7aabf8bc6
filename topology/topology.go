package topology

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/troupe-go/troupe/codec"
)

// ErrDeclared marks a topology that can't be run as it is declared: Run's error then names each role and edge at fault.
var ErrDeclared = errors.New("topology: bad declaration")

// ErrOptions marks [Options] that don't fit the topology, such as a role it doesn't have.
var ErrOptions = errors.New("topology: bad option")

// names is what edges and roles may be called: what fits in a flag, a file name and an actor's name.
var names = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$`)

// nameRule says in texts what names matches.
const nameRule = "is not 1 to 64 letters, digits and _.- with no . or - in front"

// Topology is a graph of roles and the edges between them. It is declared by one goroutine, then run.
type Topology struct {
	name  string
	edges []*edge
	roles []*role
	wrong []error // mistakes in declarations, kept for Run
}

// edge is what the roles on both of its sides know of each other.
type edge struct {
	name     string
	endpoint string
	codec    codec.Codec // set by ZMQ
	once     bool        // set by AtMostOnce
	carries  string      // its types, for -help
}

// role is a function and the edge it is wired to. Exactly one of serve and work is set.
type role struct {
	name      string
	edge      *edge
	instances int
	serve     func(r *run) (stop func(context.Context) error, err error)
	work      func(ctx context.Context, r *run) error // returns when its work is done
}

// New returns an empty topology. Its name is the name of its node and appears in logs and errors.
func New(name string) *Topology {
	t := &Topology{name: name}
	if !names.MatchString(name) {
		t.mistake("the topology's name %q "+nameRule, name)
	}
	return t
}

// Name returns the name given to New.
func (t *Topology) Name() string { return t.name }

// mistake notes that something was declared wrongly. Declarations return no errors: Run returns them all.
func (t *Topology) mistake(format string, args ...any) {
	t.wrong = append(t.wrong, fmt.Errorf("%w: "+format, append([]any{ErrDeclared}, args...)...))
}

func (t *Topology) addEdge(e *edge) {
	switch {
	case !names.MatchString(e.name):
		t.mistake("the edge name %q "+nameRule, e.name)
	case t.edge(e.name) != nil:
		t.mistake("there are two edges named %s", e.name)
	}
	t.edges = append(t.edges, e)
}

func (t *Topology) addRole(r *role, opts []RoleOption) {
	switch {
	case !names.MatchString(r.name):
		t.mistake("the role name %q "+nameRule, r.name)
	case t.role(r.name) != nil:
		t.mistake("there are two roles named %s; a role is declared once and has one edge", r.name)
	}
	r.instances = 1
	for _, opt := range opts {
		opt(r)
	}
	if r.instances < 1 {
		t.mistake("role %s: %d instances; at least 1 is needed", r.name, r.instances)
	}
	t.roles = append(t.roles, r)
}

func (t *Topology) edge(name string) *edge {
	for _, e := range t.edges {
		if e.name == name {
			return e
		}
	}
	return nil
}

func (t *Topology) role(name string) *role {
	for _, r := range t.roles {
		if r.name == name {
			return r
		}
	}
	return nil
}

// servers returns the roles that serve e.
func (t *Topology) servers(e *edge) (servers []*role) {
	for _, r := range t.roles {
		if r.edge == e && r.serve != nil {
			servers = append(servers, r)
		}
	}
	return servers
}

// roleNames returns the roles' names for texts.
func (t *Topology) roleNames() string {
	var all []string
	for _, r := range t.roles {
		all = append(all, r.name)
	}
	return strings.Join(all, ", ")
}

// edgeNames returns the edges' names for texts.
func (t *Topology) edgeNames() string {
	var all []string
	for _, e := range t.edges {
		all = append(all, e.name)
	}
	return strings.Join(all, ", ")
}
