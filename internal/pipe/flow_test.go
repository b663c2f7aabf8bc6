package pipe

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestTasksAreDoneInOrderAndAcknowledged(t *testing.T) {
	over(t, everyWay, func(e *edge) {
		p, s := e.producer(Config[[]byte]{}), newStream()
		w := e.worker(p, ConsumerConfig{}, nil)
		e.send(p, s, 1, 5000)
		pass(time.Second)
		if !slices.Equal(w.got(), numbers(1, 5000)) || s.done.Load() != 5000 {
			t.Errorf("got %d, %d done", len(w.got()), s.done.Load())
		}
	})
}

// C68
func TestTasksWaitForTheFirstConsumerUpToABound(t *testing.T) {
	over(t, everyWay, func(e *edge) {
		p, s := e.producer(Config[[]byte]{Limit: 10}), newStream()
		e.send(p, s, 1, 10)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := p.Send(ctx, s.ID(), "", nil, 0, s); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("one too many: %v", err)
		}
		w := e.worker(p, ConsumerConfig{}, nil)
		pass(2 * time.Second)
		if !slices.Equal(w.got(), numbers(1, 10)) || s.done.Load() != 10 {
			t.Errorf("got %v, %d done", w.got(), s.done.Load())
		}
		e.send(p, s, 11, 30)
		pass(time.Second)
		if !slices.Equal(w.got(), numbers(1, 30)) {
			t.Errorf("got %v", w.got())
		}
	})
}

func TestTasksAreBoundedInBytesToo(t *testing.T) {
	over(t, "near", func(e *edge) {
		p, s := e.producer(Config[[]byte]{Bytes: 100}), newStream()
		body := make([]byte, 60)
		send := func(size int) error {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			return p.Send(ctx, s.ID(), "", body[:size], size, s)
		}
		if err := errors.Join(send(60), send(60)); err != nil {
			t.Error(err)
		}
		if err := send(1); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if err := p.Send(context.Background(), s.ID(), "", nil, 101, s); !errors.Is(err, ErrTooLarge) {
			t.Error(err)
		}
	})
}

func TestClosedProducerTakesNoMore(t *testing.T) {
	over(t, "near", func(e *edge) {
		p, s := e.producer(Config[[]byte]{Limit: 1}), newStream()
		e.send(p, s, 1, 1)
		waits := make(chan error)
		go func() { waits <- p.Send(context.Background(), s.ID(), "", nil, 0, s) }()
		synctest.Wait()
		p.Close()
		if err := <-waits; !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
	})
}

func TestNothingIsGivenOutBeforeAllWorkersAreThere(t *testing.T) {
	over(t, "near gives", func(e *edge) {
		p, s := e.producer(Config[[]byte]{MinWorkers: 3}), newStream()
		e.send(p, s, 1, 100)
		var all []*worker
		for range 2 {
			all = append(all, e.worker(p, ConsumerConfig{}, nil))
		}
		pass(10 * time.Second)
		if n := len(all[0].got()) + len(all[1].got()); n != 0 {
			t.Errorf("%d were given to 2", n)
		}
		e.worker(p, ConsumerConfig{}, nil)
		pass(time.Second)
		if s.done.Load() != 100 {
			t.Errorf("%d done", s.done.Load())
		}
	})
}

func TestASlowWorkerNeverHoards(t *testing.T) {
	over(t, "near gives", func(e *edge) {
		p, s := e.producer(Config[[]byte]{}), newStream()
		fast := e.worker(p, ConsumerConfig{}, func(*Delivery[[]byte]) string { time.Sleep(10 * time.Millisecond); return "" })
		slow := e.worker(p, ConsumerConfig{}, func(*Delivery[[]byte]) string { time.Sleep(time.Second); return "" })
		synctest.Wait()
		began := time.Now()
		e.send(p, s, 1, 100)
		for s.done.Load() < 100 {
			pass(time.Millisecond)
		}
		if took := time.Since(began); took > 1100*time.Millisecond || len(slow.got()) > 2 || len(fast.got()) < 98 {
			t.Errorf("%v, the slow one did %d", took, len(slow.got()))
		}
	})
}

// Greedy list scheduling: whoever is free gets the next task.
func TestTasksOfDifferentLengthTakeAsLongAsTheyMust(t *testing.T) {
	for _, workers := range []int{1, 4, 16, 100} {
		t.Run(fmt.Sprint(workers), func(t *testing.T) {
			over(t, "near gives", func(e *edge) {
				p, s := e.producer(Config[[]byte]{}), newStream()
				free := make([]int, workers)
				for range workers {
					e.worker(p, ConsumerConfig{}, sleep)
				}
				pass(time.Second)
				began, ideal := time.Now(), 0
				for i := range 100 {
					ms := 1 + i*37%100
					e.send(p, s, ms, ms)
					next := slices.Index(free, slices.Min(free))
					free[next] += ms
					ideal = max(ideal, free[next])
				}
				for s.done.Load() < 100 {
					pass(time.Millisecond)
				}
				took := time.Since(began).Milliseconds()
				if took > int64(ideal)*105/100+5 {
					t.Errorf("%d ms, ideal are %d", took, ideal)
				}
			})
		})
	}
}

func TestALateWorkerGetsWorkAtOnce(t *testing.T) {
	over(t, "near gives", func(e *edge) {
		p, s := e.producer(Config[[]byte]{}), newStream()
		e.worker(p, ConsumerConfig{}, sleep)
		e.send(p, s, 1, 1) // so short that the next ones are asked for two at a time
		for range 20 {
			e.send(p, s, 1000, 1000)
		}
		pass(100 * time.Millisecond)
		late := e.worker(p, ConsumerConfig{}, sleep)
		pass(10 * time.Millisecond)
		if len(late.got()) != 1 {
			t.Errorf("it got %v", late.got())
		}
	})
}

// A consumer that has asked for many, because they were short, gives them back when one turns out long.
func TestWhatIsBehindALongTaskIsGivenBack(t *testing.T) {
	over(t, "near gives", func(e *edge) {
		p, s := e.producer(Config[[]byte]{}), newStream()
		first := e.worker(p, ConsumerConfig{}, sleep)
		for range 2000 {
			e.send(p, s, 0, 0)
		}
		e.send(p, s, 5000, 5000)
		for range 500 {
			e.send(p, s, 0, 0)
		}
		pass(100 * time.Millisecond)
		if last := slices.Max(first.got()); last != "5000" {
			t.Fatalf("it is at %s", last)
		}
		second := e.worker(p, ConsumerConfig{}, sleep)
		pass(100 * time.Millisecond)
		if n := s.done.Load(); n != 2500 {
			t.Errorf("%d of 2500 are done, %d by the second", n, len(second.got()))
		}
	})
}
