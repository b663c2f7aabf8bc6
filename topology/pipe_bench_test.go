package topology_test

import (
	"context"
	"iter"
	"log/slog"
	"testing"

	"github.com/troupe-go/troupe/codec"
	"github.com/troupe-go/troupe/topology"
)

// BenchmarkPipe measures, in messages per second, empty tasks from a source to a sink in one process (handed), with a stage
// in between, so over two pipes (staged), and over a socket: acknowledged, and 100 bytes each over plain ZeroMQ.
func BenchmarkPipe(b *testing.B) {
	quiet := topology.Options{Log: slog.New(slog.DiscardHandler)}
	b.Run("handed", func(b *testing.B) {
		top := topology.New("bench")
		tasks := topology.Pipe[struct{}](top, "tasks", "tcp://127.0.0.1:5557")
		topology.Source(top, "source", tasks, emitWhile[struct{}](b, struct{}{}))
		topology.Sink(top, "sink", tasks, drain[struct{}])
		run(b, top, quiet)
	})
	b.Run("staged", func(b *testing.B) {
		top := topology.New("bench")
		tasks := topology.Pipe[struct{}](top, "tasks", "tcp://127.0.0.1:5557")
		results := topology.Pipe[struct{}](top, "results", "tcp://127.0.0.1:5558")
		topology.Source(top, "source", tasks, emitWhile[struct{}](b, struct{}{}))
		topology.Stage(top, "stage", tasks, results, func(_ context.Context, v struct{}) (struct{}, error) { return v, nil })
		topology.Sink(top, "sink", results, drain[struct{}])
		run(b, top, quiet)
	})
	b.Run("acked-tcp", func(b *testing.B) {
		o := quiet
		o.At = map[string]string{"tasks": "tcp://" + freeAddress(b)}
		top := topology.New("bench")
		tasks := topology.Pipe[struct{}](top, "tasks", "tcp://127.0.0.1:5557")
		topology.Source(top, "source", tasks, emitWhile[struct{}](b, struct{}{}))
		topology.Sink(top, "sink", tasks, drain[struct{}])
		run(b, top, o)
	})
	b.Run("zmq-tcp", func(b *testing.B) {
		o := quiet
		o.At = map[string]string{"tasks": "tcp://" + freeAddress(b)}
		top := topology.New("bench")
		tasks := topology.Pipe[[]byte](top, "tasks", "tcp://127.0.0.1:5557", topology.ZMQ(codec.Raw))
		body := make([]byte, 100)
		topology.Source(top, "source", tasks, func(_ context.Context, emit func([]byte) error) error {
			for emit(body) == nil {
			}
			return nil
		})
		topology.Sink(top, "sink", tasks, func(_ context.Context, seq iter.Seq[[]byte]) error {
			for range seq {
				if !b.Loop() {
					break
				}
			}
			return nil
		})
		run(b, top, o)
	})
}

// emitWhile is a source of the benchmark's values.
func emitWhile[T any](b *testing.B, v T) func(context.Context, func(T) error) error {
	return func(_ context.Context, emit func(T) error) error {
		for b.Loop() {
			if err := emit(v); err != nil {
				return err
			}
		}
		return nil
	}
}

func drain[T any](_ context.Context, seq iter.Seq[T]) error {
	for range seq {
	}
	return nil
}

func run(b *testing.B, top *topology.Topology, o topology.Options) {
	b.ReportAllocs()
	if err := top.Run(b.Context(), o); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
}
