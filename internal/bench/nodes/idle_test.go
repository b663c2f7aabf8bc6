package nodes

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/node"
)

const (
	links    = 1000
	idleTime = time.Second          // after which all is freed that an idle link does not need
	envCrowd = "TROUPE_BENCH_CROWD" // the endpoint, for a process that is the nodes at the other ends
)

// BenchmarkIdleLinks reports the memory that each of a thousand links takes at the node that they all lead to.
func BenchmarkIdleLinks(b *testing.B) {
	for range b.N {
		idleLinks(b)
	}
}

func idleLinks(b *testing.B) {
	n, err := startNode(node.Config{Name: far, Listen: []string{"tcp://127.0.0.1:*"}})
	if err != nil {
		b.Fatal(err)
	}
	defer n.Close(b.Context())
	came, ended := make(chan struct{}, links), make(chan error, 1)
	_, err = actor.Spawn(n, "door", func(*actor.Context, bool) error {
		came <- struct{}{}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	before := memory()
	stop := startCrowd(b, n.Endpoints()[0].String(), ended)
	defer stop()
	late := time.After(time.Minute)
	for i := range links {
		select {
		case <-came:
		case err := <-ended:
			b.Fatalf("the process of the other nodes ended: %v", err)
		case <-late:
			b.Fatalf("%d of %d nodes have linked", i, links)
		}
	}
	time.Sleep(idleTime)
	b.ReportMetric(float64(memory()-before)/links, "B/link")
	b.ReportMetric(0, "ns/op") // would be of no use
}

// startCrowd starts the process of the other nodes. Its end goes to ended.
func startCrowd(b *testing.B, endpoint string, ended chan<- error) (stop func()) {
	program, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), envCrowd+"="+endpoint)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	gone := make(chan struct{})
	go func() {
		ended <- cmd.Wait()
		close(gone)
	}()
	return func() {
		stdin.Close()
		<-gone
	}
}

// crowd is nodes that link to the one at endpoint, say so to an actor there, and are idle until the standard input ends.
func crowd(endpoint string) {
	for i := range links {
		n, err := startNode(node.Config{Name: fmt.Sprintf("near-%d", i), Peers: map[string]string{far: endpoint}})
		if err == nil {
			err = actor.RefTo[bool](actor.Named("door@"+far)).Tell(n, true)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	io.Copy(io.Discard, os.Stdin)
}

// memory returns how many bytes of heap and stacks are in use.
func memory() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}
