package pubsub

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestSimulation has subscribers come, go, choose and dawdle while a publisher publishes and is started again, and
// connections are slow and break. Whatever happens, a subscriber gets the updates of a key in their order, none twice, and
// in the end has the last value of each key that it subscribes to.
func TestSimulation(t *testing.T) {
	for _, hold := range []bool{false, true} {
		for seed := range uint64(15) {
			t.Run(fmt.Sprint("hold=", hold, "/seed=", seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := &simulation{world: newWorld(t), rand: rand.New(rand.NewPCG(seed, 1))}
					s.cfg = Config{LastValues: 20, Queue: 5, Hold: hold}
					s.run(seed)
				})
			})
		}
	}
}

// simulation has keys of one or two letters, whose values are numbers that grow.
type simulation struct {
	*world
	cfg       Config
	rand      *rand.Rand
	publisher *Publisher[string]
	last      map[string]string // what the publisher keeps
	next      int
	fans      []*fan
}

// fan is a subscriber, and what it has got.
type fan struct {
	*Subscriber[string]
	choice choice
	got    map[string]string // the last value of each key since it subscribed to that
	count  int
}

func (s *simulation) run(seed uint64) {
	s.net.Delay(seed, 20*time.Millisecond)
	s.restart()
	for range 4 {
		s.fans = append(s.fans, &fan{Subscriber: s.subscriber(s.cfg), got: make(map[string]string)})
	}
	for range 2000 {
		f := s.fans[s.rand.IntN(len(s.fans))]
		switch s.rand.IntN(100) {
		case 0:
			s.net.Cut("news:5556")
		case 1:
			if s.rand.IntN(5) == 0 {
				s.publisher.Close(ended)
				s.restart()
			}
		case 2, 3, 4:
			s.choose(f)
		case 5, 6, 7:
			s.take(f, 1+s.rand.IntN(20))
		case 8:
			time.Sleep(time.Duration(s.rand.IntN(2000)) * time.Millisecond)
		case 9:
			time.Sleep(time.Millisecond)
		default:
			s.publishOne()
		}
	}
	for range 5 { // with all that is told again
		time.Sleep(20 * time.Minute)
		for _, f := range s.fans {
			for before := -1; f.count > before; synctest.Wait() {
				before = f.count
				s.take(f, 1000)
			}
		}
	}
	total := 0
	for i, f := range s.fans {
		for key, value := range s.last {
			if f.choice.wants(key) && f.got[key] != value {
				s.t.Errorf("subscriber %d has %q of %s, and %q is the last", i, f.got[key], key, value)
			}
		}
		total += f.count
	}
	if total < 100 {
		s.t.Error("they got no more than", total)
	}
}

func (s *simulation) restart() {
	s.last = make(map[string]string)
	s.publisher = s.world.publisher(s.cfg)
}

func (s *simulation) key() string {
	key := string(rune('a' + s.rand.IntN(4)))
	if s.rand.IntN(2) == 0 {
		key += string(rune('a' + s.rand.IntN(2)))
	}
	return key
}

func (s *simulation) publishOne() {
	key := s.key()
	s.next++
	value := fmt.Sprintf("%s %06d", key, s.next)
	if s.publisher.Publish(s.within(10*time.Millisecond), key, value) == nil {
		s.last[key] = value
	}
}

// choose lets a subscriber subscribe to something, or not any more.
func (s *simulation) choose(f *fan) {
	key, exact := s.key(), s.rand.IntN(3) > 0
	if s.rand.IntN(3) > 0 {
		f.Subscribe(s.within(time.Second), exact, key)
		f.choice.add(key, exact)
		return
	}
	s.must(f.Unsubscribe(exact, key))
	f.choice.remove(key, exact)
	for had := range f.got {
		if !f.choice.wants(had) {
			delete(f.got, had) // it may get it again
		}
	}
}

// take lets a subscriber receive up to n updates.
func (s *simulation) take(f *fan, n int) {
	for range n {
		v, err := f.Recv(ended)
		if err != nil {
			return
		}
		f.count++
		key, _, _ := strings.Cut(v, " ")
		if !f.choice.wants(key) {
			s.t.Errorf("got %q, which is not subscribed to", v)
		}
		if v <= f.got[key] {
			s.t.Errorf("got %q after %q", v, f.got[key])
		}
		f.got[key] = v
	}
}
