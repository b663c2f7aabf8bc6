package actor_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/actor"
)

func inspect(t *testing.T, s *actor.System, pid actor.PID) actor.Info {
	t.Helper()
	info, err := actor.Inspect(s, pid)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// C84
func TestInspectShowsWhatAnActorDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{Node: "n", Supervision: steady(actor.OneForOne, 5)})
		ref := spawn(t, s, "x", func(c *actor.Context, n int) error {
			if n < 0 {
				return errOwn
			}
			time.Sleep(time.Duration(n) * time.Second)
			return nil
		})
		want := func(what actor.Info) {
			t.Helper()
			synctest.Wait()
			got := inspect(t, s, ref.PID())
			what.PID, what.Name, what.Type, got.Took = ref.PID(), "x", "int", 0
			if got != what {
				t.Fatalf("got  %+v\nwant %+v", got, what)
			}
		}
		want(actor.Info{State: actor.Starting})
		tell(t, s, ref, 1, 2)
		want(actor.Info{State: actor.Running, Depth: 2})
		time.Sleep(1500 * time.Millisecond)
		want(actor.Info{State: actor.Running, Depth: 1, Handled: 1})
		time.Sleep(2 * time.Second)
		want(actor.Info{State: actor.Idle, Handled: 2})
		if took := inspect(t, s, ref.PID()).Took; took < time.Second || took > 2*time.Second {
			t.Fatalf("took %v", took)
		}
		tell(t, s, ref, -1, 1)
		want(actor.Info{State: actor.Resting, Depth: 1, Handled: 2, Failed: 1})
		time.Sleep(time.Minute)
		want(actor.Info{State: actor.Idle, Handled: 3, Failed: 1, Restarts: 1})
		stop(t, s, ref)
		_, err := actor.Inspect(s, ref.PID())
		wantErr(t, err, actor.ErrNoActor)
		_, err = actor.Inspect(s, actor.Named("x@beta"))
		wantErr(t, err, actor.ErrUnreachable)
	})
}

func TestTreeShowsParentsBeforeTheirChildren(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{})
		hire(t, s, actor.Supervision{}, trio)
		does(t, s, "other")
		var got []string
		for info := range actor.Tree(s) {
			got = append(got, fmt.Sprint(info.Name, info.Children))
		}
		if want := "boss3 boss/db0 boss/reader0 boss/writer0 other0"; strings.Join(got, " ") != want {
			t.Fatalf("%q", got)
		}
		for info := range actor.Tree(s) {
			if info.Name == "boss/db" {
				break
			}
		}
	})
}

// C84: looking is free of races, under load, and the numbers add up at rest.
func TestInspectUnderLoad(t *testing.T) {
	s := start(t, actor.Config{Supervision: tireless})
	ref := spawn(t, s, "x", func(c *actor.Context, n int) error {
		if n%100 == 0 {
			return errOwn
		}
		return nil
	})
	var senders sync.WaitGroup
	for range 4 {
		senders.Go(func() {
			for i := range 5000 {
				tell(t, s, ref, i)
			}
		})
	}
	stopLooking := make(chan struct{})
	var look sync.WaitGroup
	look.Go(func() {
		for {
			select {
			case <-stopLooking:
				return
			default:
			}
			infos := slices.Collect(actor.Tree(s))
			if len(infos) != 1 || infos[0].Depth > 10_000 || infos[0].Handled > 20_000 {
				t.Errorf("%+v", infos)
			}
		}
	})
	senders.Wait()
	close(stopLooking)
	look.Wait()
	eventually(t, func() bool {
		info := inspect(t, s, ref.PID())
		return info.Depth == 0 && info.Handled == 19_800 && info.Failed == 200 && info.Restarts == 200
	})
}
