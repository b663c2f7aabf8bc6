package bench

import (
	"fmt"
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	if side := os.Getenv(envChild); side != "" {
		child(side, os.Args[1:])
		return
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "troupe-bench")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	scratch = dir
	return m.Run()
}
