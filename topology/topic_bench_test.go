package topology_test

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/troupe-go/troupe/codec"
	"github.com/troupe-go/troupe/topology"
)

// weather is an update of the Guide's weather server.
type weather struct {
	Zip                   string
	Temperature, Humidity int
}

// zips are the keys that updates have, one after the other.
var zips = func() string {
	var all []byte
	for zip := range 100_000 {
		all = append(all, strconv.Itoa(100_000 + zip)[1:]...)
	}
	return string(all)
}()

func zipCode(zip int) string { return zips[5*zip:][:5] }

// BenchmarkTopic is the Guide's weather server at full speed, with one client for one of 100,000 zip codes: what an update
// costs, end to end.
func BenchmarkTopic(b *testing.B) {
	b.Run("weather-value", func(b *testing.B) { benchmarkWeather(b, "", newWeather, weatherZip) })
	b.Run("weather-tcp", func(b *testing.B) {
		benchmarkWeather(b, "tcp://"+freeAddress(b), newWeather, weatherZip)
	})
	b.Run("weather-tcp-zmq", func(b *testing.B) {
		benchmarkWeather(b, "tcp://"+freeAddress(b), weatherText, word, topology.ZMQ(codec.Raw))
	})
}

func newWeather(zip string, temperature, humidity int) weather {
	return weather{zip, temperature, humidity}
}

func weatherZip(w weather) string { return w.Zip }

func weatherText(zip string, temperature, humidity int) string {
	var room [32]byte
	text := append(append(room[:0], zip...), ' ')
	text = append(strconv.AppendInt(text, int64(temperature), 10), ' ')
	return string(strconv.AppendInt(text, int64(humidity), 10))
}

func benchmarkWeather[T comparable](b *testing.B, at string, update func(zip string, temperature, humidity int) T,
	key func(T) string, opts ...topology.EdgeOption) {
	o := topology.Options{Log: slog.New(slog.DiscardHandler)}
	if at != "" {
		o.At = map[string]string{"updates": at}
	}
	zip := zipCode(10001)
	last := update(zip, 0, 0)
	t := topology.New("weather")
	updates := topology.Topic(t, "updates", "tcp://127.0.0.1:5556", key, opts...)
	topology.Publisher(t, "server", updates, func(ctx context.Context, out *topology.Outlet[T]) error {
		if err := out.WaitSubscribers(ctx, 1); err != nil {
			return err
		}
		r := rand.New(rand.NewPCG(1, 2))
		b.ReportAllocs()
		b.ResetTimer()
		for range b.N {
			if err := out.Publish(ctx, update(zipCode(r.IntN(100_000)), r.IntN(215)-80, r.IntN(50)+10)); err != nil {
				return err
			}
		}
		return out.Publish(ctx, last)
	})
	topology.Subscriber(t, "client", updates, func(ctx context.Context, in *topology.Inlet[T]) error {
		if err := in.Subscribe(ctx, zip); err != nil {
			return err
		}
		for u := range in.All(ctx) {
			if u == last {
				break
			}
		}
		return nil
	})
	if err := t.Run(b.Context(), o); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "updates/s")
}

// BenchmarkPublish is updates of 100 bytes that the one subscriber wants, none lost.
func BenchmarkPublish(b *testing.B) {
	for _, c := range []struct {
		name, at string
		opts     []topology.EdgeOption
	}{
		{"value", "", nil},
		{"tcp", "tcp://" + freeAddress(b), nil},
		{"tcp-zmq", "tcp://" + freeAddress(b), []topology.EdgeOption{topology.ZMQ(codec.Raw)}},
	} {
		b.Run(c.name, func(b *testing.B) { benchmarkPublish(b, c.at, append(c.opts, topology.NoDrop())...) })
	}
}

func benchmarkPublish(b *testing.B, at string, opts ...topology.EdgeOption) {
	o := topology.Options{Log: slog.New(slog.DiscardHandler)}
	if at != "" {
		o.At = map[string]string{"updates": at}
	}
	t := topology.New("updates")
	updates := topology.Topic(t, "updates", "tcp://127.0.0.1:5556", func(string) string { return "key" }, opts...)
	update := "key" + strings.Repeat(".", 97)
	topology.Publisher(t, "publisher", updates, func(ctx context.Context, out *outlet) error {
		if err := out.WaitSubscribers(ctx, 1); err != nil {
			return err
		}
		b.ReportAllocs()
		b.ResetTimer()
		for range b.N {
			if err := out.Publish(ctx, update); err != nil {
				return err
			}
		}
		return nil
	})
	topology.Subscriber(t, "subscriber", updates, func(ctx context.Context, in *inlet) error {
		if err := in.Subscribe(ctx, "key"); err != nil {
			return err
		}
		for range b.N {
			if _, err := in.Next(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	if err := t.Run(b.Context(), o); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "updates/s")
}
