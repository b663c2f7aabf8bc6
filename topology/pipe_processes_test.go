package topology_test

import "testing"

func TestStreamEndsWithEveryRoleInAProcess(t *testing.T) {
	p := start(t, "farm", "-processes", "-n", "worker=3")
	if p.status(0) != 0 {
		t.Error(p.Cmd.ProcessState)
	}
	p.says("results=100 distinct=100")
}
