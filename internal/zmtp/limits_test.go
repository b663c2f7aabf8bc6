package zmtp

import (
	"errors"
	"strings"
	"testing"

	"github.com/go-zeromq/zmq4"
)

// Who does not know yet with whom it talks takes little, and more later.
func TestMaxMessageCanBeChangedBetweenTwoReads(t *testing.T) {
	small, large := [][]byte{make([]byte, 100)}, [][]byte{make([]byte, 100_000)}
	for name, stream := range streams {
		t.Run(name, func(t *testing.T) {
			a, b := stream(t)
			x, y := sealedPair(t, a, b, 100)
			go x.Write([][][]byte{small, large, large}) // all are there when the first is read
			for i, want := range []int{100, 100_000} {
				msg, err := y.Read()
				if err != nil || len(msg[0]) != want {
					t.Fatalf("message %d: %d frames, %v", i, len(msg), err)
				}
				y.SetMaxMessage(100_000)
			}
			y.SetMaxMessage(99_999)
			if _, err := y.Read(); !errors.Is(err, ErrProtocol) || !strings.Contains(err.Error(), "the limit is 99999") {
				t.Error(err)
			}
		})
	}
}

func TestMaxFramesIsTheMostThatAMessageHas(t *testing.T) {
	for name, stream := range streams {
		for _, most := range []int{1, 3, 100} {
			for _, size := range []int{0, 1, bigBody + 1} {
				t.Run(name, func(t *testing.T) {
					a, b := stream(t)
					cfg := quiet(zmq4.Pull)
					cfg.MaxFrames = most
					d, s := open2(a, b, quiet(zmq4.Push), cfg)
					if d.err != nil || s.err != nil {
						t.Fatal(d.err, s.err)
					}
					defer d.c.Close()
					defer s.c.Close()
					frames := make([][]byte, most+1)
					for i := range frames {
						frames[i] = make([]byte, size)
					}
					go d.c.Write([][][]byte{frames[:most], frames})
					if msg, err := s.c.Read(); err != nil || len(msg) != most {
						t.Errorf("%d frames, %v", len(msg), err)
					}
					if msg, err := s.c.Read(); !errors.Is(err, ErrProtocol) || !strings.Contains(err.Error(), "more than") {
						t.Errorf("%d frames, %v", len(msg), err)
					}
				})
			}
		}
	}
}
