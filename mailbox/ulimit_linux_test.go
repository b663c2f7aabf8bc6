package mailbox

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

const fewFiles = "TROUPE_TEST_FEW_FILES" // tells the test binary to be the server below

// serveWithFewFiles echoes requests in a process that may have 64 files open, until standard input ends.
func serveWithFewFiles(t *testing.T) {
	limit := syscall.Rlimit{Cur: 64, Max: 64}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	server := open(t, Rep, Config{})
	fmt.Println("at", bind(t, server, "tcp://127.0.0.1:*"))
	done := make(chan struct{})
	go func() {
		defer close(done)
		echo(server, "")
	}()
	io.Copy(io.Discard, os.Stdin)
	server.Close(ended())
	<-done
}

// C15: a server that can open no more files serves those that it has, and others as soon as it can.
func TestAServerOutlastsRunningOutOfFiles(t *testing.T) {
	if os.Getenv(fewFiles) != "" {
		serveWithFewFiles(t)
		return
	}
	child := exec.Command(os.Args[0], "-test.run=^TestAServerOutlastsRunningOutOfFiles$")
	child.Env = append(os.Environ(), fewFiles+"=1")
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer child.Wait()
	defer in.Close()
	lines := bufio.NewScanner(out)
	lines.Scan()
	at, ok := strings.CutPrefix(lines.Text(), "at ")
	if !ok {
		t.Fatalf("the server says %q", lines.Text())
	}
	old := open(t, Req, Config{})
	connect(t, old, at)
	send(t, old, "before")
	expect(t, old, "before")
	var idle []net.Conn
	for range 100 { // the system accepts them, the server can't
		c, err := net.Dial("tcp", strings.TrimPrefix(at, "tcp://"))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		idle = append(idle, c)
	}
	late := open(t, Req, Config{})
	connect(t, late, at)
	send(t, late, "late")
	for range 10 {
		send(t, old, "during")
		expect(t, old, "during")
	}
	if msg, err := late.Recv(within(t, 100*time.Millisecond)); err == nil {
		t.Fatalf("it had files left: %q", msg)
	}
	for _, c := range idle {
		c.Close()
	}
	expect(t, late, "late")
}
