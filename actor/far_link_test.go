package actor_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/troupe-go/troupe/actor"
)

// C51, C52: from one another's nodes, as within one.
func TestAFailureEndsWhoIsLinkedElsewhereToo(t *testing.T) {
	fail := func(*actor.Context) error { return errOwn }
	for _, test := range []struct {
		what   string
		made   func(c *actor.Context, pid actor.PID) error
		end    func(t *testing.T, s *actor.System, ref doer)
		linked bool // the other fails
	}{
		{what: "failure", linked: true, made: (*actor.Context).Link,
			end: func(t *testing.T, s *actor.System, ref doer) { tell(t, s, ref, fail) }},
		{what: "failure after Unlink",
			made: func(c *actor.Context, pid actor.PID) error { err := c.Link(pid); c.Unlink(pid); return err },
			end:  func(t *testing.T, s *actor.System, ref doer) { tell(t, s, ref, fail) }},
		{what: "stop", made: (*actor.Context).Link,
			end: func(t *testing.T, s *actor.System, ref doer) { stop(t, s, ref) }},
		{what: "node down", linked: true, made: (*actor.Context).Link,
			end: func(t *testing.T, s *actor.System, ref doer) {
				other := map[string]string{"alpha": "beta", "beta": "alpha"}[s.Node()]
				s.NodeDown(other, uuid.Nil) // both hear of it
			}},
	} {
		for first := range 2 {
			for _, named := range []bool{false, true} {
				t.Run(fmt.Sprint(test.what, first, named), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						_, nodes := join(t, actor.Config{}, "alpha", "beta")
						pair := []doer{does(t, nodes[0], "a", actor.Restart(actor.Temporary)), does(t, nodes[1], "b", actor.Restart(actor.Temporary))}
						pid := pair[1].PID()
						if named {
							pid = actor.Named("b@beta")
						}
						turn(t, nodes[0], pair[0], func(c *actor.Context) error { return test.made(c, pid) })
						synctest.Wait()
						test.end(t, nodes[first], pair[first])
						synctest.Wait()
						err := pair[1-first].Tell(nodes[1-first], func(*actor.Context) error { return nil })
						if (err != nil) != test.linked {
							t.Fatal(err)
						}
						wantFar(t, nodes[0], 0, 0)
						wantFar(t, nodes[1], 0, 0)
					})
				})
			}
		}
	}
}

func TestALinkToNobodyElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, nodes := join(t, actor.Config{}, "alpha", "beta")
		alpha := nodes[0]
		a := does(t, alpha, "a", actor.Restart(actor.Temporary))
		turn(t, alpha, a, func(c *actor.Context) error {
			wantErr(t, c.Link(actor.Named("x@gamma")), actor.ErrNoNode)
			return c.Link(actor.Named("nobody@beta"))
		})
		synctest.Wait()
		wantErr(t, a.Tell(alpha, nil), actor.ErrNoActor)
	})
}

// A restart of who made it ends a link; one of the other does not.
func TestARestartAndALinkElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, nodes := join(t, actor.Config{Supervision: tireless}, "alpha", "beta")
		alpha, beta := nodes[0], nodes[1]
		a, b := does(t, alpha, "a", actor.Restart(actor.Transient)), does(t, beta, "b")
		link := func(c *actor.Context) error { return c.Link(b.PID()) }
		turn(t, alpha, a, link)
		tell(t, beta, b, func(*actor.Context) error { return errOwn })
		wantFar(t, beta, 0, 1)
		tell(t, alpha, a, func(*actor.Context) error { return errOwn })
		wantFar(t, beta, 0, 0)
		wantFar(t, alpha, 0, 0)
		turn(t, alpha, a, link)
		stop(t, alpha, a)
		wantFar(t, beta, 0, 0)
		if info, err := actor.Inspect(beta, b.PID()); err != nil || info.Failed != 1 {
			t.Fatal(info, err)
		}
	})
}

// Two links between two actors, one from each, are one failure.
func TestLinksFromBothSidesAreOneFailure(t *testing.T) {
	for range 20 { // a map's order is of no consequence
		synctest.Test(t, func(t *testing.T) {
			_, nodes := join(t, actor.Config{Supervision: steady(actor.OneForOne, 10)}, "alpha", "beta")
			a := does(t, nodes[0], "a", actor.Restart(actor.Temporary))
			b := does(t, nodes[1], "b")
			turn(t, nodes[0], a, func(c *actor.Context) error { return errors.Join(c.Link(b.PID()), c.Link(b.PID())) })
			turn(t, nodes[1], b, func(c *actor.Context) error { return c.Link(a.PID()) })
			synctest.Wait()
			tell(t, nodes[0], a, func(*actor.Context) error { return errOwn })
			time.Sleep(time.Minute)
			if info, err := actor.Inspect(nodes[1], b.PID()); err != nil || info.Failed != 1 || info.Restarts != 1 {
				t.Fatal(info, err)
			}
			wantFar(t, nodes[0], 0, 0)
			wantFar(t, nodes[1], 0, 0)
		})
	}
}
