package topology_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/troupe-go/troupe/codec"
	"github.com/troupe-go/troupe/mailbox"
	"github.com/troupe-go/troupe/topology"
)

// question and answer are what the services of these tests carry: what no plain codec could.
type question struct {
	Text  string
	Count int
}

type reply struct {
	Text  string
	Parts []int
}

type (
	edge   = topology.ServiceEdge[question, reply]
	asker  = topology.Caller[question, reply]
	handle = func(context.Context, question) (reply, error)
)

var errSoldOut = errors.New("sold out")

func init() {
	if err := codec.RegisterError(errSoldOut, "topology_test.sold_out"); err != nil {
		panic(err)
	}
}

// offer declares a service without ZMQ, of which server declares the servers, and a client that does work.
func offer(server func(*topology.Topology, *edge), work func(context.Context, *asker) error, opts ...topology.EdgeOption) *topology.Topology {
	t := topology.New("shop")
	e := topology.Service[question, reply](t, "echo", "tcp://127.0.0.1:5555", opts...)
	server(t, e)
	topology.Client(t, "client", e, work)
	return t
}

// by declares a server.
func by(h handle, opts ...topology.RoleOption) func(*topology.Topology, *edge) {
	return func(t *topology.Topology, e *edge) { topology.Server(t, "server", e, h, opts...) }
}

// everywhere runs a test in each of the places where a service can be, with a front and with a server that binds.
func everywhere(t *testing.T, test func(t *testing.T, run func(*topology.Topology) error)) {
	for name, o := range places(t) {
		t.Run(name, func(t *testing.T) {
			test(t, func(top *topology.Topology) error {
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				return top.Run(ctx, o)
			})
		})
	}
}

func TestAServiceCarriesValuesAndErrors(t *testing.T) {
	everywhere(t, func(t *testing.T, run func(*topology.Topology) error) {
		err := run(offer(by(func(_ context.Context, q question) (reply, error) {
			switch q.Text {
			case "sell":
				return reply{}, fmt.Errorf("apples: %w", errSoldOut)
			case "panic":
				panic("at the disco")
			}
			return reply{"re: " + q.Text, make([]int, q.Count)}, nil
		}), func(ctx context.Context, c *asker) error {
			r, err := c.Call(ctx, question{"hello", 3})
			if err != nil || r.Text != "re: hello" || len(r.Parts) != 3 {
				t.Errorf("got %v, %v", r, err)
			}
			if _, err := c.Call(ctx, question{Text: "sell"}); !errors.Is(err, errSoldOut) || err.Error() != "apples: sold out" {
				t.Errorf("an error arrives as %v", err)
			}
			if _, err := c.Call(ctx, question{Text: "panic"}); err == nil || err.Error() != "panic: at the disco" {
				t.Errorf("a panic arrives as %v", err)
			}
			r, err = c.Call(ctx, question{Text: "still there"})
			if err != nil || r.Text != "re: still there" {
				t.Errorf("after a panic: %v, %v", r, err)
			}
			return nil
		}))
		if err != nil {
			t.Error(err)
		}
	})
}

func TestManyCallAtOnceAndEachInstanceServesOneAtATime(t *testing.T) {
	everywhere(t, func(t *testing.T, run func(*topology.Topology) error) {
		var mu sync.Mutex
		atWork, most, served := map[int]bool{}, 0, map[int]int{}
		instances := 0
		server := func(top *topology.Topology, e *edge) {
			topology.ServerNew(top, "server", e, func(context.Context) (handle, error) {
				mu.Lock()
				defer mu.Unlock()
				me := instances
				instances++
				return func(_ context.Context, q question) (reply, error) {
					mu.Lock()
					if atWork[me] {
						t.Error("an instance serves two calls at once")
					}
					atWork[me] = true
					most = max(most, len(atWork))
					served[me]++
					mu.Unlock()
					time.Sleep(time.Millisecond)
					mu.Lock()
					defer mu.Unlock()
					delete(atWork, me)
					return reply{Text: q.Text}, nil
				}, nil
			}, topology.Instances(3))
		}
		err := run(offer(server, func(ctx context.Context, c *asker) error {
			var all sync.WaitGroup
			for i := range 20 {
				all.Go(func() {
					for j := range 10 {
						text := fmt.Sprint(i, " ", j)
						if r, err := c.Call(ctx, question{Text: text}); err != nil || r.Text != text {
							t.Errorf("%s: %v, %v", text, r, err)
						}
					}
				})
			}
			all.Wait()
			return nil
		}))
		if err != nil || most != 3 || len(served) != 3 {
			t.Errorf("%d at work at once, served %v; %v", most, served, err)
		}
	})
}

func TestAStateIsMadeForEachInstanceAndAnewAfterAPanic(t *testing.T) {
	everywhere(t, func(t *testing.T, run func(*topology.Topology) error) {
		made := 0
		server := func(top *topology.Topology, e *edge) {
			topology.ServerNew(top, "server", e, func(context.Context) (handle, error) {
				if made++; made == 1 {
					return nil, errors.New("not yet")
				}
				count := 0
				return func(_ context.Context, q question) (reply, error) {
					count++
					if q.Text == "panic" {
						panic("lost count")
					}
					return reply{Text: fmt.Sprint(count)}, nil
				}, nil
			})
		}
		err := run(offer(server, func(ctx context.Context, c *asker) error {
			got := ""
			for _, q := range []string{"", "", "panic", "", ""} {
				r, err := c.Call(ctx, question{Text: q})
				if err != nil {
					r.Text = "!"
				}
				got += r.Text
			}
			if got != "12!12" {
				t.Errorf("counted %s", got)
			}
			return nil
		}))
		if err != nil || made != 3 {
			t.Errorf("made %d times, %v", made, err)
		}
	})
}

func TestAHandlersContextEndsWithItsCall(t *testing.T) {
	everywhere(t, func(t *testing.T, run func(*topology.Topology) error) {
		begun, ended := make(chan bool, 1), make(chan error, 1)
		err := run(offer(by(func(ctx context.Context, q question) (reply, error) {
			if q.Text != "wait" {
				return reply{Text: "re"}, nil
			}
			begun <- true
			if _, ok := ctx.Deadline(); ok != (q.Count == 1) {
				t.Errorf("a deadline: %v", ok)
			}
			<-ctx.Done()
			ended <- ctx.Err()
			time.Sleep(10 * time.Millisecond)
			return reply{Text: "late"}, nil
		}), func(ctx context.Context, c *asker) error {
			short, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			if _, err := c.Call(short, question{"wait", 1}); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
			<-begun
			<-ended
			given, giveUp := context.WithCancel(ctx)
			go func() {
				<-begun
				giveUp()
			}()
			if _, err := c.Call(given, question{"wait", 0}); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Errorf("the handler's context: %v", err)
			}
			if r, err := c.Call(ctx, question{Text: "next"}); err != nil || r.Text != "re" {
				t.Errorf("the next call: %v, %v", r, err)
			}
			return nil
		}))
		if err != nil {
			t.Error(err)
		}
	})
}

// counts declares a server that sends the numbers up to a question's, then fails if its text says so.
func counts(t *topology.Topology, e *edge) {
	topology.StreamServer(t, "server", e, func(ctx context.Context, q question, send func(reply) error) error {
		for i := range q.Count {
			if err := send(reply{Parts: []int{i}}); err != nil {
				return err
			}
		}
		if q.Text == "fail" {
			return errSoldOut
		}
		return nil
	})
}

// read reads a stream, and returns how many parts came and the error at its end.
func read(parts iter.Seq2[reply, error]) (n int, err error) {
	for r, err := range parts {
		switch {
		case err != nil:
			return n, err
		case len(r.Parts) != 1 || r.Parts[0] != n:
			return n, fmt.Errorf("part %d is %v", n, r)
		}
		n++
	}
	return n, nil
}

func TestAStreamComesWholeAndInOrder(t *testing.T) {
	everywhere(t, func(t *testing.T, run func(*topology.Topology) error) {
		err := run(offer(counts, func(ctx context.Context, c *asker) error {
			for _, n := range []int{0, 1, 1000} {
				if got, err := read(c.Stream(ctx, question{Count: n})); got != n || err != nil {
					t.Errorf("%d of %d parts, %v", got, n, err)
				}
			}
			if got, err := read(c.Stream(ctx, question{"fail", 70})); got != 70 || !errors.Is(err, errSoldOut) {
				t.Errorf("%d parts, %v", got, err)
			}
			for range c.Stream(ctx, question{Count: 1 << 40}) {
				break
			}
			short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
			defer cancel()
			if _, err := read(c.Stream(short, question{Count: 1 << 40})); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
			if _, err := c.Call(ctx, question{}); err == nil || !strings.Contains(err.Error(), "use Stream") {
				t.Errorf("a Call for a stream: %v", err)
			}
			return nil
		}))
		if err != nil {
			t.Error(err)
		}
	})
}

func TestAReplyMayBeReadAsAStream(t *testing.T) {
	everywhere(t, func(t *testing.T, run func(*topology.Topology) error) {
		err := run(offer(by(func(_ context.Context, q question) (reply, error) {
			if q.Text == "fail" {
				return reply{}, errSoldOut
			}
			return reply{Parts: []int{0}}, nil
		}), func(ctx context.Context, c *asker) error {
			if n, err := read(c.Stream(ctx, question{})); n != 1 || err != nil {
				t.Errorf("%d parts, %v", n, err)
			}
			if n, err := read(c.Stream(ctx, question{Text: "fail"})); n != 0 || !errors.Is(err, errSoldOut) {
				t.Errorf("%d parts, %v", n, err)
			}
			return nil
		}))
		if err != nil {
			t.Error(err)
		}
	})
}

func TestAServerMayCallAnotherService(t *testing.T) {
	for name, o := range places(t) {
		t.Run(name, func(t *testing.T) {
			top := topology.New("shop")
			front := topology.Service[question, reply](top, "echo", "tcp://127.0.0.1:5555")
			back := topology.Service[int, int](top, "back", "tcp://127.0.0.1:5556")
			topology.Server(top, "doubler", back, func(_ context.Context, n int) (int, error) { return 2 * n, nil })
			topology.Server(top, "server", front, func(ctx context.Context, q question) (reply, error) {
				n, err := back.Call(ctx, q.Count)
				if err != nil {
					return reply{}, err
				}
				for m, err := range back.Stream(ctx, n) {
					if err != nil {
						return reply{}, err
					}
					n = m
				}
				return reply{Text: fmt.Sprint(n)}, nil
			}, topology.Uses(back))
			topology.Client(top, "client", front, func(ctx context.Context, c *asker) error {
				if r, err := c.Call(ctx, question{Count: 5}); r.Text != "20" || err != nil {
					t.Errorf("got %v, %v", r, err)
				}
				if _, err := back.Call(ctx, 1); !errors.Is(err, topology.ErrDeclared) {
					t.Errorf("without Uses: %v", err)
				}
				if _, err := read(front.Stream(ctx, question{})); !errors.Is(err, topology.ErrDeclared) {
					t.Errorf("without Uses: %v", err)
				}
				return nil
			})
			if err := top.Run(t.Context(), o); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestACallAfterTheClientsEndFails(t *testing.T) {
	everywhere(t, func(t *testing.T, run func(*topology.Topology) error) {
		var kept *asker
		err := run(offer(by(func(context.Context, question) (reply, error) { return reply{}, nil }),
			func(ctx context.Context, c *asker) error {
				kept = c
				return nil
			}))
		if err != nil {
			t.Error(err)
		}
		if _, err := kept.Call(t.Context(), question{}); !errors.Is(err, mailbox.ErrClosed) {
			t.Errorf("got %v", err)
		}
	})
}
