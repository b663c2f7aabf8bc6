package actortest_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/actor/actortest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// thermostat tells where it was told to when it has become too warm, and refuses to be asked for the impossible.
type thermostat struct {
	alarm actor.Ref[any]
	limit int
}

func (a *thermostat) Receive(c *actor.Context, degrees int) error {
	switch {
	case degrees < -273:
		return c.Reply(fmt.Errorf("%d degrees", degrees))
	case degrees > 1000:
		return fmt.Errorf("%d degrees", degrees)
	case degrees > a.limit:
		c.After(3*time.Second, func() error { return a.alarm.Tell(c, fmt.Sprint(degrees, " degrees")) })
	}
	return c.Reply(degrees)
}

func TestOneActorIsRunWithoutANode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ref, probe := actortest.Run[int](t, func(probe actor.Ref[any]) *thermostat {
			return &thermostat{alarm: probe, limit: 30}
		}, actor.Restart(actor.Temporary))
		in := probe.System()
		if err := ref.Tell(in, 20); err != nil {
			t.Fatal(err)
		}
		probe.ExpectNone(time.Hour)
		began := time.Now()
		if err := ref.Tell(in, 31); err != nil {
			t.Fatal(err)
		}
		probe.Expect("31 degrees")
		if took := time.Since(began); took != 3*time.Second {
			t.Fatalf("took %v", took)
		}
		probe.Watch(ref.PID())
		if err := ref.Tell(in, 2000); err != nil {
			t.Fatal(err)
		}
		probe.ExpectTerminated(ref.PID(), actor.Failed)
	})
}

func TestAProbeAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := actortest.Start(t, actor.Config{})
		probe := actortest.NewProbe[int](t, s)
		_, err := probe.Ref().Ask(t.Context(), s, 1)
		if err == nil {
			t.Fatal("a reply that nobody gave")
		}
		probe.Replies(func(n int) any { return 2 * n })
		if got, err := actor.As[int](probe.Ref().Ask(t.Context(), s, 3)); got != 6 || err != nil {
			t.Fatal(got, err)
		}
		if got := probe.Next(); got != 1 {
			t.Fatal(got)
		}
		probe.Expect(3)
	})
}

// failing is a testing.TB whose Fatalf is expected.
type failing struct {
	testing.TB
	text string
}

func (f *failing) Helper() {}
func (f *failing) Fatalf(format string, args ...any) {
	f.text = fmt.Sprintf(format, args...)
	panic(f)
}

// fails runs f, which must end the test that it is given, and returns with what text.
func fails(t *testing.T, f func(t testing.TB)) (text string) {
	t.Helper()
	fake := &failing{TB: t}
	defer func() {
		if recover() != fake {
			t.Error("the test went on")
		}
		text = fake.text
	}()
	f(fake)
	return ""
}

func TestAProbeThatDoesNotGetWhatItExpectsEndsTheTest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := actortest.Start(t, actor.Config{})
		began := time.Now()
		for what, f := range map[string]func(p *actortest.Probe[int]){
			"did not get a int":         func(p *actortest.Probe[int]) { p.Next() },
			"did not get 7":             func(p *actortest.Probe[int]) { p.Expect(7) },
			"did not get {PID: Reason:": func(p *actortest.Probe[int]) { p.ExpectTerminated(actor.PID{}, actor.Stopped) },
		} {
			if text := fails(t, func(t testing.TB) { f(actortest.NewProbe[int](t, s)) }); !strings.Contains(text, what) {
				t.Errorf("%q", text)
			}
		}
		if took := time.Since(began); took != 3*actortest.Patience {
			t.Fatalf("took %v", took)
		}
		for what, f := range map[string]func(p *actortest.Probe[int]){
			"got 1, not 7":       func(p *actortest.Probe[int]) { p.Expect(7) },
			"got 1, not nothing": func(p *actortest.Probe[int]) { p.ExpectNone(time.Second) },
			"heard {PID: Reason:no such actor}, not": func(p *actortest.Probe[int]) {
				p.Watch(actor.PID{})
				p.ExpectTerminated(actor.PID{}, actor.Stopped)
			},
		} {
			text := fails(t, func(t testing.TB) {
				p := actortest.NewProbe[int](t, s)
				if err := p.Ref().Tell(s, 1); err != nil {
					t.Fatal(err)
				}
				f(p)
			})
			if !strings.Contains(text, what) {
				t.Errorf("%q", text)
			}
		}
	})
}
