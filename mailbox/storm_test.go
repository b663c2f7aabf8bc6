package mailbox

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// storm is messages of all sizes that several senders send to several receivers, which check them.
type storm struct {
	t      *testing.T
	breaks bool // connections do: what came over an old one is received in turn with what comes over the next
	mu     sync.Mutex
	got    map[[2]uint32]int    // how often each message came: the sender and its number
	last   map[[2]uint32]uint32 // by receiver and sender: the number that came last, plus one
}

// message is the n-th of a sender: its head and up to five frames of random bytes, and, last, their checksum.
func (s *storm) message(r *rand.Rand, sender, n uint32) [][]byte {
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, sender), n)
	msg := [][]byte{head}
	for range r.IntN(6) {
		size := r.IntN(40)
		switch r.IntN(40) {
		case 0:
			size = r.IntN(200 << 10)
		case 1, 2, 3:
			size = r.IntN(5 << 10)
		}
		body := make([]byte, size)
		for i := range body {
			body[i] = byte(n) + byte(i)
		}
		msg = append(msg, body)
	}
	return append(msg, checksum(msg))
}

func checksum(frames [][]byte) []byte {
	sum := crc32.NewIEEE()
	for _, f := range frames {
		sum.Write(f)
		sum.Write([]byte{byte(len(f))})
	}
	return sum.Sum(nil)
}

// check notes a message that a receiver got.
func (s *storm) check(receiver uint32, msg [][]byte) {
	last := len(msg) - 1
	if last < 1 || len(msg[0]) != 8 || string(checksum(msg[:last])) != string(msg[last]) {
		s.t.Errorf("a message of %d frames is not as it was sent", len(msg))
		return
	}
	sender, n := binary.BigEndian.Uint32(msg[0]), binary.BigEndian.Uint32(msg[0][4:])
	for _, f := range msg { // they are ours
		clear(f)
		_ = append(f, 0xff)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got[[2]uint32{sender, n}]++
	if s.got[[2]uint32{sender, n}] > 1 {
		s.t.Errorf("message %d of sender %d came again", n, sender)
	}
	at := [2]uint32{receiver, sender}
	if n < s.last[at] && !s.breaks {
		s.t.Errorf("message %d of sender %d came after number %d", n, sender, s.last[at]-1)
	}
	s.last[at] = n + 1
}

// receive takes messages until quit is closed, giving up now and then.
func (s *storm) receive(sock *Socket, receiver uint32, quit chan struct{}) {
	r := rand.New(rand.NewPCG(uint64(receiver), 1))
	for {
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(r.IntN(3000))*time.Microsecond)
		msg, err := sock.Recv(ctx)
		cancel()
		switch {
		case err == nil:
			s.check(receiver, msg)
		case errors.Is(err, context.DeadlineExceeded):
			select {
			case <-quit:
				return
			default:
			}
		default:
			s.t.Error(err)
			return
		}
	}
}

// send sends n messages, giving up now and then, with buffers that it uses again.
func (s *storm) send(sock *Socket, sender, n uint32) {
	r := rand.New(rand.NewPCG(uint64(sender), 2))
	for i := range n {
		msg := s.message(r, sender, i)
		for {
			ctx, cancel := context.WithTimeout(context.Background(), time.Duration(r.IntN(3000))*time.Microsecond)
			err := sock.Send(ctx, msg...)
			cancel()
			if err == nil {
				break
			}
			if !errors.Is(err, context.DeadlineExceeded) {
				s.t.Error(err)
				return
			}
		}
		for _, f := range msg {
			clear(f)
		}
	}
}

// Every message comes once, as it was sent, and in its sender's order, however small the high-water marks are.
func TestNothingIsLostOrDoubledInAStorm(t *testing.T) {
	for _, tr := range transports {
		for _, hwm := range []int{1, 7, 1000} {
			t.Run(tr.name, func(t *testing.T) {
				s := &storm{t: t, breaks: true, got: make(map[[2]uint32]int), last: make(map[[2]uint32]uint32)}
				const pulls, pushes, each = 2, 3, 300
				quit := make(chan struct{})
				var receiving, sending sync.WaitGroup
				var at []string
				for i := range pulls {
					pull := open(t, Pull, Config{RecvHWM: hwm})
					e := tr.endpoint(t)
					if tr.name == "inproc" {
						e += fmt.Sprint(i)
					}
					at = append(at, bind(t, pull, e))
					receiving.Go(func() { s.receive(pull, uint32(i), quit) })
				}
				for i := range pushes {
					push := open(t, Push, Config{SendHWM: hwm})
					for _, e := range at[:1+i%pulls] {
						connect(t, push, e)
					}
					sending.Go(func() {
						s.send(push, uint32(i), each)
						shut(t, push)
					})
				}
				sending.Wait()
				until(t, "all are here", func() bool {
					s.mu.Lock()
					defer s.mu.Unlock()
					return len(s.got) >= pushes*each
				})
				close(quit)
				receiving.Wait()
			})
		}
	}
}

// What was on its way when a connection broke may be lost. Nothing else is, and nothing is doubled.
func TestConnectionsThatBreakDoubleNothing(t *testing.T) {
	s := &storm{t: t, breaks: true, got: make(map[[2]uint32]int), last: make(map[[2]uint32]uint32)}
	pull := open(t, Pull, Config{})
	cut := newCutter(t, strings.TrimPrefix(bind(t, pull, "tcp://127.0.0.1:*"), "tcp://"))
	quit := make(chan struct{})
	var receiving, sending sync.WaitGroup
	receiving.Go(func() { s.receive(pull, 0, quit) })
	const pushes, each = 3, 2000
	for i := range pushes {
		push := open(t, Push, Config{SendBuffer: 8 << 10})
		connect(t, push, "tcp://"+cut.at)
		sending.Go(func() {
			s.send(push, uint32(i), each)
			shut(t, push)
			if n := push.Stats().Sent; n != each {
				t.Errorf("%d messages were sent of %d", n, each)
			}
		})
	}
	sending.Wait()
	until(t, "connections broke, and messages came", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.got) > 0
	})
	close(quit)
	receiving.Wait()
	t.Logf("%d connections; %d messages of %d came", cut.n.Load(), len(s.got), pushes*each)
}

// cutter passes connections on, each for some bytes.
type cutter struct {
	at string
	n  atomic.Int32 // connections
}

func newCutter(t *testing.T, to string) *cutter {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var passing sync.WaitGroup
	t.Cleanup(passing.Wait)
	t.Cleanup(func() { l.Close() })
	c := &cutter{at: l.Addr().String()}
	passing.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			after := rand.Int64N(300 << 10)
			if c.n.Add(1) > 100 {
				after = 1 << 40 // enough
			}
			passing.Go(func() {
				defer in.Close()
				out, err := net.Dial("tcp", to)
				if err != nil {
					return
				}
				defer out.Close()
				passing.Go(func() {
					io.Copy(in, out)
					in.Close()
				})
				io.CopyN(out, in, after)
			})
		}
	})
	return c
}
