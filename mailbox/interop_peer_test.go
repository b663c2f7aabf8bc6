package mailbox

import (
	"bufio"
	_ "embed"
	"fmt"
	"hash/crc32"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/troupe-go/troupe/internal/pyzmq"
)

// peerScript makes pyzmq sockets that do what they are told on the standard input.
//
//go:embed testdata/peer.py
var peerScript string

// python is a process with any number of pyzmq sockets. Starting one takes longer than most tests.
type python struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

// startPython starts a process that ends with the test.
func startPython(t *testing.T) *python {
	t.Helper()
	p := &python{cmd: pyzmq.Command(t, peerScript)}
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewScanner(out)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	return p
}

// kill ends the process as if it had crashed.
func (p *python) kill() {
	p.cmd.Process.Kill()
	p.cmd.Wait()
}

// foreign is a pyzmq socket.
type foreign struct {
	t    *testing.T
	p    *python
	name string
	at   string // where it is bound or connected
}

var foreigners atomic.Int32

// open opens a socket that is bound or connected ("bind", "connect"). Options are written "heartbeat_ivl=100". It is
// closed with the test.
func (p *python) open(t *testing.T, typ SocketType, how, at string, options ...string) *foreign {
	t.Helper()
	f := &foreign{t: t, p: p, name: fmt.Sprint("s", foreigners.Add(1))}
	f.at = f.tell("open", append([]string{string(typ), how, at}, options...)...)
	t.Cleanup(f.close)
	return f
}

// pyzmqPeer opens a socket in a process of its own.
func pyzmqPeer(t *testing.T, typ SocketType, how, at string, options ...string) *foreign {
	t.Helper()
	return startPython(t).open(t, typ, how, at, options...)
}

// kill ends the socket's process as if it had crashed.
func (f *foreign) kill() { f.p.kill() }

// close closes the socket, if its process is still there.
func (f *foreign) close() {
	if _, err := fmt.Fprintf(f.p.in, "%s close\n", f.name); err == nil {
		f.p.out.Scan()
	}
}

// tell gives the socket a command and returns the answer.
func (f *foreign) tell(command string, args ...string) string {
	f.t.Helper()
	f.order(command, args...)
	return f.answer()
}

// order gives it a command whose answer is still to be had: pyzmq goes on meanwhile.
func (f *foreign) order(command string, args ...string) {
	f.t.Helper()
	if _, err := fmt.Fprintln(f.p.in, f.name, command, strings.Join(args, " ")); err != nil {
		f.t.Fatal(err)
	}
}

func (f *foreign) answer() string {
	f.t.Helper()
	if !f.p.out.Scan() {
		f.t.Fatalf("pyzmq has ended: %v", f.p.out.Err())
	}
	answer := f.p.out.Text()
	if strings.HasPrefix(answer, "error") {
		f.t.Fatalf("pyzmq: %s", answer)
	}
	return answer
}

func (f *foreign) set(option string) { f.t.Helper(); f.tell("set", option) }

// send sends a message. Its long frames are beginnings of big.
func (f *foreign) send(frames ...string) {
	f.t.Helper()
	var args []string
	for _, frame := range frames {
		if len(frame) > shown {
			if frame != blocks(len(frame)) {
				f.t.Fatal("long frames are beginnings of big")
			}
			args = append(args, "#"+strconv.Itoa(len(frame)))
		} else {
			args = append(args, strconv.Quote(frame))
		}
	}
	f.tell("send", args...)
}

func (f *foreign) expect(frames ...string) {
	f.t.Helper()
	f.order("recv")
	f.received(frames...)
}

// received is the answer to an order of "recv".
func (f *foreign) received(frames ...string) {
	f.t.Helper()
	var want []string
	for _, frame := range frames {
		if len(frame) > shown {
			want = append(want, fmt.Sprintf("#%d:%08x", len(frame), crc32.ChecksumIEEE([]byte(frame))))
		} else {
			want = append(want, `"`+frame+`"`)
		}
	}
	if got := f.answer(); got != strings.Join(want, " ") {
		f.t.Fatalf("pyzmq received %.300q, want %.300q", got, strings.Join(want, " "))
	}
}

// shown is how long a frame may be that is written out in what passes to and from a python.
const shown = 64

// block is what long frames are made of; its length divides no size that a buffer may have.
var block = func() string {
	b := make([]byte, 4093)
	for i := range b {
		b[i] = byte((i ^ i>>5) * 7)
	}
	return string(b)
}()

// big is 1 MiB of blocks.
var big = strings.Repeat(block, 257)[:1<<20]

// blocks returns n bytes of blocks.
func blocks(n int) string {
	if n <= len(big) {
		return big[:n]
	}
	return strings.Repeat(block, n/len(block)+1)[:n]
}

func subscribeTo(t testing.TB, s *Socket, topics ...string) {
	t.Helper()
	if err := s.Subscribe(within(t, 10*time.Second), topics...); err != nil {
		t.Fatal(err)
	}
}
