package topology_test

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/troupe-go/troupe/codec"
	"github.com/troupe-go/troupe/internal/pyzmq"
	"github.com/troupe-go/troupe/topology"
)

// topicProtocol is the protocol's specification, whose programs these tests run.
//
//go:embed TOPIC.md
var topicProtocol string

// topicPrograms are the Python programs in it: a subscriber and a publisher.
var topicPrograms = strings.Split(topicProtocol, "```python\n")[1:]

// foreign is a Python program under test.
type foreign struct {
	t   *testing.T
	in  io.WriteCloser
	out *bufio.Scanner
}

// startForeign starts a program, which ends with the test.
func startForeign(t *testing.T, script string, args ...string) *foreign {
	t.Helper()
	script, _, _ = strings.Cut(script, "```")
	cmd := pyzmq.Command(t, script, args...)
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
	return &foreign{t, in, bufio.NewScanner(out)}
}

// expect reads the lines that the program writes next.
func (f *foreign) expect(want ...string) {
	f.t.Helper()
	for _, line := range want {
		if !f.out.Scan() || f.out.Text() != line {
			f.t.Fatalf("the program wrote %q, not %q", f.out.Text(), line)
		}
	}
}

func (f *foreign) write(lines ...string) {
	fmt.Fprintln(f.in, strings.Join(lines, "\n"))
}

// packed is an update as msgpack has it, in hexadecimal.
func packed(update string) string {
	b, err := codec.Msgpack.Append(nil, update)
	if err != nil {
		panic(err)
	}
	return hex.EncodeToString(b)
}

// runPart runs one role of a topology of the topic updates at an endpoint. wait waits for its end, and stop for the end that
// it brings about.
func runPart(t *testing.T, role, endpoint string, declare func(*topology.Topology, *topology.TopicEdge[string]),
	opts ...topology.EdgeOption) (wait, stop func()) {
	t.Helper()
	top := topology.New("weather")
	declare(top, topology.Topic(top, "updates", endpoint, word, opts...))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	ended := make(chan error, 1)
	go func() {
		ended <- top.Run(ctx, topology.Options{Run: []string{role}, Log: slog.New(slog.DiscardHandler)})
	}()
	wait = func() {
		t.Helper()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		cancel()
	}
	return wait, func() {
		t.Helper()
		cancel()
		wait()
	}
}

// publisherOf and subscriberOf declare both roles, the other of which is foreign.
func publisherOf(publish func(context.Context, *outlet) error) func(*topology.Topology, *topology.TopicEdge[string]) {
	return func(top *topology.Topology, e *topology.TopicEdge[string]) {
		topology.Publisher(top, "server", e, publish)
		topology.Subscriber(top, "client", e, func(context.Context, *inlet) error { return nil })
	}
}

func subscriberOf(subscribe func(context.Context, *inlet) error) func(*topology.Topology, *topology.TopicEdge[string]) {
	return func(top *topology.Topology, e *topology.TopicEdge[string]) {
		topology.Publisher(top, "server", e, func(context.Context, *outlet) error { return nil })
		topology.Subscriber(top, "client", e, subscribe)
	}
}

func TestAForeignSubscriberReadsTheProtocol(t *testing.T) {
	pyzmq.Command(t, "")
	endpoint := "tcp://" + freeAddress(t)
	_, stop := runPart(t, "server", endpoint, publisherOf(func(ctx context.Context, out *outlet) error {
		for _, u := range []string{"10001 1", "10002 2", "10001 3"} {
			if err := out.Publish(ctx, u); err != nil {
				return err
			}
		}
		if err := out.WaitSubscribers(ctx, 1); err != nil {
			return err
		}
		for _, u := range []string{"1000 1", "100010 2", "10001 4", "10002 5", "10001 6"} {
			if err := out.Publish(ctx, u); err != nil {
				return err
			}
		}
		return nil
	}), topology.LastValueCache(10))
	client := startForeign(t, topicPrograms[0], endpoint, "updates", "10001")
	client.expect("update "+packed("10001 3"), "update "+packed("10001 4"), "update "+packed("10001 6"))
	stop()
}

func TestAForeignSubscriberOfAnotherTopicIsRefused(t *testing.T) {
	pyzmq.Command(t, "")
	endpoint := "tcp://" + freeAddress(t)
	_, stop := runPart(t, "server", endpoint, publisherOf(func(ctx context.Context, out *outlet) error { return nil }))
	script := strings.Replace(topicPrograms[0], `sys.exit("refused: " + frames[1].decode())`, `sys.exit(print("refused:", frames[1].decode()))`, 1)
	client := startForeign(t, script, endpoint, "sports", "10001")
	client.expect(`refused: this is "troupe-topic/1 updates", and you want "troupe-topic/1 sports"`)
	stop()
}

func TestAForeignPublisherSpeaksTheProtocol(t *testing.T) {
	pyzmq.Command(t, "")
	endpoint := "tcp://" + freeAddress(t)
	got := make(chan []string, 1)
	wait, _ := runPart(t, "client", endpoint, subscriberOf(func(ctx context.Context, in *inlet) error {
		if err := in.Subscribe(ctx, "10001", "end"); err != nil {
			return err
		}
		got <- next(ctx, in, 3)
		return nil
	}))
	server := startForeign(t, topicPrograms[1], endpoint, "updates")
	for _, u := range []string{"10001 1", "10002 2", "100010 3", "10001 4", "end"} {
		server.write(word(u) + " " + packed(u))
	}
	if updates := <-got; !slices.Equal(updates, []string{"10001 1", "10001 4", "end"}) {
		t.Error(updates)
	}
	wait()
}

// The Guide's weather client, in Python.
const plainSubscriber = `
import sys, zmq
sub = zmq.Context().socket(zmq.SUB)
sub.connect(sys.argv[1])
sub.subscribe(sys.argv[2])
for _ in range(int(sys.argv[3])):
    print(sub.recv_string())
`

// The Guide's weather server, in Python: it binds, or connects, and publishes over and over.
const plainPublisher = `
import itertools, sys, time, zmq
pub = zmq.Context().socket(zmq.PUB)
if sys.argv[2] == "bind":
    pub.bind(sys.argv[1])
else:
    pub.connect(sys.argv[1])
for i in itertools.count():
    for zip in "1000", "10001", "100010", "10002":
        pub.send_string("%s %d" % (zip, i))
    time.sleep(0.001)
`

func TestAForeignSubscriberReadsPlainZeroMQ(t *testing.T) {
	pyzmq.Command(t, "")
	endpoint := "tcp://" + freeAddress(t)
	_, stop := runPart(t, "server", endpoint, func(top *topology.Topology, e *topology.TopicEdge[string]) {
		topology.Publisher(top, "server", e, publishAll("10001 1", "10002 2", "100010 3", "10001 4"))
	}, topology.ZMQ(codec.Raw))
	startForeign(t, plainSubscriber, endpoint, "10001 ", "2").expect("10001 1", "10001 4")
	stop()
}

func TestAForeignPublisherSendsPlainZeroMQ(t *testing.T) {
	pyzmq.Command(t, "")
	for _, who := range []string{"bind", "connect"} {
		for _, exact := range []bool{true, false} {
			endpoint := "tcp://" + freeAddress(t)
			got := make(chan []string, 1)
			wait, _ := runPart(t, "client", endpoint, func(top *topology.Topology, e *topology.TopicEdge[string]) {
				var opts []topology.RoleOption
				if who == "connect" {
					opts = append(opts, topology.Binds(e))
				}
				topology.Subscriber(top, "client", e, func(ctx context.Context, in *inlet) error {
					var err error
					if exact {
						err = in.Subscribe(ctx, "10001")
					} else {
						err = in.SubscribePrefix(ctx, "10001 ")
					}
					got <- next(ctx, in, 5)
					return err
				}, opts...)
			}, topology.ZMQ(codec.Raw))
			startForeign(t, plainPublisher, endpoint, who)
			updates := <-got
			var first int
			if len(updates) < 5 {
				t.Fatal(updates)
			}
			fmt.Sscanf(updates[0], "10001 %d", &first)
			for i, u := range updates {
				if u != fmt.Sprint("10001 ", first+i) {
					t.Error(who, exact, updates)
					break
				}
			}
			wait()
		}
	}
}
