package main

import (
	"context"
	"fmt"
	"iter"
	"reflect"
	"strconv"
	"time"

	"github.com/troupe-go/troupe/codec"
	"github.com/troupe-go/troupe/topology"
)

// The Guide's programs know no acknowledgements and no end of the batch: its ventilator gives the workers a moment to
// connect, then tells the sink that the batch begins, and the sink counts.

// beginBatch is what the ventilator does before it sends the first task.
func beginBatch(ctx context.Context, results *topology.PipeEdge[Result]) error {
	select {
	case <-time.After(time.Second): // the Guide's waits for somebody to press Enter
	case <-ctx.Done():
		return ctx.Err()
	}
	return results.Send(ctx, Result{})
}

// collectBatch is what the sink does: the first message says that the batch begins.
func collectBatch(all iter.Seq[Result], n int) error {
	var began time.Time
	got := -1
	for range all {
		if got++; got == 0 {
			began = time.Now()
		}
		if got == n {
			break
		}
	}
	fmt.Printf("tasks=%d elapsed_ms=%d\n", got, time.Since(began).Milliseconds())
	return nil
}

// milliseconds is how the Guide's programs write a task: how long it takes, as text.
type milliseconds struct{}

func (milliseconds) Name() string { return "milliseconds" }

func (milliseconds) Check(t reflect.Type) error { return only[Task](t) }

func (milliseconds) Append(b []byte, v any) ([]byte, error) {
	return strconv.AppendInt(b, int64(v.(Task).Milliseconds), 10), nil
}

func (milliseconds) Decode(text []byte, v any) (err error) {
	v.(*Task).Milliseconds, err = strconv.Atoi(string(text))
	return err
}

// anything is how they write a result, and that a batch begins: a message, of whatever content.
type anything struct{}

func (anything) Name() string { return "anything" }

func (anything) Check(t reflect.Type) error { return only[Result](t) }

func (anything) Append(b []byte, _ any) ([]byte, error) { return append(b, '0'), nil }

func (anything) Decode([]byte, any) error { return nil }

// only refuses other types than T. What a codec's Check refuses never comes to its other methods.
func only[T any](t reflect.Type) error {
	if t != reflect.TypeFor[T]() {
		return fmt.Errorf("%w: %v is no %v", codec.ErrEncode, t, reflect.TypeFor[T]())
	}
	return nil
}
