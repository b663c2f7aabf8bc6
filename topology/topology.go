package topology

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
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

// roleNames returns the roles' names for texts.
func (t *Topology) roleNames() string { return listed(t.roles) }

// edgeNames returns the edges' names for texts.
func (t *Topology) edgeNames() string {
	var all []string
	for _, e := range t.edges {
		all = append(all, e.name)
	}
	return strings.Join(all, ", ")
}

// listed returns roles' names for texts.
func listed(roles []*role) string {
	var all []string
	for _, r := range roles {
		all = append(all, r.name)
	}
	return strings.Join(all, ", ")
}
