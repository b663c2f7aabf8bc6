package pipe

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
)

func isOver(w *worker) bool {
	select {
	case <-w.over:
		return true
	default:
		return false
	}
}

func TestAStreamIsOverWhenAllSourcesHaveEnded(t *testing.T) {
	over(t, everyWay, func(e *edge) {
		p, s := e.producer(Config[[]byte]{}), newStream()
		w := e.worker(p, ConsumerConfig{Once: true, Expect: map[string]int{"a": 2, "b": 1}}, nil)
		e.send(p, s, 1, 10)
		pass(time.Second)
		first, twice, heard := uuid.New(), newStream(), newStream()
		p.End(EndOf(first), "a", twice)
		p.End(EndOf(first), "a", twice) // the same, which was heard by now or was not
		p.End(EndOf(uuid.New()), "b", heard)
		pass(time.Second)
		if isOver(w) {
			t.Fatal("over before the second of a has ended")
		}
		if heard.done.Load() != 1 || twice.done.Load() == 0 {
			t.Errorf("%d and %d were heard", heard.done.Load(), twice.done.Load())
		}
		p.End(EndOf(uuid.New()), "a", heard)
		pass(time.Second)
		if !isOver(w) || !slices.Equal(w.got(), numbers(1, 10)) || heard.done.Load() != 2 {
			t.Errorf("over: %v, got %v, %d heard", isOver(w), w.got(), heard.done.Load())
		}
	})
}

func TestWhoComesAfterTheEndLearnsOfItAtOnce(t *testing.T) {
	over(t, "near gives takes", func(e *edge) {
		p, heard := e.producer(Config[[]byte]{}), newStream()
		p.End(EndOf(uuid.New()), "a", heard)
		pass(time.Minute)
		late := e.worker(p, ConsumerConfig{Once: true, Expect: map[string]int{"a": 1}}, nil)
		pass(2 * redialMax)
		if !isOver(late) || heard.done.Load() != 1 {
			t.Errorf("over: %v, %d heard", isOver(late), heard.done.Load())
		}
	})
}

// relay is a stage between two edges.
func relay(e *edge, in, out *Producer[[]byte], s *stream) *worker {
	return e.worker(in, ConsumerConfig{
		End:  func(id ID, role string, heard Origin) { out.End(id, role, heard) },
		Gone: out.Forget,
	}, nil)
}

func TestAStageForgetsTheEndOfASourceThatIsGone(t *testing.T) {
	over(t, "gives", func(e *edge) {
		in := NewProducer(Config[[]byte]{Log: quiet})
		wire, err := Give(in, e.place(sideGives))
		if err != nil {
			t.Fatal(err)
		}
		out, heard := NewProducer(Config[[]byte]{Log: quiet}), newStream()
		relay(e, in, out, heard)
		pass(time.Second)
		in.End(EndOf(uuid.New()), "a", heard)
		pass(time.Second)
		if len(out.endings) != 1 || heard.done.Load() != 0 {
			t.Fatalf("%d endings are told, %d heard", len(out.endings), heard.done.Load())
		}
		wire.Close(ended)
		pass(time.Second)
		if len(out.endings) != 0 {
			t.Error("it still tells of a source that may be another one now")
		}
	})
}

// A chain of stages that outlives a batch must not take its end for that of the next.
func TestStagesDownstreamForgetItToo(t *testing.T) {
	over(t, "near gives takes", func(e *edge) {
		first := NewProducer(Config[[]byte]{Log: quiet})
		second, third := e.producer(Config[[]byte]{}), NewProducer(Config[[]byte]{Log: quiet})
		heard := newStream()
		upper := NewConsumer[[]byte](ConsumerConfig{Expect: map[string]int{"a": 1}, End: second.End, Gone: second.Forget})
		source := &near[[]byte]{}
		source.out, source.in = first.Link(source), upper.Link(source)
		source.out.Open()
		source.in.Open()
		defer upper.Close()
		relay(e, second, third, nil)
		sink := NewConsumer[[]byte](ConsumerConfig{Once: true, Expect: map[string]int{"a": 1}})
		Connect(third, sink)
		defer sink.Close()
		pass(time.Second)
		first.End(EndOf(uuid.New()), "a", heard)
		pass(time.Second)
		if heard.done.Load() != 1 || len(third.endings) != 1 {
			t.Fatalf("%d heard, %d are told", heard.done.Load(), len(third.endings))
		}
		source.in.Lose()
		pass(time.Second)
		if len(second.endings)+len(third.endings) != 0 {
			t.Errorf("%d and %d are still told", len(second.endings), len(third.endings))
		}
		if sink.Take(t.Context()) != nil {
			t.Error("what was over is not over any more")
		}
	})
}

// Whoever says that endless sources have ended keeps nobody from hearing of those that matter.
func TestEndsOfOthersAreNotKept(t *testing.T) {
	over(t, everyWay, func(e *edge) {
		p := e.producer(Config[[]byte]{})
		w := e.worker(p, ConsumerConfig{Once: true, Expect: map[string]int{"a": 1}}, nil)
		others, heard := newStream(), newStream()
		pass(time.Second)
		for range maxSources/1000 + 1 {
			for range 1000 {
				id := EndOf(uuid.New())
				p.End(id, "b", others)
				p.mu.Lock()
				p.endings = nil // who is hostile has no list
				p.mu.Unlock()
			}
			synctest.Wait()
		}
		p.End(EndOf(uuid.New()), "a", heard)
		pass(time.Second)
		if !isOver(w) || heard.done.Load() != 1 {
			t.Errorf("over: %v, %d heard", isOver(w), heard.done.Load())
		}
	})
}

func TestATaskThatComesAgainIsSeenOnce(t *testing.T) {
	over(t, everyWay, func(e *edge) {
		p, s := e.producer(Config[[]byte]{}), newStream()
		w := e.worker(p, ConsumerConfig{Once: true}, nil)
		again := newStream()
		again.id = s.id
		for range 2 {
			e.send(p, s, 1, 10)
			pass(time.Second)
			s.next = 0
		}
		e.send(p, s, 1, 11)
		pass(time.Second)
		if !slices.Equal(w.got(), numbers(1, 11)) || s.done.Load() != 31 {
			t.Errorf("got %v, %d done", w.got(), s.done.Load())
		}
	})
}

func TestAConsumerThatStopsGivesBackWhatItHasNotBegun(t *testing.T) {
	over(t, everyWay, func(e *edge) {
		p, s := e.producer(Config[[]byte]{}), newStream()
		hang := make(chan struct{})
		var w *worker
		w = e.worker(p, ConsumerConfig{}, func(d *Delivery[[]byte]) string {
			if string(d.Body) == "500" {
				w.c.Stop()
				<-hang
			}
			return ""
		})
		e.send(p, s, 1, 1000)
		pass(time.Second)
		if p.lacks() != 500 {
			t.Errorf("%d were given back", p.lacks())
		}
		close(hang)
		<-w.over
		pass(time.Second)
		if s.done.Load() != 500 {
			t.Errorf("%d done", s.done.Load())
		}
	})
}

// Several instances of a stage pass the same end on, some of them when it was heard already.
func TestTheSameEndOnSeveralWays(t *testing.T) {
	over(t, everyWay, func(e *edge) {
		if e.side == sideTakes {
			return // there is one way
		}
		in, out, s := e.producer(Config[[]byte]{}), NewProducer(Config[[]byte]{Log: quiet}), newStream()
		sink := NewConsumer[[]byte](ConsumerConfig{Once: true, Expect: map[string]int{"a": 1}})
		Connect(out, sink)
		defer sink.Close()
		for range 5 {
			relay(e, in, out, s)
		}
		pass(time.Second)
		heard := newStream()
		over := make(chan *Delivery[[]byte])
		go func() { over <- sink.Take(e.t.Context()) }()
		in.End(EndOf(uuid.New()), "a", heard)
		if <-over != nil {
			t.Error("a task")
		}
		pass(time.Second)
		relay(e, in, out, s) // it learns of it late
		pass(time.Second)
		if heard.done.Load() != 1 {
			t.Errorf("heard %d times", heard.done.Load())
		}
	})
}
