package topology_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/troupe-go/troupe/topology"
)

func init() { programs["news"] = newsProgram }

// newsProgram is a topic whose publisher publishes the number of its process, and whose subscriber prints what it gets: -updates
// of them.
func newsProgram() {
	n := flag.Int("updates", 3, "")
	t := topology.New("news")
	edge := topology.Topic(t, "news", "tcp://127.0.0.1:5556", word, topology.LastValueCache(10))
	topology.Publisher(t, "publisher", edge, func(ctx context.Context, out *outlet) error {
		for ctx.Err() == nil {
			if err := out.Publish(ctx, fmt.Sprint("a ", os.Getpid())); err != nil {
				return err
			}
			time.Sleep(time.Millisecond)
		}
		return nil
	})
	topology.Subscriber(t, "subscriber", edge, func(ctx context.Context, in *inlet) error {
		if err := in.Subscribe(ctx, "a"); err != nil {
			return err
		}
		publishers := map[string]bool{}
		got := 0
		for u := range in.All(ctx) {
			if publishers[u] = true; got == 0 {
				fmt.Println("subscriber gets updates")
			}
			if got++; got == *n {
				break
			}
		}
		fmt.Println("subscriber done: missed", in.Missed(), "publishers", len(publishers))
		return ctx.Err()
	})
	topology.Main(t)
}

func TestPublisherAndSubscribersAreProcesses(t *testing.T) {
	p := start(t, "news", "-processes", "-n", "subscriber=3", "-updates", "20")
	if got := p.status(0); got != 0 || strings.Count(p.Out.String(), "subscriber done: missed 0 publishers 1") != 3 {
		t.Errorf("status %d\n%s", got, p.Out.String())
	}
}

func TestSubscribersGoOnWithAPublisherThatIsStartedAgain(t *testing.T) {
	p := start(t, "news", "-processes", "-updates", "1000")
	p.says("subscriber gets updates")
	p.killChild("publisher")
	if got := p.status(0); got != 0 || !strings.Contains(p.Out.String(), "subscriber done: missed 0 publishers 2") {
		t.Errorf("status %d\n%s", got, p.Out.String())
	}
}

func TestAPublisherThatServesAloneEndsWithASignal(t *testing.T) {
	p := start(t, "news", "-run", "publisher", "-at", "news=tcp://"+freeAddress(t))
	p.says("publishing")
	p.Cmd.Process.Signal(os.Interrupt)
	if got := p.status(0); got != 0 {
		t.Errorf("status %d\n%s", got, p.Out.String())
	}
}
