package zmtp

import (
	"bytes"
	"fmt"
	"testing"
)

// mixed is messages of all kinds.
func mixed() (msgs [][][]byte) {
	for i, size := range []int{0, 1, 24, 255, 256, 257, 3000, 70000} {
		for _, frames := range []int{1, 2, 5, 40} {
			msg := make([][]byte, frames)
			for f := range msg {
				msg[f] = bytes.Repeat([]byte{byte(i + f)}, size*(f%3)/2)
			}
			msgs = append(msgs, msg)
		}
	}
	return msgs
}

func same(a, b [][]byte) bool {
	return len(a) == len(b) && bytes.Equal(appendMessage(nil, a), appendMessage(nil, b))
}

func TestABatchGivesBackWhatWasAdded(t *testing.T) {
	var b Batch
	msgs := mixed()
	payload := 0
	for i, msg := range msgs {
		b.Add(msg[:i%len(msg)], msg[i%len(msg):])
		payload += Payload(msg)
	}
	size := batchCost
	for _, msg := range msgs {
		size += WireSize(msg, nil)
	}
	if b.Len() != len(msgs) || b.Payload() != payload || b.Size() != size {
		t.Error(b.Len(), b.Payload(), b.Size())
	}
	var lists Lists
	for i, msg := range msgs {
		got := b.Next(&lists, i%2)
		if !same(got[i%2:], msg) || i%2 == 1 && got[0] != nil {
			t.Fatalf("message %d differs", i)
		}
		for _, f := range got {
			if cap(f) != len(f) {
				t.Fatalf("message %d: an append would write over what follows", i)
			}
		}
		if cap(got) != len(got) {
			t.Fatalf("message %d: an append would write over the next one's list", i)
		}
		payload -= Payload(msg)
		size -= WireSize(msg, nil)
		if b.Len() == 0 {
			size = 0
		}
		if b.Len() != len(msgs)-1-i || b.Payload() != payload || b.Size() != size {
			t.Fatal(i, b.Len(), b.Payload(), b.Size())
		}
	}
	if b.Next(&lists, 0) != nil {
		t.Error("something is left")
	}
}

func TestABatchOfOneMessageGivesThatBack(t *testing.T) {
	msg := [][]byte{[]byte("a"), nil, []byte("bc")}
	b := Single(msg)
	if b.Len() != 1 || b.Payload() != 3 || b.Size() < 3 {
		t.Error(b.Len(), b.Payload(), b.Size())
	}
	var lists Lists
	if got := b.Next(&lists, 1); len(got) != 4 || got[0] != nil || !same(got[1:], msg) {
		t.Errorf("%q", got)
	}
	if b.Len() != 0 || b.Payload() != 0 || b.Size() != 0 || b.Next(&lists, 0) != nil {
		t.Error("something is left")
	}
}

// What was written as a whole is gone, what was not is still there, wherever the connection broke.
func TestABatchDropsTheMessagesThatWereWritten(t *testing.T) {
	msgs := [][][]byte{text("a"), {nil, nil}, {[]byte("bc"), make([]byte, 300)}, text("d")}
	var whole Batch
	var ends []int
	for _, msg := range msgs {
		whole.Add(nil, msg)
		ends = append(ends, len(whole.buf))
	}
	for n := range len(whole.buf) + 1 {
		b := whole
		want, payload := 0, 0
		for want < len(ends) && ends[want] <= n {
			payload += Payload(msgs[want])
			want++
		}
		if messages, bytes := b.drop(n); messages != want || bytes != payload || b.Len() != len(msgs)-want {
			t.Fatalf("%d messages of %d bytes in %d, want %d of %d", messages, bytes, n, want, payload)
		}
		var lists Lists
		for _, msg := range msgs[want:] {
			if got := b.Next(&lists, 0); !same(got, msg) {
				t.Fatalf("after %d bytes: %q", n, got)
			}
		}
	}
}

func TestBatchesInOneMemoryDoNotOverlap(t *testing.T) {
	memory := make([]byte, 0, 100)
	var batches []Batch
	for i := range 4 {
		b := NewBatch(memory)
		for range i + 1 {
			b.Add(nil, text(fmt.Sprint(i)))
		}
		memory = b.Spare()
		if b.Fits(1) {
			t.Error("it would grow into what it gave away")
		}
		batches = append(batches, b)
	}
	if left := cap(memory); left != 100-10*3 {
		t.Error(left)
	}
	var lists Lists
	for i := range batches {
		for range i + 1 {
			if got := batches[i].Next(&lists, 0); string(got[0]) != fmt.Sprint(i) {
				t.Errorf("%q in batch %d", got, i)
			}
		}
	}
}

// FuzzBatch sends messages cut out of data from one end of a stream to the other.
func FuzzBatch(f *testing.F) {
	f.Add([]byte("\x01a\x00\x81bcd\x02ef"), uint16(3))
	f.Add(bytes.Repeat([]byte{0}, 100), uint16(1))
	f.Add(bytes.Repeat([]byte{0xff}, 3000), uint16(700))
	f.Fuzz(func(t *testing.T, data []byte, step uint16) {
		var b Batch
		var msgs [][][]byte
		var msg [][]byte
		for len(data) > 0 { // a byte says how long a frame is, and whether another follows
			n := min(int(data[0]&0x7f)*(1+int(step)%50), len(data)-1)
			more := data[0]&0x80 != 0
			msg = append(msg, data[1:1+n])
			if data = data[1+n:]; !more {
				b.Add(nil, msg)
				msgs, msg = append(msgs, msg), nil
			}
		}
		r := new(reader)
		r.init(&script{p: b.buf, step: 1 + int(step)}, 1<<30)
		var lists Lists
		for len(msgs) > 0 {
			batches, err := r.next(nil, 1+int(step)%10, func([]byte) error { return nil })
			if err != nil {
				t.Fatal(err)
			}
			for i := range batches {
				for batches[i].Len() > 0 {
					if got := batches[i].Next(&lists, 0); !same(got, msgs[0]) {
						t.Fatalf("%q came for %q", got, msgs[0])
					}
					msgs = msgs[1:]
				}
			}
		}
	})
}
