package pipe

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// C69
func TestManyProducersShareAConsumer(t *testing.T) {
	over(t, "takes", func(e *edge) {
		var mu sync.Mutex
		from := map[string]int{}
		e.worker(nil, ConsumerConfig{Once: true}, func(d *Delivery[[]byte]) string {
			mu.Lock()
			from[string(d.Body)]++
			mu.Unlock()
			time.Sleep(time.Millisecond)
			return ""
		})
		ctx, cancel := context.WithCancel(context.Background())
		var sending sync.WaitGroup
		for i := range 5 {
			p, s, name := e.producer(Config[[]byte]{}), newStream(), fmt.Sprint(i)
			sending.Go(func() {
				for p.Send(ctx, s.ID(), "", []byte(name), 1, s) == nil {
					if name == "4" { // one that is slow
						time.Sleep(200 * time.Millisecond)
					}
				}
			})
		}
		time.Sleep(10 * time.Second)
		mu.Lock()
		for i := range 4 {
			if n := from[fmt.Sprint(i)]; n < 2300 || n > 2600 {
				t.Errorf("%d of about 2500 from producer %d", n, i)
			}
		}
		if n := from["4"]; n < 45 {
			t.Errorf("%d of about 50 from the slow one", n)
		}
		mu.Unlock()
		cancel()
		sending.Wait()
	})
}

func TestTasksOfAKeyStayInOrder(t *testing.T) {
	over(t, "near gives", func(e *edge) {
		p, s := e.producer(Config[[]byte]{Ordered: true, Retries: 5}), newStream()
		var mu sync.Mutex
		last := map[string]int{}
		at := map[string]bool{}
		n := 0
		for i := range 3 {
			e.worker(p, ConsumerConfig{}, func(d *Delivery[[]byte]) string {
				var number int
				key, text, _ := strings.Cut(string(d.Body), " ")
				fmt.Sscan(text, &number)
				mu.Lock()
				n++
				if at[key] {
					t.Errorf("two of %s at a time", key)
				}
				if d.Attempt == 1 && n%10 == 0 {
					mu.Unlock()
					return "for no reason"
				}
				if last[key]+1 != number {
					t.Errorf("%s comes after %d", d.Body, last[key])
				}
				last[key], at[key] = number, true
				mu.Unlock()
				time.Sleep(time.Duration(i*number%7) * time.Millisecond)
				mu.Lock()
				at[key] = false
				mu.Unlock()
				return ""
			})
		}
		for i := range 100 {
			for _, key := range []string{"a", "b", "c", "d"} {
				body := fmt.Appendf(nil, "%s %d", key, i+1)
				if err := p.Send(context.Background(), s.ID(), key, body, len(body), s); err != nil {
					t.Fatal(err)
				}
			}
		}
		for began := time.Now(); s.done.Load() < 400; time.Sleep(time.Millisecond) {
			if time.Since(began) > time.Minute {
				t.Fatalf("%d done", s.done.Load())
			}
		}
		if len(p.lanes) != 0 {
			t.Errorf("%d keys are kept for ever", len(p.lanes))
		}
	})
}
