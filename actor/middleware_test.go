package actor_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/actor"
)

func TestMiddlewareIsAroundEveryMessage(t *testing.T) {
	var log list[string]
	layer := func(name string) actor.Middleware {
		return func(next actor.Handler) actor.Handler {
			return func(c *actor.Context, m any) error {
				log.add(name)
				if m == "refuse" {
					return c.Reply(errOwn)
				}
				if m == "number" {
					return next(c, 1)
				}
				if text, ok := m.(string); ok {
					m = text + name
				}
				return next(c, m)
			}
		}
	}
	s := start(t, actor.Config{
		Middleware: []actor.Middleware{layer("1")},
		Sending: func(in actor.Scope, to actor.PID, m any) (any, error) {
			switch m {
			case "secret":
				return nil, errOwn
			case "wrong":
				return 1, nil
			}
			if text, ok := m.(string); ok {
				return text + "0", nil
			}
			return m, nil
		},
	})
	ref := spawn(t, s, "", func(c *actor.Context, m string) error { return c.Reply(m) }, actor.Use(layer("2"), layer("3")))
	if got, err := actor.As[string](ref.Ask(t.Context(), s, "m")); got != "m0123" || err != nil {
		t.Fatal(got, err)
	}
	wantErr(t, ref.Tell(s, "secret"), errOwn)
	wantErr(t, ref.Tell(s, "wrong"), actor.ErrType)
	if got := strings.Join(log.all(), ""); got != "123" {
		t.Fatal(got)
	}
}

func TestMiddlewareMayRefuseOrMistake(t *testing.T) {
	s := start(t, actor.Config{Middleware: []actor.Middleware{func(next actor.Handler) actor.Handler {
		return func(c *actor.Context, m any) error {
			if m == "refuse" {
				return c.Reply(errOwn)
			}
			return next(c, 1)
		}
	}}})
	ref := spawn(t, s, "", func(c *actor.Context, m string) error { return c.Reply(m) })
	_, err := ref.Ask(t.Context(), s, "refuse")
	wantErr(t, err, errOwn)
	_, err = ref.Ask(t.Context(), s, "mistake")
	wantErr(t, err, actor.ErrType)
	wantDead(t, s, map[actor.Reason]uint64{actor.UnknownType: 1})
	_, err = actor.Spawn(s, "", func(*actor.Context, int) error { return nil }, actor.Use(nil))
	wantErr(t, err, actor.ErrUsage)
}

func TestMiddlewareThatPanicsWhenItIsMadeIsAFailedStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{Supervision: steady(actor.OneForOne, 3)})
		ref := spawn(t, s, "", func(*actor.Context, int) error { return nil },
			actor.Use(func(actor.Handler) actor.Handler { panic("no middleware") }))
		tell(t, s, ref, 1)
		time.Sleep(time.Hour)
		wantErr(t, ref.Tell(s, 1), actor.ErrNoActor)
		wantDead(t, s, map[actor.Reason]uint64{actor.Stopped: 1})
	})
}
