package actor_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/troupe-go/troupe/actor"
)

func TestStopEndsAnActorElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, nodes := join(t, actor.Config{}, "alpha", "beta")
		alpha, beta := nodes[0], nodes[1]
		ref, gate, handled := gated(t, beta, "gated")
		tell(t, alpha, ref, 1, 2)
		synctest.Wait()
		done := make(chan error)
		go func() { done <- actor.Stop(t.Context(), alpha, actor.Named("gated@beta")) }()
		synctest.Wait()
		tell(t, alpha, ref, 3)
		gate <- struct{}{}
		synctest.Wait()
		select {
		case err := <-done:
			t.Fatal("it returned before the actor had gone:", err)
		default:
		}
		gate <- struct{}{}
		wantErr(t, <-done, nil)
		if got := handled.all(); !slices.Equal(got, []int{1, 2}) {
			t.Fatal(got)
		}
		wantErr(t, actor.Stop(t.Context(), alpha, ref.PID()), actor.ErrNoActor)
		wantErr(t, actor.Stop(t.Context(), alpha, actor.Named("x@gamma")), actor.ErrNoNode)

		ref, gate, handled = gated(t, beta, "gated") // its name is free
		tell(t, alpha, ref, 1, 2)
		ctx, cancel := context.WithCancel(t.Context())
		go func() { done <- actor.Stop(ctx, alpha, ref.PID()) }()
		synctest.Wait()
		cancel()
		synctest.Wait()
		gate <- struct{}{}
		wantErr(t, <-done, nil)
		if got := handled.all(); !slices.Equal(got, []int{1}) { // the message in hand
			t.Fatal(got)
		}

		ref, gate, _ = gated(t, beta, "")
		tell(t, alpha, ref, 1)
		synctest.Wait()
		wantErr(t, actor.Stop(ctx, alpha, ref.PID()), context.Canceled) // it does not return
		go func() { done <- actor.Stop(t.Context(), alpha, ref.PID()) }()
		synctest.Wait()
		alpha.NodeDown("beta", beta.Incarnation())
		wantErr(t, <-done, actor.ErrUnreachable)
		close(gate)
		synctest.Wait()
		w.lose = nil
		wantFar(t, alpha, 0, 0)
		wantFar(t, beta, 0, 0)
	})
}
