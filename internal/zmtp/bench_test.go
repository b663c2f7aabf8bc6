package zmtp

import (
	"fmt"
	"testing"
)

func BenchmarkConn(b *testing.B) {
	for _, size := range []int{16, 100, 1024} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			x, y := tcpPair(b)
			d, r := connect(b, x, y)
			room := make(chan struct{}, 1)
			o := NewOutbox(1000, 0, func() { room <- struct{}{} })
			served := serving(o, d)
			msg := [][]byte{make([]byte, size)}
			b.SetBytes(int64(size))
			b.ResetTimer()
			go func() {
				for range b.N {
					for !o.Send(nil, msg) {
						<-room
					}
				}
			}()
			var batches []Batch
			for got := 0; got < b.N; {
				var err error
				if batches, err = r.ReadBatches(batches[:0], 1000); err != nil {
					b.Fatal(err)
				}
				for i := range batches {
					for batches[i].Next(&r.reader.lists, 0) != nil {
						got++
					}
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
			o.Close()
			<-served
		})
	}
}

func BenchmarkPingPong(b *testing.B) {
	x, y := tcpPair(b)
	d, r := connect(b, x, y)
	od, or := NewOutbox(10, 0, nil), NewOutbox(10, 0, nil)
	sd, sr := serving(od, d), serving(or, r)
	go func() {
		for {
			msg, err := r.Read()
			if err != nil {
				return
			}
			or.Send(nil, msg)
		}
	}()
	msg := [][]byte{make([]byte, 100)}
	for b.Loop() {
		od.Send(nil, msg)
		if _, err := d.Read(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
	od.Close()
	or.Close()
	<-sd
	<-sr
	d.Close()
	r.Close()
}
