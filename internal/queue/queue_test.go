package queue

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func push(t *testing.T, q *Queue[int], items ...int) {
	t.Helper()
	for _, v := range items {
		if _, err := q.Push(v); err != nil {
			t.Fatalf("Push(%d): %v", v, err)
		}
	}
}

func TestTakeHandsOutEverythingInOrder(t *testing.T) {
	q := New[int](0)
	push(t, q, 1, 2, 3)
	batch := q.Take(nil)
	if !slices.Equal(batch, []int{1, 2, 3}) {
		t.Fatal(batch)
	}
	push(t, q, 4, 5)
	q.Done(3)
	if batch = q.Take(batch); !slices.Equal(batch, []int{4, 5}) {
		t.Fatal(batch)
	}
}

func TestLimitCountsWhatIsInHand(t *testing.T) {
	q := New[int](3)
	push(t, q, 1, 2)
	q.Take(nil)
	push(t, q, 3)
	if _, err := q.Push(4); !errors.Is(err, ErrFull) {
		t.Fatalf("a fourth item: %v", err)
	}
	if n := q.Len(); n != 3 {
		t.Fatalf("Len = %d", n)
	}
	q.Done(1)
	push(t, q, 4)
	if _, err := q.Push(5); !errors.Is(err, ErrFull) {
		t.Fatalf("room for one was room for two: %v", err)
	}
	if _, err := q.Force(6); err != nil {
		t.Fatalf("Force looked at the limit: %v", err)
	}
}

func TestOnlyThePushThatFindsTheConsumerParkedSaysWake(t *testing.T) {
	q := New[int](0)
	wake := func(want bool) {
		t.Helper()
		if got, _ := q.Push(0); got != want {
			t.Fatalf("wake = %v", got)
		}
	}
	wake(true)
	wake(false)
	batch := q.Take(nil)
	wake(false) // the consumer is at work
	q.Done(2)
	batch = q.Take(batch)
	q.Done(1)
	if batch = q.Take(batch); batch != nil {
		t.Fatal(batch)
	}
	wake(true)
}

func TestWakeClaimsAParkedConsumerOnce(t *testing.T) {
	q := New[int](0)
	if !q.Wake() || q.Wake() {
		t.Fatal("not exactly one Wake of two claimed the consumer")
	}
	if wake, _ := q.Push(1); wake {
		t.Fatal("a Push claimed it as well")
	}
	batch := q.Take(nil)
	q.Done(1)
	if q.Take(batch) != nil {
		t.Fatal("more than one item")
	}
	q.Close()
	if !q.Wake() {
		t.Fatal("a closed queue's consumer can't be claimed")
	}
}

func TestAConsumerThatLooksAroundIsNotWoken(t *testing.T) {
	q := New[int](0)
	push(t, q, 1)
	batch := q.Take(nil)
	q.Done(1)
	if batch = q.Poll(batch); batch != nil || q.Ready() {
		t.Fatal(batch, q.Ready())
	}
	if wake, _ := q.Push(2); wake || !q.Ready() {
		t.Fatal("a Push woke a consumer that looks around, or was not seen by it")
	}
	if batch = q.Poll(nil); len(batch) != 1 {
		t.Fatal(batch)
	}
	q.Done(1)
	if q.Poll(nil) != nil || q.Ready() {
		t.Fatal("ready with nothing queued")
	}
	if q.Wake() || !q.Ready() {
		t.Fatal("a Wake claimed a consumer that looks around, or was not seen by it")
	}
	if q.Take(nil) != nil || !q.Wake() {
		t.Fatal("a consumer that has looked around can't be parked")
	}
}

func TestDisplaceMakesRoomByTheOldestNotTaken(t *testing.T) {
	q := New[int](3)
	push(t, q, 1, 2)
	q.Take(nil)
	displace := func(v, wantOld int, wantErr error) {
		t.Helper()
		old, displaced, wake, err := q.Displace(v, func(v *int) bool { return *v == 33 })
		if old != wantOld || displaced != (wantOld != 0) || wake || err != wantErr {
			t.Fatal(old, displaced, wake, err)
		}
	}
	displace(3, 0, nil)
	displace(4, 3, nil)
	displace(33, 4, nil)
	displace(5, 0, ErrFull)
	if batch := q.Take(nil); !slices.Equal(batch, []int{33}) {
		t.Fatal(batch)
	}
	displace(5, 0, ErrFull)
	q.Done(2)
	push(t, q, 34, 6)
	displace(7, 34, nil)
	q.Close()
	displace(7, 0, ErrClosed)
}

func TestPushFirstComesBeforeTheRestInItsOwnOrder(t *testing.T) {
	q := New[int](5)
	first := func(v int) {
		t.Helper()
		if _, err := q.PushFirst(v); err != nil {
			t.Fatal(err)
		}
	}
	push(t, q, 1, 2)
	first(-2)
	first(-1)
	if batch := q.TakeFirst(); !slices.Equal(batch, []int{-2, -1}) {
		t.Fatal(batch)
	}
	if batch := q.TakeFirst(); len(batch) != 0 {
		t.Fatal(batch)
	}
	first(0)
	if _, err := q.PushFirst(9); !errors.Is(err, ErrFull) {
		t.Fatal(err)
	}
	if batch := q.Take(nil); !slices.Equal(batch, []int{0, 1, 2}) {
		t.Fatal(batch)
	}
	q.Done(5)
	if n := q.Len(); n != 0 {
		t.Fatal(n)
	}
}

func TestWaitGetsRoomInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New[int](1)
		push(t, q, 0)
		for i := 1; i <= 3; i++ {
			go func() {
				if _, err := q.Wait(t.Context(), i); err != nil {
					t.Errorf("waiter %d: %v", i, err)
				}
			}()
			synctest.Wait()
		}
		var got, batch []int
		for range 4 {
			batch = q.Take(batch)
			got = append(got, batch...)
			q.Done(len(batch))
			synctest.Wait()
		}
		if !slices.Equal(got, []int{0, 1, 2, 3}) {
			t.Fatal(got)
		}
	})
}

func TestWaitEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New[int](1)
		push(t, q, 0)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if _, err := q.Wait(ctx, 1); !errors.Is(err, ErrFull) {
			t.Fatal(err)
		}
		if waited := time.Since(start); waited != time.Second {
			t.Fatalf("waited %v", waited)
		}
		if _, err := q.Wait(ctx, 1); !errors.Is(err, ErrFull) {
			t.Fatalf("with an ended context: %v", err)
		}
		q.Take(nil)
		q.Done(1)
		if _, err := q.Wait(ctx, 1); err != nil {
			t.Fatalf("with an ended context and room: %v", err)
		}
	})
}

func TestRoomForAWaiterThatLeavesGoesToTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New[int](1)
		push(t, q, 0)
		first, leave := context.WithCancel(t.Context())
		go q.Wait(first, 1)
		synctest.Wait()
		second := make(chan error)
		go func() {
			_, err := q.Wait(t.Context(), 2)
			second <- err
		}()
		synctest.Wait()
		leave()
		synctest.Wait()
		q.Take(nil)
		q.Done(1)
		if err := <-second; err != nil {
			t.Fatal(err)
		}
	})
}

func TestCloseReturnsTheRestAndRefusesWaiters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New[int](2)
		push(t, q, 1, 2)
		errs := make(chan error, 2)
		for range 2 {
			go func() {
				_, err := q.Wait(t.Context(), 3)
				errs <- err
			}()
		}
		synctest.Wait()
		if rest := q.Close(); !slices.Equal(rest, []int{1, 2}) {
			t.Fatal(rest)
		}
		for range 2 {
			if err := <-errs; !errors.Is(err, ErrClosed) {
				t.Fatal(err)
			}
		}
		if _, err := q.Push(4); !errors.Is(err, ErrClosed) {
			t.Fatal(err)
		}
		if _, err := q.Force(4); !errors.Is(err, ErrClosed) {
			t.Fatal(err)
		}
	})
}

// A consumer that is woken by the empty-to-non-empty edge alone misses nothing.
func TestManyProducersOneConsumer(t *testing.T) {
	const producers, each, limit = 8, 2000, 16
	q := New[[2]int](limit)
	woken := make(chan struct{}, 1)
	var group sync.WaitGroup
	for p := range producers {
		group.Go(func() {
			for i := range each {
				wake, err := q.Wait(t.Context(), [2]int{p, i})
				if err != nil {
					t.Error(err)
					return
				}
				if wake {
					woken <- struct{}{}
				}
			}
		})
	}
	var last [producers]int
	var batch [][2]int
	for got := 0; got < producers*each; {
		if batch = q.Take(batch); batch == nil {
			<-woken
			continue
		}
		if len(batch) > limit {
			t.Fatalf("%d items over a limit of %d", len(batch), limit)
		}
		for _, v := range batch {
			if last[v[0]] != v[1] {
				t.Fatalf("producer %d: %d came in the place of %d", v[0], v[1], last[v[0]])
			}
			last[v[0]]++
			q.Done(1)
			got++
		}
	}
	group.Wait()
	if n := q.Len(); n != 0 {
		t.Fatalf("Len = %d at the end", n)
	}
}

func TestAnIdleQueueKeepsASmallBuffer(t *testing.T) {
	q := New[int](0)
	round := func() {
		q.Push(1)
		batch := q.Take(nil)
		q.Done(len(batch))
		if q.Take(batch) != nil {
			t.Fatal("not empty")
		}
	}
	round()
	if n := testing.AllocsPerRun(100, round); n != 0 {
		t.Fatalf("%v allocations a round", n)
	}
}

func BenchmarkPushTake(b *testing.B) {
	q := New[[5]uint64](0)
	var batch [][5]uint64
	for range b.N {
		q.Push([5]uint64{})
		batch = q.Take(batch)
		q.Done(1)
	}
}
