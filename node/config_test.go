package node

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/troupe-go/troupe/internal/logtest"
	"github.com/troupe-go/troupe/internal/memnet"
)

func TestConfigRefusals(t *testing.T) {
	for name, cfg := range map[string]Config{
		"bad endpoint":        {Listen: []string{"127.0.0.1:4000"}},
		"wildcard advertised": {Advertise: []string{"tcp://*:4000"}},
		"v6 wildcard":         {Advertise: []string{"tcp://[::]:4000"}},
		"peer without a port": {Peers: map[string]string{"beta": "tcp://10.0.0.1:0"}},
		"peer's name":         {Peers: map[string]string{"be ta": "tcp://10.0.0.1:4000"}},
		"itself":              {Name: "alpha", Peers: map[string]string{"alpha": "tcp://10.0.0.1:4000"}},
		"name":                {Name: "alpha@x"},
		"small messages":      {MaxMessage: 100},
		"negative":            {Expire: -1},
	} {
		n, err := Start(t.Context(), cfg)
		if err == nil {
			n.Close(ended())
			t.Errorf("%s: accepted", name)
		} else if name != "name" && !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestStartLeavesNothingBehindWhenItFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		start(t, Config{Listen: []string{"tcp://127.0.0.1:4001"}, Network: network})
		if _, err := Start(t.Context(), Config{Listen: []string{"tcp://127.0.0.1:4000", "tcp://127.0.0.1:4001"}, Network: network}); err == nil {
			t.Fatal("two nodes at one address")
		}
		start(t, Config{Listen: []string{"tcp://127.0.0.1:4000"}, Network: network})
	})
}

// C17, C18
func TestEndpointsAreThoseThatWereBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{Listen: []string{"tcp://127.0.0.1:*", "tcp://*:0", "inproc://x"}, Insecure: true, Network: memnet.New()})
		list := n.Endpoints()
		if len(list) != 3 || strings.HasSuffix(list[0].Address, ":0") || strings.HasSuffix(list[1].Address, ":0") || list[2].String() != "inproc://x" {
			t.Errorf("endpoints %v", list)
		}
		if told := n.hello.endpoints; len(told) != 2 || told[0] != list[0].String() || told[1] != "inproc://x" {
			t.Errorf("peers are told %v", told)
		}
		n = start(t, Config{Listen: []string{"tcp://*:0"}, Advertise: []string{"tcp://alpha.example:4000"}, Insecure: true, Network: memnet.New()})
		if told := n.hello.endpoints; len(told) != 1 || told[0] != "tcp://alpha.example:4000" {
			t.Errorf("peers are told %v", told)
		}
	})
}

func TestPlainLinksBeyondTheMachineAreWarnedOfOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for want, cfgs := range [][]Config{
			{{Listen: []string{"tcp://127.0.0.1:1", "tcp://[::1]:2", "ipc:///x", "inproc://y"}}, {Peers: map[string]string{"b": "tcp://localhost:9"}}, {}},
			{{Listen: []string{"tcp://*:3", "tcp://10.0.0.1:4"}}, {Peers: map[string]string{"b": "tcp://b.example:5", "c": "tcp://10.0.0.2:5"}}},
		} {
			for _, cfg := range cfgs {
				d := new(logtest.Log)
				cfg.Network, cfg.Log, cfg.Insecure = memnet.New(), d.Logger(), true
				start(t, cfg)
				if n := d.Lines("not encrypted"); n != want {
					t.Errorf("%v %v: warned %d times, want %d", cfg.Listen, cfg.Peers, n, want)
				}
			}
		}
	})
}

func TestNodeWithoutAName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := start(t, Config{Network: memnet.New()}), start(t, Config{Network: memnet.New()})
		if a.Name() == "" || a.Name() == b.Name() {
			t.Errorf("names %q and %q", a.Name(), b.Name())
		}
	})
}
