package actor_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/actor"
)

// crew spawns, under a supervisor, actors that log their hooks and what they handle: "fail" fails, "sulk" makes the next
// start fail, "stop" stops.
type crew struct {
	log  list[string]
	boss actor.Ref[func(*actor.Context) error]
	refs map[string]actor.Ref[string]
	mu   sync.Mutex
	sulk map[string]int
}

// It waits for the first start hook: those of siblings would run at the same time.
func (w *crew) spawn(c *actor.Context, name string, opts ...actor.Option) error {
	begun := make(chan struct{}, 100)
	ref, err := actor.SpawnNew(c, name, func() *player[string] {
		return &player[string]{
			start: func(*actor.Context) error {
				w.mu.Lock()
				defer w.mu.Unlock()
				defer func() { begun <- struct{}{} }()
				if w.sulk[name] > 0 {
					w.sulk[name]--
					w.log.add("can't start " + name)
					return errOwn
				}
				w.log.add("start " + name)
				return nil
			},
			stop: func(*actor.Context) error { w.log.add("stop " + name); return nil },
			receive: func(c *actor.Context, m string) error {
				switch m {
				case "fail":
					return errOwn
				case "stop":
					c.Stop()
					return nil
				case "panic":
					panic(m)
				case "hang":
					<-c.Done()
					return nil
				case "hang for ever":
					time.Sleep(1000 * time.Hour)
					return nil
				}
				w.log.add(name + ": " + m)
				return c.Reply(m)
			},
		}
	}, opts...)
	if w.refs[name] = ref; err == nil {
		<-begun
	}
	return err
}

func hire(t *testing.T, s *actor.System, how actor.Supervision, spawn func(w *crew, c *actor.Context) error) *crew {
	t.Helper()
	w := &crew{refs: map[string]actor.Ref[string]{}, sulk: map[string]int{}}
	var err error
	w.boss, err = actor.SpawnNew(s, "boss", func() *player[func(*actor.Context) error] {
		return &player[func(*actor.Context) error]{
			start:   func(c *actor.Context) error { w.log.add("start boss"); return spawn(w, c) },
			stop:    func(*actor.Context) error { w.log.add("stop boss"); return nil },
			receive: func(c *actor.Context, f func(*actor.Context) error) error { return f(c) },
		}
	}, actor.Supervise(how))
	if err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
	return w
}

// heard returns the log since the last call.
func (w *crew) heard() []string {
	synctest.Wait()
	w.log.mu.Lock()
	defer w.log.mu.Unlock()
	items := w.log.items
	w.log.items = nil
	return items
}

func (w *crew) want(t *testing.T, want ...string) {
	t.Helper()
	if got := w.heard(); !slices.Equal(got, want) {
		t.Fatalf("got  %q\nwant %q", got, want)
	}
}

func trio(w *crew, c *actor.Context) error {
	return errors.Join(w.spawn(c, "db"), w.spawn(c, "reader"), w.spawn(c, "writer"))
}

func TestARestartConcernsWhomTheStrategySays(t *testing.T) {
	for _, test := range []struct {
		strategy actor.Strategy
		want     []string
	}{
		{actor.OneForOne, []string{"stop reader", "start reader"}},
		{actor.RestForOne, []string{"stop writer", "stop reader", "start reader", "start writer"}},
		{actor.OneForAll, []string{"stop writer", "stop reader", "stop db", "start db", "start reader", "start writer"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := start(t, actor.Config{})
			w := hire(t, s, steady(test.strategy, 5), trio)
			w.want(t, "start boss", "start db", "start reader", "start writer")
			tell(t, s, w.refs["reader"], "fail")
			synctest.Wait()
			for _, name := range []string{"db", "reader", "writer"} { // who is stopped handles it when it starts again
				tell(t, s, w.refs[name], "hello")
			}
			time.Sleep(time.Minute)
			got := w.heard()
			hooks := slices.DeleteFunc(slices.Clone(got), func(s string) bool { return strings.Contains(s, ":") })
			if !slices.Equal(hooks, test.want) {
				t.Fatalf("got  %q\nwant %q", hooks, test.want)
			}
			if len(got) != len(hooks)+3 {
				t.Fatalf("%q", got)
			}
			wantDead(t, s, map[actor.Reason]uint64{actor.Failed: 1})
		})
	}
}

func TestSiblingsThatFailTogetherRestartOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{})
		w := hire(t, s, steady(actor.OneForAll, 5), trio)
		w.heard()
		for _, ref := range w.refs {
			tell(t, s, ref, "fail", "hello")
		}
		time.Sleep(time.Minute)
		got := w.heard()
		counts := map[string]int{}
		for _, line := range got {
			counts[line]++
		}
		for _, name := range []string{"db", "reader", "writer"} {
			if counts["start "+name] != counts["stop "+name] || counts["start "+name] == 0 || counts[name+": hello"] != 1 {
				t.Fatalf("%q", got)
			}
		}
		wantDead(t, s, map[actor.Reason]uint64{actor.Failed: 3})
	})
}

func TestAMemberThatCannotStartMakesAllStartAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{})
		w := hire(t, s, steady(actor.OneForAll, 3), trio)
		w.heard()
		w.sulk["reader"] = 1
		tell(t, s, w.refs["writer"], "fail", "hello")
		time.Sleep(time.Minute)
		w.want(t, "stop writer", "stop reader", "stop db", "start db", "can't start reader",
			"stop db", "start db", "start reader", "start writer", "writer: hello")
		// Beyond the intensity everything is the boss's failure, and it starts anew.
		w.sulk["db"] = 3
		tell(t, s, w.refs["reader"], "fail")
		time.Sleep(time.Minute)
		w.want(t, "stop writer", "stop reader", "stop db", "can't start db", "can't start db", "can't start db",
			"stop boss", "start boss", "start db", "start reader", "start writer")
	})
}
