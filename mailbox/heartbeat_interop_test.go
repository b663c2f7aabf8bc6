//go:build unix

package mailbox

import (
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/troupe-go/troupe/internal/pyzmq"
)

// beatingOptions are pyzmq's options for a PING every 100 ms.
var beatingOptions = []string{"heartbeat_ivl=100", "heartbeat_timeout=1000", "heartbeat_ttl=1000"}

// C27: with heartbeats at both ends a connection lives however long nothing is sent, and no PING or PONG is taken for a
// message. TROUPE_LONG=1 makes that a minute.
func TestHeartbeatsInBothDirectionsKeepAnIdleConnectionWithPyzmq(t *testing.T) {
	idle := 2100 * time.Millisecond
	if os.Getenv("TROUPE_LONG") == "1" {
		idle = time.Minute
	}
	pyzmq.Command(t, "") // skips once if there is none
	cfg := Config{Heartbeat: 100 * time.Millisecond, HeartbeatTimeout: time.Second, HeartbeatTTL: time.Second}
	for _, how := range []string{"bind", "connect"} {
		t.Run("pyzmq "+how+"s", func(t *testing.T) {
			t.Parallel()
			s := open(t, Dealer, cfg)
			var f *foreign
			if how == "bind" {
				f = pyzmqPeer(t, Dealer, how, "tcp://127.0.0.1:*", beatingOptions...)
				connect(t, s, f.at)
			} else {
				f = pyzmqPeer(t, Dealer, how, bind(t, s, "tcp://127.0.0.1:*"), beatingOptions...)
			}
			send(t, s, "hello", "")
			f.expect("hello", "")
			since := s.Stats().Peers[0].Since
			if msg, err := s.Recv(within(t, idle)); err == nil {
				t.Errorf("received %q", msg)
			}
			if peers := s.Stats().Peers; len(peers) != 1 || !peers[0].Connected || !peers[0].Since.Equal(since) {
				t.Errorf("%+v", peers)
			}
			f.send("still there")
			expect(t, s, "still there")
			send(t, s, "so am I")
			f.expect("so am I")
		})
	}
}

// C20: a process that stands still looks like a machine that is gone.
func TestPyzmqThatStandsStillIsFoundAndComesBack(t *testing.T) {
	s := open(t, Dealer, Config{Heartbeat: 50 * time.Millisecond, HeartbeatTimeout: 500 * time.Millisecond})
	f := pyzmqPeer(t, Dealer, "connect", bind(t, s, "tcp://127.0.0.1:*"))
	send(t, s, "before")
	f.expect("before")
	f.p.cmd.Process.Signal(syscall.SIGSTOP)
	until(t, "it is found", func() bool { return len(s.Stats().Peers) == 0 })
	f.p.cmd.Process.Signal(syscall.SIGCONT)
	send(t, s, "after")
	f.expect("after")
}
