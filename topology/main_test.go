package topology_test

import (
	"flag"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain is also the main of programs under test: a test starts this binary again with the variable set to the name of
// one of them, and so do the runs as processes in it.
func TestMain(m *testing.M) {
	if name := os.Getenv("TOPOLOGY_TEST_PROGRAM"); name != "" {
		flag.CommandLine = flag.NewFlagSet(os.Args[0], flag.ExitOnError) // without the test's own flags
		programs[name]()
		panic("the program's main returned")
	}
	goleak.VerifyTestMain(m)
}
