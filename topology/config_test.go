package topology

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/troupe-go/troupe/mailbox/curve"
)

func write(t testing.TB, dir, name, text string) (path string) {
	t.Helper()
	path = filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAConfigurationFileSaysWhereThingsAre(t *testing.T) {
	dir, key, peer := t.TempDir(), curve.NewKeyPair(), curve.NewKeyPair().Public()
	write(t, dir, "key", key.Secret()+"\n")
	path := write(t, dir, "shop.yaml", `
edges: {prices: "tcp://10.0.0.7:1", stock: "ipc:///run/stock"}
roles: {buyer: 4}
run: [buyer, pricer]
security:
  secret: key
  peers: ["`+peer.String()+`"]
  binders: {stock: "`+peer.String()+`"}
`)
	o, err := shop().ReadConfig(path)
	if err != nil {
		t.Fatal(err)
	}
	if o.At["prices"] != "tcp://10.0.0.7:1" || o.At["stock"] != "ipc:///run/stock" || o.Instances["buyer"] != 4 ||
		strings.Join(o.Run, " ") != "buyer pricer" || o.Processes {
		t.Errorf("got %+v", o)
	}
	if s := o.Security; s.Key.Public() != key.Public() || len(s.Peers) != 1 || s.Peers[0] != peer || s.Binders["stock"] != peer {
		t.Errorf("got %+v", s)
	}
}

func TestAnEmptyConfigurationFileChangesNothing(t *testing.T) {
	o, err := shop().ReadConfig(write(t, t.TempDir(), "x.yaml", "# nothing\n"))
	if err != nil || len(o.Run)+len(o.At)+len(o.Instances) > 0 || o.Security != nil {
		t.Errorf("got %+v, %v", o, err)
	}
}

func TestABadConfigurationFileIsNamedAndSaysWhy(t *testing.T) {
	for text, says := range map[string]string{
		"edges: {soup: inproc://x}":               "the edges are prices, stock",
		"edges: {stock: nonsense}":                "edge stock",
		"roles: {cook: 1}":                        "the roles are pricer",
		"roles: {buyer: 0}":                       "at least 1",
		"roles: {buyer: many}":                    "many",
		"run: [cook]":                             `"cook"`,
		"ran: [buyer]":                            "ran",
		"- 1":                                     "cannot unmarshal",
		"a: [":                                    "yaml",
		"run: [buyer]\n---\nrun: [pricer]":        "more than one",
		"security: {}":                            "secret",
		"security: {secret: none}":                "none",
		"security: {secret: bad}":                 "bad",
		"security: {secret: key, peers: [x]}":     "peers",
		"security: {secret: key, binders: {a: x}": "",
		strings.Repeat("#", maxFile+1):            "bytes",
	} {
		dir := t.TempDir()
		write(t, dir, "bad", "x")
		write(t, dir, "key", curve.NewKeyPair().Secret())
		_, err := shop().ReadConfig(write(t, dir, "the.yaml", text))
		if !errors.Is(err, ErrOptions) || !strings.Contains(err.Error(), "the.yaml") || !strings.Contains(err.Error(), says) {
			t.Errorf("%.40s: got %.200v, want it to say %q", text, err, says)
		}
	}
	if _, err := shop().ReadConfig("/does/not/exist"); !errors.Is(err, ErrOptions) || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: got %v", err)
	}
}

func TestFlagsGoBeforeVariablesAndThoseBeforeTheFile(t *testing.T) {
	path := write(t, t.TempDir(), "shop.yaml", "roles: {buyer: 2, auditor: 2}\nrun: [auditor]\n"+
		`edges: {prices: "inproc://file", stock: "inproc://file"}`)
	t.Setenv("TROUPE_CONFIG", path)
	t.Setenv("TROUPE_N", "buyer=3, auditor=3")
	t.Setenv("TROUPE_AT", "prices=tcp://a:1, tcp://b:1")
	o, _, err := parse(shop(), "-n", "buyer=4")
	if err != nil {
		t.Fatal(err)
	}
	given := *o // as Run has them
	o = &given
	if err := shop().complete(o); err != nil {
		t.Fatal(err)
	}
	if o.Instances["buyer"] != 4 || o.Instances["auditor"] != 2 {
		t.Errorf("-n, given as a flag, is the flag's and then the file's: got %v", o.Instances)
	}
	if o.At["prices"] != "tcp://a:1,tcp://b:1" || o.At["stock"] != "inproc://file" || len(o.Run) != 1 || o.Run[0] != "auditor" {
		t.Errorf("got %+v", o)
	}
}

func TestEachFlagHasAVariable(t *testing.T) {
	for name, value := range map[string]string{"run": "auditor", "n": "buyer=3", "at": "stock=inproc://x", "processes": "true",
		"log": "error", "config": write(t, t.TempDir(), "shop.yaml", "run: [pricer]")} {
		flags, _, err := parse(shop(), "-"+name+"="+value)
		if err != nil {
			t.Fatal(err)
		}
		t.Setenv(variable(name), value)
		variables, _, _ := parse(shop())
		want, got := *flags, *variables // as Run has them
		if err := errors.Join(shop().complete(&want), shop().complete(&got)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if fmt.Sprint(got.Run, got.Instances, got.At, got.Processes, got.level.Level()) !=
			fmt.Sprint(want.Run, want.Instances, want.At, want.Processes, want.level.Level()) {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
		os.Unsetenv(variable(name))
	}
}

func TestABadVariableIsNamed(t *testing.T) {
	for name, value := range map[string]string{"TROUPE_RUN": "cook", "TROUPE_N": "buyer=2,", "TROUPE_AT": "x",
		"TROUPE_PROCESSES": "perhaps", "TROUPE_LOG": "loud", "TROUPE_CONFIG": "/does/not/exist"} {
		t.Setenv(name, value)
		o, _, _ := parse(shop())
		given := *o
		err := shop().complete(&given)
		if !errors.Is(err, ErrOptions) || !strings.Contains(err.Error(), name) && name != "TROUPE_CONFIG" {
			t.Errorf("%s: got %v", name, err)
		}
		os.Unsetenv(name)
	}
}

func FuzzConfig(f *testing.F) {
	f.Add("edges: {prices: \"tcp://10.0.0.7:1\"}\nroles: {buyer: 4}\nrun: [buyer]\nprocesses: true\n")
	f.Add("security: {secret: key, peers: [x], binders: {stock: y}}")
	f.Add("a: &a [*a]\n<<: *a")
	f.Fuzz(func(t *testing.T, text string) {
		o, err := shop().parseConfig([]byte(text), "/does/not/exist")
		if err == nil && len(shop().checkOptions(o)) > 0 {
			t.Errorf("%q gives options that don't fit", text)
		}
	})
}
