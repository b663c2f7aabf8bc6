package queue

import (
	"testing"
)

func TestExceedTakesTwiceTheLimit(t *testing.T) {
	q := New[int](3)
	for i := range 3 {
		if _, err := q.Push(i); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 3 {
		if _, err := q.Exceed(i); err != nil {
			t.Fatalf("item %d beyond the limit: %v", i+1, err)
		}
	}
	if _, err := q.Exceed(0); err != ErrFull {
		t.Errorf("beyond twice the limit: %v, want ErrFull", err)
	}
	q.Close()
	if _, err := q.Exceed(0); err != ErrClosed {
		t.Errorf("after Close: %v", err)
	}
}

func TestLowIsToldOnceHalfTheLimitIsLeft(t *testing.T) {
	q, called := New[int](4), 0
	q.Low(func() { called++ })
	if called != 1 {
		t.Fatal("not at once on an empty queue")
	}
	for i := range 4 {
		q.Push(i)
	}
	q.Low(func() { called++ })
	batch := q.Take(nil)
	if q.Done(1); called != 1 {
		t.Fatal("called with three of four left")
	}
	if q.Done(1); called != 2 {
		t.Fatal("not called with two of four left")
	}
	if q.Done(len(batch) - 2); called != 2 {
		t.Fatal("called twice")
	}
	for i := range 4 {
		q.Push(i)
	}
	q.Low(func() { called++ })
	if q.Close(); called != 3 {
		t.Error("not called by Close")
	}
}

func TestLowIsNotToldAfterCancel(t *testing.T) {
	q, called := New[int](2), 0
	q.Push(1)
	q.Push(2)
	q.Low(func() { called++ })()
	other := q.Low(func() { called++ })
	if n := q.waiting.Load(); n != 1 {
		t.Errorf("%d wait, want one", n)
	}
	q.Close()
	if other(); called != 1 {
		t.Errorf("called %d times, want once", called)
	}
}
