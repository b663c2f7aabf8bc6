package mailbox

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
)

// BenchmarkPublish is the Guide's weather server: what it costs to format and publish an update that nobody subscribed
// to, to a peer with so many other subscriptions. Without "format" the updates are there already, at random: what is
// left is a lock and the way through the tree. With "match" the peer has subscribed to every update, and takes none: all
// but the first are made a message of, and dropped.
func BenchmarkPublish(b *testing.B) {
	for _, format := range []bool{true, false} {
		for _, match := range []bool{false, true} {
			for _, n := range []int{10, 100_000} {
				name := map[bool]string{true: "format/"}[format] + map[bool]string{true: "match/"}[match]
				b.Run(fmt.Sprint(name, n), func(b *testing.B) { benchmarkPublish(b, format, match, n) })
			}
		}
	}
}

func benchmarkPublish(b *testing.B, format, match bool, n int) {
	pub, sub := open(b, Pub, Config{}), open(b, Sub, Config{})
	connect(b, sub, bind(b, pub, "inproc://"+b.Name()))
	waitConnected(b, sub)
	topics, apart := make([]string, n), 100_000/n
	for i := range topics {
		topics[i] = fmt.Sprintf("%05d ", i*apart)
	}
	subscribe(b, sub, topics...)
	write := func(update []byte, zip, i int) []byte {
		if match {
			return fmt.Appendf(update, "%05d %d %d", zip/apart*apart, i%80, i%50)
		}
		return fmt.Appendf(update, "%05d- %d %d", zip, i%80, i%50) // the same digits, but for what follows
	}
	random := rand.New(rand.NewPCG(1, 2))
	var updates [1024][]byte
	for i := range updates {
		updates[i] = write(nil, random.IntN(100_000), i)
	}
	ctx, update, i := context.Background(), make([]byte, 0, 64), 0
	b.ReportAllocs()
	for b.Loop() {
		i++
		if format {
			update = write(update[:0], i*7919%100_000, i)
		} else {
			update = updates[i%len(updates)]
		}
		if err := pub.Send(ctx, update); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPubSub is messages of 100 bytes to so many subscribers, none lost, as fast as the last of them gets them.
func BenchmarkPubSub(b *testing.B) {
	for _, tr := range transports {
		for _, n := range []int{1, 5} {
			b.Run(fmt.Sprint(tr.name, "/", n), func(b *testing.B) {
				pub := open(b, Pub, Config{NoDrop: true})
				at := bind(b, pub, tr.endpoint(b))
				subs := make([]*Socket, n)
				for i := range subs {
					subs[i] = open(b, Sub, Config{})
					connect(b, subs[i], at)
					subscribe(b, subs[i], "")
				}
				waitSubscribers(b, pub, n)
				ctx, body := context.Background(), make([]byte, 100)
				done := make(chan error)
				b.ReportAllocs()
				b.ResetTimer()
				for _, sub := range subs {
					go func() {
						for range b.N {
							if _, err := sub.Recv(ctx); err != nil {
								done <- err
								return
							}
						}
						done <- nil
					}()
				}
				for range b.N {
					if err := pub.Send(ctx, body); err != nil {
						b.Fatal(err)
					}
				}
				for range subs {
					if err := <-done; err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
			})
		}
	}
}
