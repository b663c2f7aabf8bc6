package pipe

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/mailbox"
)

// C66
func TestTasksOfAWorkerThatDiesGoToAnother(t *testing.T) {
	over(t, everyWay, func(e *edge) {
		p, s := e.producer(Config[[]byte]{Retries: 5}), newStream()
		hang := make(chan struct{})
		first := e.worker(p, ConsumerConfig{}, func(*Delivery[[]byte]) string { <-hang; return "" })
		e.send(p, s, 1, 1)
		pass(time.Second)
		if e.side == "near" {
			close(hang)
			return
		}
		first.wire.Close(ended)
		var attempts []int
		second := e.worker(p, ConsumerConfig{}, func(d *Delivery[[]byte]) string { attempts = append(attempts, d.Attempt); return "" })
		e.send(p, s, 2, 3)
		pass(5 * time.Second)
		close(hang)
		if got := second.got(); len(got) != 3 || !slices.Contains(got, "1") || !slices.Contains(attempts, 2) || s.done.Load() != 3 {
			t.Errorf("got %v in attempts %v, %d done", second.got(), attempts, s.done.Load())
		}
	})
}

func TestACutCostsNothing(t *testing.T) {
	over(t, "gives takes", func(e *edge) {
		p, s := e.producer(Config[[]byte]{Retries: 5}), newStream()
		w := e.worker(p, ConsumerConfig{Once: true}, nil)
		for i := range 20 {
			e.send(p, s, 100*i+1, 100*i+100)
			e.net.Cut(address)
		}
		pass(10 * time.Second)
		got := w.got()
		slices.Sort(got)
		want := numbers(1, 2000)
		slices.Sort(want)
		if !slices.Equal(got, want) || s.done.Load() != 2000 {
			t.Errorf("got %d, %d done", len(got), s.done.Load())
		}
	})
}

func TestASilentWorkerIsGivenUpWithinSeconds(t *testing.T) {
	over(t, "gives", func(e *edge) {
		p, s := e.producer(Config[[]byte]{Retries: 5}), newStream()
		hang := make(chan struct{})
		e.worker(p, ConsumerConfig{}, func(*Delivery[[]byte]) string { <-hang; return "" })
		e.send(p, s, 1, 1)
		pass(time.Second)
		e.net.Stall(address)
		pass(heartbeat + heartbeatTimeout + time.Second)
		if p.lacks() != 1 {
			t.Error("the task is still with the silent worker")
		}
		e.net.Resume(address)
		close(hang)
		pass(10 * time.Second)
		if s.done.Load() != 1 {
			t.Error("it is not done after the network is back")
		}
	})
}

// lacks is how many tasks nobody has.
func (p *Producer[B]) lacks() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ready.len() + len(p.again) + p.suspects.len()
}

func TestAWorkerThatComesBackTellsWhatItHasDone(t *testing.T) {
	over(t, "gives takes", func(e *edge) {
		p, s := e.producer(Config[[]byte]{Retries: 5}), newStream()
		var attempts []int
		e.worker(p, ConsumerConfig{Once: true}, func(d *Delivery[[]byte]) string {
			attempts = append(attempts, d.Attempt)
			if len(attempts) == 1 {
				e.net.Cut(address)
				time.Sleep(5 * time.Second)
			}
			return ""
		})
		e.send(p, s, 1, 1)
		pass(20 * time.Second)
		if s.done.Load() != 1 || len(attempts) != 1 {
			t.Errorf("%d done in attempts %v", s.done.Load(), attempts)
		}
	})
}

func TestATaskThatFailsGoesToAnotherAndThenIsDead(t *testing.T) {
	over(t, "near gives", func(e *edge) {
		var dead []string
		var p *Producer[[]byte]
		cfg := Config[[]byte]{Retries: 3, Dead: func(task *Task[[]byte], reason string) {
			dead = append(dead, string(task.Body)+": "+reason)
			p.Bury(task)
		}}
		p = e.producer(cfg)
		s := newStream()
		fail := func(d *Delivery[[]byte]) string {
			if string(d.Body) == "2" {
				return "not two"
			}
			return ""
		}
		first, second := e.worker(p, ConsumerConfig{}, fail), e.worker(p, ConsumerConfig{}, fail)
		pass(time.Second)
		e.send(p, s, 1, 3)
		pass(time.Second)
		tried := func(w *worker) (n int) {
			for _, body := range w.got() {
				if body == "2" {
					n++
				}
			}
			return n
		}
		if tried(first) != 2 || tried(second) != 2 || !slices.Equal(dead, []string{"2: not two"}) || s.done.Load() != 3 {
			t.Errorf("%d and %d tries, dead %q, %d done", tried(first), tried(second), dead, s.done.Load())
		}
	})
}

// If the only other worker has no time, the one at which a task failed gets it again.
func TestATaskThatFailedWaitsForAnotherWorkerOnlyAWhile(t *testing.T) {
	over(t, "near gives", func(e *edge) {
		p, s := e.producer(Config[[]byte]{Retries: 5}), newStream()
		hang := make(chan struct{})
		e.worker(p, ConsumerConfig{}, func(*Delivery[[]byte]) string { <-hang; return "" })
		pass(time.Second)
		e.send(p, s, 1, 1)
		pass(time.Second)
		tries := 0
		e.worker(p, ConsumerConfig{}, func(*Delivery[[]byte]) string {
			if tries++; tries == 1 {
				return "no luck"
			}
			return ""
		})
		e.send(p, s, 2, 2)
		pass(avoidFor + time.Second)
		if tries != 2 || s.done.Load() != 1 {
			t.Errorf("%d tries, %d done", tries, s.done.Load())
		}
		close(hang)
	})
}

// Who dies with several tasks may have died of any: from then on each is given out alone.
func TestATaskThatKillsItsWorkersIsDeadAndTakesNoOtherWithIt(t *testing.T) {
	over(t, "gives", func(e *edge) {
		dead := 0
		var p *Producer[[]byte]
		p = e.producer(Config[[]byte]{Retries: 2, // the first time it was not sure
			Dead: func(task *Task[[]byte], _ string) {
				if string(task.Body) != "500" {
					t.Errorf("%s is dead", task.Body)
				}
				dead++
				p.Bury(task)
			}})
		s := newStream()
		hang := make(chan struct{})
		e.send(p, s, 1, 1000)
		for range 4 { // once with others, then alone
			stuck := make(chan struct{})
			w := e.worker(p, ConsumerConfig{}, func(d *Delivery[[]byte]) string {
				if string(d.Body) == "500" {
					close(stuck)
					<-hang
				}
				return ""
			})
			<-stuck // at once: it had no time to say what it has done
			w.wire.Close(ended)
			pass(time.Second)
		}
		e.worker(p, ConsumerConfig{}, nil)
		pass(time.Second)
		if dead != 1 || s.done.Load() != 1000 {
			t.Errorf("%d dead, %d done", dead, s.done.Load())
		}
		close(hang)
	})
}

func TestWhoIsConnectedToTheWrongPlaceLearnsWhy(t *testing.T) {
	for says, open := range map[string]func(e *edge) (*Wire, error){
		"one end is of edge": func(e *edge) (*Wire, error) {
			place := e.place(sideTakes)
			place.Edge = "other"
			return Take(NewConsumer[[]byte](ConsumerConfig{}), place)
		},
		"both ends say that they are the one that gives": func(e *edge) (*Wire, error) {
			place := e.place(sideGives)
			place.Bind = false
			return Give(NewProducer(Config[[]byte]{Log: quiet}), place)
		},
	} {
		over(t, "gives", func(e *edge) {
			e.producer(Config[[]byte]{})
			w, err := open(e)
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close(ended)
			pass(time.Second)
			if !e.diary.has(says) {
				t.Errorf("the log has\n%s", e.diary.text.String())
			}
		})
	}
}

// stranger is a socket of a foreign program.
func (e *edge) stranger(typ mailbox.SocketType) (say func(frames ...string), hear func() []string) {
	s, err := mailbox.New(typ, mailbox.Config{Network: e.net, Log: quiet})
	if err == nil {
		err = s.Connect("tcp://" + address)
	}
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() { s.Close(ended) })
	say = func(frames ...string) {
		var msg [][]byte
		for _, f := range frames {
			msg = append(msg, []byte(f))
		}
		s.Send(context.Background(), msg...)
	}
	hear = func() (texts []string) {
		synctest.Wait()
		msg, err := s.Recv(ended)
		if err != nil {
			return nil
		}
		for _, f := range msg {
			texts = append(texts, string(f))
		}
		return texts
	}
	return say, hear
}

func TestNoMessageOfAStrangerDoesHarm(t *testing.T) {
	id := strings.Repeat("x", idSize)
	bad := [][]string{
		{""}, {"HELLO"}, {"HELLO", "troupe-pipe/9", "tasks", "takes", ""}, {"HELLO", "troupe-pipe/1", "tasks", "\xff", ""},
		{"TASK"}, {"TASK", id}, {"TASK", id, "1"}, {"TASK", "short", "1", ""}, {"TASK", id, "-1", ""}, {"TASK", id, "1e9", ""},
		{"TASK", id, "1", "more than the credit", id, "1", "", id, "1", ""},
		{"CREDIT"}, {"CREDIT", "x"}, {"CREDIT", "99999999999999999999"}, {"CREDIT", "1", "1"},
		{"DONE"}, {"DONE", "short"}, {"DONE", id}, {"BACK", id + id}, {"BACK", "x"}, {"FAIL", id}, {"FAIL", "x", "y"},
		{"FAIL", id, strings.Repeat("long", 10_000)}, {"END"}, {"END", id, "role"}, {"GONE"}, {"GONE", "x"}, {"GONE", id}, {"BYE"}, {"BYE", "for no reason"}, {"NONSENSE", "1"},
	}
	over(t, "gives takes", func(e *edge) {
		p, s := e.producer(Config[[]byte]{Retries: 5}), newStream()
		w := e.worker(p, ConsumerConfig{}, nil)
		side := sideTakes
		if e.side == sideTakes {
			side = sideGives
		}
		hello := []string{"HELLO", Protocol, "tasks", side, "stranger"}
		say, hear := e.stranger(mailbox.Dealer)
		for _, msg := range bad {
			say(msg...) // without a HELLO, then with one
			say(hello...)
			say(msg...)
			say("CREDIT", "0")
		}
		e.send(p, s, 1, 100)
		pass(time.Second)
		refusals := 0
		for msg := hear(); msg != nil; msg = hear() {
			if msg[0] == "BYE" {
				refusals++
			}
		}
		if len(w.got()) < 100 || s.done.Load() != 100 || refusals < 15 {
			t.Errorf("%d got, %d done, %d refusals", len(w.got()), s.done.Load(), refusals)
		}
	})
}

// A worker that takes everything and does nothing, then leaves.
func TestWhatAStrangerHoardsComesBack(t *testing.T) {
	over(t, "gives", func(e *edge) {
		p, s := e.producer(Config[[]byte]{Retries: 5}), newStream()
		say, hear := e.stranger(mailbox.Dealer)
		say("HELLO", Protocol, "tasks", "takes", "hoarder")
		say("CREDIT", "1000000")
		synctest.Wait()
		e.send(p, s, 1, 1000)
		pass(time.Second)
		if p.lacks() != 0 {
			t.Fatal("it didn't get all")
		}
		_ = hear
		say("BYE", "I have enough")
		e.worker(p, ConsumerConfig{}, nil)
		pass(time.Second)
		if s.done.Load() != 1000 {
			t.Errorf("%d done", s.done.Load())
		}
	})
}
