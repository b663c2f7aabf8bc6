package mailbox

import (
	"context"
	"testing"
)

// BenchmarkReqRep is one client's round trips: "Hello" there, "World" back.
func BenchmarkReqRep(b *testing.B) {
	for _, tr := range transports {
		b.Run(tr.name, func(b *testing.B) {
			at := tr.endpoint(b)
			server, client := open(b, Rep, Config{}), open(b, Req, Config{})
			bind(b, server, at)
			connect(b, client, at)
			ctx := context.Background()
			go func() {
				world := []byte("World")
				for {
					if _, err := server.Recv(ctx); err != nil {
						return
					}
					server.Send(ctx, world)
				}
			}()
			hello := []byte("Hello")
			b.ReportAllocs()
			for b.Loop() {
				if err := client.Send(ctx, hello); err != nil {
					b.Fatal(err)
				}
				if _, err := client.Recv(ctx); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
		})
	}
}

// BenchmarkDealerRouter is messages of 100 bytes one way, as fast as they go.
func BenchmarkDealerRouter(b *testing.B) {
	for _, tr := range transports {
		b.Run(tr.name, func(b *testing.B) {
			at := tr.endpoint(b)
			router, dealer := open(b, Router, Config{}), open(b, Dealer, Config{})
			bind(b, router, at)
			connect(b, dealer, at)
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			go func() {
				body := make([]byte, 100)
				for dealer.Send(ctx, body) == nil {
				}
			}()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := router.Recv(ctx); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
		})
	}
}

// BenchmarkPushPull is messages of 100 bytes one way, as fast as they go.
func BenchmarkPushPull(b *testing.B) {
	for _, tr := range transports {
		b.Run(tr.name, func(b *testing.B) {
			at := tr.endpoint(b)
			pull, push := open(b, Pull, Config{}), open(b, Push, Config{})
			bind(b, pull, at)
			connect(b, push, at)
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			go func() {
				body := make([]byte, 100)
				for push.Send(ctx, body) == nil {
				}
			}()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := pull.Recv(ctx); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
		})
	}
}
