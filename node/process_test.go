package node

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/troupe-go/troupe/actor"
)

// childEnv has the endpoint of node alpha for a process that is node beta.
const childEnv = "TROUPE_NODE_TEST_CHILD"

// child is the other process: beta, which dials alpha and greets. It ends when its input does.
func child() {
	n, err := Start(context.Background(), Config{Name: "beta", Listen: []string{"tcp://127.0.0.1:0"},
		Peers: map[string]string{"alpha": os.Getenv(childEnv)}, Down: quickDown})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	_, err = actor.Spawn(n, "greeter", func(c *actor.Context, name string) error {
		s, err := ask(c, to("greeter@alpha"), name, 10*time.Second)
		if err != nil {
			return err
		}
		return c.Reply(fmt.Sprintf("%d says that %s", os.Getpid(), s))
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var seen numbers
	_, err = actor.Spawn(n, "inbox", func(c *actor.Context, m string) error {
		if m == "how many" {
			return c.Reply(fmt.Sprint(seen))
		}
		seen.add(m)
		return nil
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
	n.Close(context.Background())
}

// quickDown is Config.Down where it has to be waited for in real time.
const quickDown = time.Second

// numbers are what came of numbered messages, which should be all of them in their order.
type numbers struct{ Good, Bad int }

func (n *numbers) add(m string) {
	if m == numbered(n.Good) {
		n.Good++
	} else {
		n.Bad++
	}
}

// process starts this test binary as beta.
func process(t *testing.T, alpha string) (cmd *exec.Cmd, quit io.Closer) {
	t.Helper()
	cmd = exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+alpha)
	cmd.Stderr = os.Stderr
	if testing.Short() || !testing.Verbose() {
		cmd.Stderr = nil
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("the other process said %q, %v", line, err)
	}
	return cmd, in
}

// C26: the other process is killed and started anew, and both directions work again.
func TestProcessIsKilledAndComesBack(t *testing.T) {
	alpha := start(t, Config{Name: "alpha", Listen: []string{"tcp://127.0.0.1:0"}})
	_, err := actor.Spawn(alpha, "greeter", func(c *actor.Context, name string) error {
		return c.Reply(name + " is on stage")
	})
	if err != nil {
		t.Fatal(err)
	}
	var quit io.Closer
	for round := range 3 {
		var cmd *exec.Cmd
		cmd, quit = process(t, alpha.Endpoints()[0].String())
		want := fmt.Sprintf("%d says that Ada is on stage", cmd.Process.Pid)
		eventually(t, want, func() bool {
			s, err := ask(alpha, to("greeter@beta"), "Ada", 5*time.Second)
			if err != nil && !strings.Contains(err.Error(), "no such node") && !strings.Contains(err.Error(), "unreachable") {
				t.Log(err)
			}
			return s == want
		})
		if round < 2 {
			cmd.Process.Kill()
			cmd.Wait()
		}
	}
	quit.Close()
	eventually(t, "beta says that it ends", func() bool {
		return to("greeter@beta").Tell(alpha, "x") != nil || alpha.peers.get("beta").present() == nil
	})
}
