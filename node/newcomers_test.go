package node

import (
	"bytes"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/internal/memnet"
)

// C08: before its HELLO a peer can't make a node read much, whatever Config.MaxMessage is.
func TestLargeFirstMessageEndsTheConnection(t *testing.T) {
	greeting := appendHello(appendHeader(nil, &header{kind: kindHello}), &hello{lowest: 1, highest: 1, node: "foreign", incarnation: alphaInc})
	for name, frames := range map[string][][]byte{
		"one frame":     {make([]byte, maxGreeting+1)},
		"two frames":    {make([]byte, maxGreeting/2), make([]byte, maxGreeting)},
		"64 MiB":        {make([]byte, 64<<20)},
		"many frames":   make([][]byte, manyFrames+1),
		"HELLO padded":  {append(bytes.Clone(greeting), make([]byte, maxGreeting)...)},
		"many in front": append(make([][]byte, manyFrames), greeting),
	} {
		t.Run(name, func(t *testing.T) {
			foreign(t, func(t *testing.T, beta *Node, f *foreigner) {
				began := time.Now()
				go f.conn.Write([][][]byte{frames}) // as far as it is read
				if msg, err := f.conn.Read(); err == nil {
					t.Errorf("answered with %q", msg)
				}
				if took := time.Since(began); took != 0 {
					t.Errorf("closed after %v", took)
				}
			})
		})
	}
}

func TestMessagesMayBeLargeAfterHello(t *testing.T) {
	foreign(t, func(t *testing.T, beta *Node, f *foreigner) {
		f.greet()
		text := string(bytes.Repeat([]byte("x"), 3*maxGreeting))
		f.send(&header{kind: kindAsk, seq: 1, target: address{form: byName, name: "greeter"}, sender: address{form: byID, id: 9}, typ: "string"},
			appendStr(nil, text)...)
		if _, body := f.next(kindReply); len(body) < len(text) {
			t.Errorf("answered with %d bytes", len(body))
		}
	})
}

// One that opens many connections and says nothing costs a bounded number of them, and who says HELLO gets in.
func TestConnectionsWithoutHelloAreBounded(t *testing.T) {
	foreign(t, func(t *testing.T, beta *Node, f *foreigner) {
		var silent []*foreigner
		for range maxNewcomers + 10 {
			silent = append(silent, dialBeta(t, beta.cfg.Network.(*memnet.Network)))
			synctest.Wait()
		}
		waiting := func() int {
			beta.newcomers.mu.Lock()
			defer beta.newcomers.mu.Unlock()
			return beta.newcomers.list.Len()
		}
		if n := waiting(); n != maxNewcomers {
			t.Errorf("%d connections wait", n)
		}
		began := time.Now()
		for _, s := range append([]*foreigner{f}, silent[:10]...) { // the oldest
			if _, err := s.conn.Read(); err == nil || time.Since(began) > 0 {
				t.Fatalf("the oldest connections were not ended: %v after %v", err, time.Since(began))
			}
		}
		silent[10].greet()
		last := silent[len(silent)-1]
		last.greet()
		for range helloTimeout/time.Second + 1 { // it reads, and so answers heartbeats
			time.Sleep(time.Second)
			last.send(&header{kind: kindPing})
			last.next(kindAck)
		}
		if n := waiting(); n != 0 {
			t.Errorf("%d connections still wait", n)
		}
	})
}

func TestNodesThatAreNotListedAreBounded(t *testing.T) {
	foreign(t, func(t *testing.T, beta *Node, f *foreigner) {
		beta.peers.mu.Lock()
		for i := range maxStrangers - 1 {
			name := fmt.Sprint("stranger-", i)
			beta.peers.table[name] = beta.unlisted(name)
		}
		beta.peers.mu.Unlock()
		f.greet()
		late := dialBeta(t, beta.cfg.Network.(*memnet.Network))
		late.send(&header{kind: kindHello}, appendHello(nil, &hello{lowest: 1, highest: 1, node: "late", incarnation: alphaInc})...)
		late.wantBye(byeNotAllowed)
		f.send(&header{kind: kindBye, typ: byeClosing})
		synctest.Wait()
		dialBeta(t, beta.cfg.Network.(*memnet.Network)).greet() // is known
	})
}
