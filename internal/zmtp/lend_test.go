package zmtp

import (
	"bytes"
	"testing"
)

// What is lent is right until the next call, whatever its size, and frames in two pieces arrive as one.
func TestLentMessagesAreWhole(t *testing.T) {
	for name, stream := range streams {
		t.Run(name, func(t *testing.T) {
			a, b := stream(t)
			d, r := connect(t, a, b)
			r.Lend()
			var sent []Frame
			for range 3 {
				for i, size := range []int{0, 1, 255, 256, bigFrame - 1, bigFrame, bigBody, bigBody + 1, firstClaim - 1, firstClaim, firstClaim + 1, 1 << 20} {
					body := bytes.Repeat([]byte{byte(i)}, size)
					sent = append(sent, Frame{Body: body}, Frame{Head: body}, Frame{Head: []byte("head"), Body: body})
				}
				for i := range 2000 {
					sent = append(sent, Frame{Body: bytes.Repeat([]byte{byte(i)}, i%300)})
				}
			}
			done := make(chan error, 1)
			go func() { done <- d.WriteFrames(sent) }()
			var batches []Batch
			var lists Lists
			for n := 0; n < len(sent); {
				var err error
				if batches, err = r.ReadBatches(batches[:0], 1000); err != nil {
					t.Fatal(err)
				}
				for i := range batches {
					for b := &batches[i]; b.Len() > 0; n++ {
						frame := b.Frame()
						if frame == nil {
							frame = b.Next(&lists, 0)[0]
						}
						if want := append(bytes.Clone(sent[n].Head), sent[n].Body...); !bytes.Equal(frame, want) {
							t.Fatalf("message %d has %d bytes, or others than the %d that were sent", n, len(frame), len(want))
						}
						clear(frame) // it is the caller's
					}
				}
			}
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		})
	}
}
