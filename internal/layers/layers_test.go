// Package layers keeps the picture of the packages true: every import points down.
package layers

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const module = "github.com/troupe-go/troupe/"

// below says, for each package, which others of this module it may import. Examples and tests may import any.
var below = map[string][]string{
	"topology":        {"node", "actor", "codec", "mailbox", "mailbox/curve", "internal/pubsub", "internal/pipe", "internal/broker"},
	"internal/pipe":   {"mailbox"},
	"node":            {"actor", "codec", "mailbox", "mailbox/curve", "internal/zmtp", "internal/queue"},
	"node/gossip":     {"node"},
	"actor":           {"codec", "mailbox", "internal/queue"},
	"actor/actortest": {"actor"},
	"codec":           {},
	"mailbox":         {"internal/zmtp", "internal/memnet"},
	"mailbox/plain":   {"internal/zmtp"},
	"mailbox/curve":   {"internal/zmtp"},
	"internal/pubsub": {"mailbox"},
	"internal/broker": {"mailbox"},
	"internal/zmtp":   {"internal/memnet"},
	"internal/queue":  {},
	"internal/memnet": {},
	"internal/layers": {},

	// with dependencies of their own: nobody has to import them
	"topology/durable": {"topology"},

	// imported by tests only, see below
	"internal/logtest":    {},
	"internal/program":    {},
	"internal/pyzmq":      {},
	"internal/sockettest": {"mailbox", "internal/logtest"},
}

// imports returns, by package path inside the module, what each package imports outside its tests.
func imports(t *testing.T) map[string][]string {
	t.Helper()
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, module+"...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	packages := make(map[string][]string)
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		packages[strings.TrimPrefix(fields[0], module)] = fields[1:]
	}
	if len(packages) < len(below) {
		t.Fatalf("go list found %d packages of at least %d", len(packages), len(below))
	}
	return packages
}

func TestImportsPointDown(t *testing.T) {
	for name, list := range imports(t) {
		if strings.HasPrefix(name, "examples/") {
			continue
		}
		allowed, known := below[name]
		if !known {
			t.Errorf("package %s has no place in the picture: give it one in this test and in the README", name)
		}
		for _, path := range list {
			if own, ok := strings.CutPrefix(path, module); ok && !slices.Contains(allowed, own) {
				t.Errorf("%s imports %s, which is not below it", name, own)
			}
		}
	}
}

// Only internal/zmtp and mailbox know the ZeroMQ library; only codec knows msgpack's, only mailbox/curve cryptography, only
// topology YAML, and only node/gossip, which nobody has to import, memberlist.
func TestThirdPartyLibrariesHaveOnePlace(t *testing.T) {
	places := map[string][]string{
		"github.com/go-zeromq/zmq4":           {"internal/zmtp", "mailbox", "node"},
		"github.com/vmihailenco/msgpack/v5":   {"codec", "actor", "node"},
		"github.com/google/uuid":              {"actor", "node", "topology", "internal/pipe"},
		"golang.org/x/crypto":                 {"mailbox/curve"},
		"github.com/hashicorp/memberlist":     {"node/gossip"},
		"go.yaml.in/yaml/v3":                  {"topology"},
		"go.uber.org/goleak":                  {"internal/program"},
		"github.com/vmihailenco/tagparser/v2": {"codec"},
	}
	for name, list := range imports(t) {
		for _, path := range list {
			for library, where := range places {
				if (path == library || strings.HasPrefix(path, library+"/")) && !slices.Contains(where, name) {
					t.Errorf("%s imports %s, whose place is %v", name, path, where)
				}
			}
		}
	}
}

func TestOnlyTestsImportWhatIsForTests(t *testing.T) {
	forTests := []string{"internal/logtest", "internal/program", "internal/pyzmq", "internal/sockettest"}
	for name, list := range imports(t) {
		for _, path := range forTests {
			if slices.Contains(list, module+path) && !slices.Contains(forTests, name) {
				t.Errorf("%s imports %s outside its tests", name, path)
			}
		}
	}
}
