package topology

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/troupe-go/troupe/codec"
)

func answer(context.Context, string) (string, error) { return "", nil }

func ask(context.Context, *Caller[string, string]) error { return nil }

// shop has two services: a client of each, and three clients of the first.
func shop() *Topology {
	t := New("shop")
	prices := Service[string, string](t, "prices", "tcp://127.0.0.1:7001", ZMQ(codec.Raw))
	stock := Service[string, string](t, "stock", "tcp://*:7002", ZMQ(codec.Raw))
	Server(t, "pricer", prices, answer)
	Server(t, "keeper", stock, answer)
	Client(t, "buyer", prices, ask, Instances(3))
	Client(t, "auditor", stock, ask)
	return t
}

func TestPlanDecidesWhatRunsHereAndWhereEdgesAre(t *testing.T) {
	tests := []struct {
		name     string
		options  Options
		serve    string
		work     string
		at, dial map[string]string
	}{
		{"everything by value", Options{}, "pricer keeper", "buyer:3 auditor:1", nil, nil},
		{"one edge over a socket", Options{At: map[string]string{"prices": "inproc://p"}},
			"pricer keeper", "buyer:3 auditor:1",
			map[string]string{"prices": "inproc://p"}, map[string]string{"prices": "inproc://p"}},
		{"a server alone", Options{Run: []string{"keeper"}}, "keeper", "",
			map[string]string{"prices": "tcp://127.0.0.1:7001", "stock": "tcp://*:7002"}, nil},
		{"a client alone", Options{Run: []string{"buyer"}, Instances: map[string]int{"buyer": 2}}, "", "buyer:2",
			map[string]string{"prices": "tcp://127.0.0.1:7001", "stock": "tcp://*:7002"},
			map[string]string{"prices": "tcp://127.0.0.1:7001"}},
		{"both sides of a wildcard", Options{Run: []string{"auditor", "keeper"}}, "keeper", "auditor:1",
			map[string]string{"prices": "tcp://127.0.0.1:7001", "stock": "tcp://*:7002"},
			map[string]string{"stock": "tcp://127.0.0.1:7002"}},
		{"processes", Options{Processes: true, At: map[string]string{"stock": "tcp://127.0.0.1:7003"}},
			"pricer keeper", "buyer:3 auditor:1",
			map[string]string{"prices": "ipc:///d/0", "stock": "tcp://127.0.0.1:7003"},
			map[string]string{"prices": "ipc:///d/0", "stock": "tcp://127.0.0.1:7003"}},
		{"some as processes", Options{Processes: true, Run: []string{"pricer"}}, "pricer", "",
			map[string]string{"prices": "tcp://127.0.0.1:7001", "stock": "tcp://*:7002"}, nil},
		{"a free port for a server alone", Options{Run: []string{"pricer"}, At: map[string]string{"prices": "tcp://127.0.0.1:0"}},
			"pricer", "", map[string]string{"prices": "tcp://127.0.0.1:0", "stock": "tcp://*:7002"}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p, err := shop().plan(test.options, "/d")
			if err != nil {
				t.Fatal(err)
			}
			var serve, work []string
			for _, s := range p.shares {
				if s.role.class == serving {
					serve = append(serve, s.role.name)
				} else {
					work = append(work, s.role.name+":"+string(rune('0'+s.n)))
				}
			}
			if got := strings.Join(serve, " "); got != test.serve {
				t.Errorf("serves %q, want %q", got, test.serve)
			}
			if got := strings.Join(work, " "); got != test.work {
				t.Errorf("works %q, want %q", got, test.work)
			}
			if got := byName(p.at); !maps.Equal(got, test.at) {
				t.Errorf("edges at %v, want %v", got, test.at)
			}
			if got := byName(p.dial); !maps.Equal(got, test.dial) {
				t.Errorf("edges dialled at %v, want %v", got, test.dial)
			}
		})
	}
}

func TestAServiceWithoutClientsIsAtItsEndpointForForeignOnes(t *testing.T) {
	top := New("t")
	Server(top, "server", Service[string, string](top, "s", "tcp://127.0.0.1:7001", ZMQ(codec.Raw)), answer)
	for _, o := range []Options{{}, {Processes: true}} {
		p, err := top.plan(o, "/d")
		if err != nil {
			t.Fatal(err)
		}
		if want := map[string]string{"s": "tcp://127.0.0.1:7001"}; !maps.Equal(byName(p.at), want) {
			t.Errorf("edges at %v, want %v", byName(p.at), want)
		}
	}
}

func byName(edges map[*edge]string) map[string]string {
	names := map[string]string{}
	for e, at := range edges {
		names[e.name] = at
	}
	return names
}

func TestPlanRefusesOptionsThatDontFit(t *testing.T) {
	tests := []struct {
		name    string
		options Options
		says    []string
	}{
		{"unknown role to run", Options{Run: []string{"cook"}}, []string{`"cook"`, "pricer, keeper, buyer, auditor"}},
		{"unknown role to count", Options{Instances: map[string]int{"cook": 2}}, []string{`"cook"`, "pricer, keeper"}},
		{"unknown edge", Options{At: map[string]string{"soup": "inproc://x"}}, []string{`"soup"`, "prices, stock"}},
		{"no instances", Options{Instances: map[string]int{"buyer": 0}}, []string{"buyer", "at least 1"}},
		{"no end of instances", Options{Instances: map[string]int{"buyer": 99999999}}, []string{"buyer", "at most 100000"}},
		{"several servers", Options{Instances: map[string]int{"pricer": 2}}, []string{"pricer", "one endpoint"}},
		{"no endpoint", Options{At: map[string]string{"stock": "nonsense"}}, []string{"edge stock", "nonsense"}},
		{"inproc between processes", Options{Processes: true, At: map[string]string{"stock": "inproc://s"}},
			[]string{"edge stock", "another process"}},
		{"several endpoints for all", Options{At: map[string]string{"stock": "tcp://a:1,tcp://b:1"}}, []string{"edge stock", "only those that call"}},
		{"one of several is none", Options{Run: []string{"auditor"}, At: map[string]string{"stock": "tcp://a:1,nonsense"}},
			[]string{"edge stock", "nonsense"}},
		{"a client of a wildcard", Options{Run: []string{"auditor"}}, []string{"edge stock", "all addresses"}},
		{"a client of a free port", Options{At: map[string]string{"stock": "tcp://127.0.0.1:0"}}, []string{"edge stock", "fixed port"}},
		{"everything at once", Options{Run: []string{"cook"}, At: map[string]string{"soup": "inproc://x"}}, []string{"cook", "soup"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := shop().plan(test.options, "/d")
			if !errors.Is(err, ErrOptions) || errors.Is(err, ErrDeclared) {
				t.Fatalf("got %v, want ErrOptions alone", err)
			}
			for _, word := range test.says {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("%q doesn't say %s", err, word)
				}
			}
		})
	}
}

func TestRunReturnsAllMistakesOfADeclaration(t *testing.T) {
	tests := []struct {
		name    string
		declare func(*Topology)
		says    []string
	}{
		{"nothing", func(*Topology) {}, []string{"no roles"}},
		{"a service without a server", func(t *Topology) {
			Client(t, "c", Service[string, string](t, "s", "inproc://s", ZMQ(codec.Raw)), ask)
		}, []string{"service s has no server"}},
		{"two servers", func(t *Topology) {
			s := Service[string, string](t, "s", "inproc://s", ZMQ(codec.Raw))
			Server(t, "one", s, answer)
			Server(t, "two", s, answer)
		}, []string{"service s", "one, two", "inproc://s"}},
		{"several instances of a server", func(t *Topology) {
			Server(t, "one", Service[string, string](t, "s", "inproc://s", ZMQ(codec.Raw)), answer, Instances(4))
		}, []string{"role one", "4 instances"}},
		{"a stream over plain ZeroMQ", func(t *Topology) {
			StreamServer(t, "one", Service[string, string](t, "s", "inproc://s", ZMQ(codec.Raw)),
				func(context.Context, string, func(string) error) error { return nil })
		}, []string{"role one", "service s", "no form for streams"}},
		{"a role named like a front", func(t *Topology) {
			Server(t, "s", Service[string, string](t, "s", "inproc://s"), answer)
		}, []string{"role name s", "front"}},
		{"two servers that bind", func(t *Topology) {
			s := Service[string, string](t, "s", "inproc://s")
			Server(t, "one", s, answer, Binds(s))
			Server(t, "two", s, answer, Binds(s))
		}, []string{"service s", "one, two"}},
		{"a type that the codec can't carry", func(t *Topology) {
			Server(t, "one", Service[int, string](t, "s", "inproc://s", ZMQ(codec.Raw)),
				func(context.Context, int) (string, error) { return "", nil })
		}, []string{"service s", "int"}},
		{"a bad endpoint", func(t *Topology) {
			Server(t, "one", Service[string, string](t, "s", "udp://x:1", ZMQ(codec.Raw)), answer)
		}, []string{"service s", "udp://x:1"}},
		{"names", func(t *Topology) {
			s := Service[string, string](t, "a/b", "inproc://s", ZMQ(codec.Raw))
			Server(t, "x=y", s, answer)
			Client(t, "same", s, ask)
			Client(t, "same", s, ask, Instances(0))
			Service[string, string](t, "a/b", "inproc://t", ZMQ(codec.Raw))
		}, []string{`"a/b"`, `"x=y"`, "two roles named same", "0 instances"}},
		{"edges of another topology", func(t *Topology) {
			s := Service[string, string](New("other"), "s", "inproc://s", ZMQ(codec.Raw))
			Server(t, "one", s, answer)
			Client(t, "two", s, ask)
		}, []string{"role one", "role two", "edge s, which is declared in another topology"}},
		{"edges that Service didn't make", func(t *Topology) {
			Server(t, "one", &ServiceEdge[string, string]{}, answer)
		}, []string{"role one", "nil edge"}},
		{"nil", func(t *Topology) {
			Server(t, "one", (*ServiceEdge[string, string])(nil), answer)
			Client[string, string](t, "two", Service[string, string](t, "s", "inproc://s", ZMQ(codec.Raw)), nil)
		}, []string{"role one", "nil edge", "role two", "nil function"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			top := New("t")
			test.declare(top)
			err := top.Run(t.Context(), Options{})
			if !errors.Is(err, ErrDeclared) {
				t.Fatalf("got %v, want ErrDeclared", err)
			}
			for _, word := range test.says {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("%q doesn't say %s", err, word)
				}
			}
		})
	}
}

func TestANameMayBeUsedInFlagsAndPaths(t *testing.T) {
	for _, name := range []string{"", "-x", ".x", "a b", "a,b", "a=b", "a/b", "a@b", "a:b", "ä", strings.Repeat("x", 65)} {
		if top := New(name); len(top.wrong) != 1 {
			t.Errorf("%q is taken", name)
		}
	}
	if top := New("a_B-9.c"); slices.ContainsFunc(top.wrong, func(error) bool { return true }) {
		t.Error(top.wrong)
	}
}
