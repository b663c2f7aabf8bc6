package topology

import (
	"bytes"
	"flag"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
)

func parse(t *Topology, args ...string) (*Options, *bytes.Buffer, error) {
	fs := flag.NewFlagSet("shop", flag.ContinueOnError)
	out := new(bytes.Buffer)
	fs.SetOutput(out)
	o := t.Flags(fs)
	return o, out, fs.Parse(args)
}

func TestFlagsFillOptions(t *testing.T) {
	o, _, err := parse(shop(), "-run", "pricer,buyer", "-run=auditor", "-n", "buyer=7", "-n", "auditor=2",
		"-at", "prices=tcp://10.0.0.7:5555", "-at", "stock=ipc:///tmp/a=b", "-processes")
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"pricer", "buyer", "auditor"}; !slices.Equal(o.Run, want) {
		t.Errorf("Run is %q", o.Run)
	}
	if want := map[string]int{"buyer": 7, "auditor": 2}; !maps.Equal(o.Instances, want) {
		t.Errorf("Instances is %v", o.Instances)
	}
	if want := map[string]string{"prices": "tcp://10.0.0.7:5555", "stock": "ipc:///tmp/a=b"}; !maps.Equal(o.At, want) {
		t.Errorf("At is %v", o.At)
	}
	if !o.Processes {
		t.Error("Processes is not set")
	}
}

func TestFlagsRefuseWhatDoesntFit(t *testing.T) {
	for args, says := range map[string]string{
		"-run cook":                       "the roles are pricer, keeper, buyer, auditor",
		"-run pricer,":                    `no role ""`,
		"-n buyer":                        "write role=n",
		"-n cook=2":                       "no role",
		"-n buyer=many":                   "many",
		"-n buyer=0":                      "at least 1",
		"-n buyer=99999999999999999999":   "99999999999999999999",
		"-at prices":                      "write edge=endpoint",
		"-at soup=inproc://x":             "the edges are prices, stock",
		"-at prices=http://example.com/x": "http",
	} {
		_, out, err := parse(shop(), strings.Fields(args)...)
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: got %v, want it to say %q", args, err, says)
		}
		if !strings.Contains(out.String(), "Usage of shop") {
			t.Errorf("%s: no usage shown", args)
		}
	}
}

func TestHelpListsRolesAndEdges(t *testing.T) {
	_, out, err := parse(shop(), "-help")
	if err != flag.ErrHelp {
		t.Fatal(err)
	}
	for _, line := range []string{
		"pricer: serving prices\n", "buyer: calling prices, 3 instances\n",
		"prices, a service at tcp://127.0.0.1:7001, string -> string, ZeroMQ with raw\n",
		"-at edge=endpoint", "-n role=n", "-run roles", "-processes",
	} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("%q is missing in\n%s", line, out)
		}
	}
}

func TestFlagsOfAnEmptyTopology(t *testing.T) {
	fs := flag.NewFlagSet("none", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	New("none").Flags(fs)
	if err := fs.Parse([]string{"-run", "x"}); err == nil {
		t.Error("a role of no topology is taken")
	}
}
