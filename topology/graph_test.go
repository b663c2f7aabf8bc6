package topology

import (
	"errors"
	"strings"
	"testing"

	"github.com/troupe-go/troupe/codec"
)

// draw makes a topology of pipes: each line is a role, what it receives from and what it sends into, such as
// "worker tasks results"; "-" is nothing. The endpoints are of no matter.
func draw(lines ...string) *Topology {
	t := New("drawn")
	pipeOf := func(name string) *edge {
		if e := t.edge(name); e != nil {
			return e
		}
		return t.declare(&edge{name: name, kind: pipe, endpoint: "inproc://" + name}, nil)
	}
	for _, line := range lines {
		f := strings.Fields(line)
		r := &role{name: f[0], class: serving}
		if f[1] == "-" {
			r.class = source
		} else {
			r.ends = append(r.ends, end{pipeOf(f[1]), takes})
		}
		if f[2] == "-" {
			r.class = finishing
		} else {
			r.ends = append(r.ends, end{pipeOf(f[2]), gives})
		}
		var opts []RoleOption
		for _, name := range f[3:] {
			e := pipeOf(name)
			opts = append(opts, func(r *role) { r.binds = append(r.binds, e) })
		}
		t.addRole(r, opts)
	}
	return t
}

func TestOneRoleBindsEachPipe(t *testing.T) {
	tests := []struct {
		name  string
		lines []string
		binds string // edge=role
		says  string // or what is wrong
	}{
		{"its source", []string{"vent - tasks", "work tasks results", "sink results -"}, "tasks=vent", ""},
		{"else its sink", []string{"vent - tasks", "work tasks results", "sink results -"}, "results=sink", ""},
		{"who is told to", []string{"vent - tasks", "sink tasks - tasks"}, "tasks=sink", ""},
		{"none of two stages", []string{"vent - a", "one a b", "two b c", "sink c -"}, "", "no role binds pipe b; say topology.Binds(b) at one of one, two"},
		{"the stage that is told to", []string{"vent - a", "one a b b", "two b c", "sink c -"}, "b=one", ""},
		{"not two sources", []string{"v1 - tasks", "v2 - tasks", "sink tasks -"}, "", "the roles v1, v2 would all bind"},
		{"two sources to a sink that is told to", []string{"v1 - tasks", "v2 - tasks", "sink tasks - tasks"}, "tasks=sink", ""},
		{"not two who are told to", []string{"vent - tasks tasks", "sink tasks - tasks"}, "", "the roles vent, sink would all bind"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			top := draw(test.lines...)
			err := errors.Join(append(top.checkGraph(), top.wrong...)...)
			if test.says != "" {
				if err == nil || !strings.Contains(err.Error(), test.says) {
					t.Fatalf("got %v, want %q", err, test.says)
				}
				return
			}
			edge, role, _ := strings.Cut(test.binds, "=")
			if err != nil || top.binder(top.edge(edge)).name != role {
				t.Errorf("%s is bound by %v, want %s (%v)", edge, top.binders(top.edge(edge)), role, err)
			}
		})
	}
}

func TestAPipeMustLeadSomewhere(t *testing.T) {
	for lines, says := range map[string]string{
		"vent - tasks":                       "nothing receives from pipe tasks",
		"sink results -":                     "nothing sends into pipe results",
		"a p q p|b q p q|vent - p|sink q - ": "the stages a, b feed each other in a circle",
	} {
		top := draw(strings.Split(lines, "|")...)
		if err := errors.Join(top.checkGraph()...); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: got %v, want %q", lines, err, says)
		}
	}
	top := New("t")
	top.declare(&edge{name: "alone", kind: topic, endpoint: "inproc://x"}, nil)
	if err := errors.Join(top.checkGraph()...); err == nil || !strings.Contains(err.Error(), "topic alone is connected to no role") {
		t.Errorf("an edge alone: got %v", err)
	}
}

func TestTheOtherSideOfAZMQEdgeMayBeAForeignProgram(t *testing.T) {
	top := New("t")
	e := top.declare(&edge{name: "tasks", kind: pipe, endpoint: "tcp://127.0.0.1:7001"}, []EdgeOption{ZMQ(codec.Raw)})
	top.addRole(&role{name: "sink", class: finishing, ends: []end{{e, takes}}}, nil)
	if wrong := top.checkGraph(); len(wrong) > 0 {
		t.Errorf("got %v", wrong)
	}
	p, err := top.plan(Options{}, "")
	if err != nil || p.at[e] != "tcp://127.0.0.1:7001" {
		t.Errorf("it is at %q, %v", p.at[e], err)
	}
}

func TestAStreamBeginsAtEverySourceUpstream(t *testing.T) {
	top := draw("v1 - a", "v2 - b b", "one a c", "two b c", "sink c -")
	for name, want := range map[string]string{"a": "v1", "b": "v2", "c": "v1, v2"} {
		if got := listed(top.origins(top.edge(name))); got != want {
			t.Errorf("%s comes from %s, want %s", name, got, want)
		}
	}
}

func TestAnOptionOfAnotherKindOfEdgeIsAMistake(t *testing.T) {
	top := New("t")
	top.declare(&edge{name: "tasks", kind: pipe, endpoint: "inproc://x"}, []EdgeOption{AtMostOnce()})
	if err := errors.Join(top.wrong...); !errors.Is(err, ErrDeclared) || !strings.Contains(err.Error(), "AtMostOnce is for a service") {
		t.Errorf("got %v", err)
	}
}
