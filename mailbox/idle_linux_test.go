package mailbox

import (
	"net"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// BenchmarkIdleConnections is what 5,000 tcp connections cost a socket on which nothing happens: heap and stacks. The
// other ends are in this process too, but are bare file descriptors, which cost neither.
func BenchmarkIdleConnections(b *testing.B) {
	for _, c := range []struct {
		typ   SocketType
		hello string
	}{
		{Rep, greeting + ready(property("Socket-Type", "REQ")+property("Identity", ""))},
		{Pub, greeting + ready(property("Socket-Type", "SUB")) + "\x00\x01\x01"},
	} {
		b.Run(string(c.typ), func(b *testing.B) {
			for range b.N {
				b.ReportMetric(idleConnections(b, c.typ, c.hello, idlers(b)), "B/conn")
			}
		})
	}
}

// idlers is how many connections, with both ends in this process, the limit of open files allows, 5,000 at most.
func idlers(t testing.TB) int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil { // Go has raised it to what is possible
		t.Fatal(err)
	}
	return int(min(5000, (limit.Cur-100)/2))
}

// idleConnections returns how much memory each of n connections takes.
func idleConnections(t testing.TB, typ SocketType, hello string, n int) float64 {
	s := open(t, typ, Config{})
	at := bind(t, s, "tcp://127.0.0.1:*")
	connected := func(n int) {
		end := time.Now().Add(time.Minute)
		for s.connections() < n {
			if time.Now().After(end) {
				t.Fatalf("%d of %d are connected", s.connections(), n)
			}
			time.Sleep(time.Millisecond)
		}
	}
	defer closeAll(bare(t, at, hello, 1))
	connected(1)
	before := memory()
	var fds []int
	for len(fds) < n {
		fds = append(fds, bare(t, at, hello, min(100, n-len(fds)))...)
		connected(1 + len(fds))
	}
	defer closeAll(fds)
	return float64(memory()-before) / float64(n)
}

// connections is how many there are, found out without making garbage.
func (s *Socket) connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// bare makes n connections to the tcp endpoint at and says hello on each.
func bare(t testing.TB, at, hello string, n int) (fds []int) {
	_, port, err := net.SplitHostPort(strings.TrimPrefix(at, "tcp://"))
	if err != nil {
		t.Fatal(err)
	}
	to := syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}
	if to.Port, err = strconv.Atoi(port); err != nil {
		t.Fatal(err)
	}
	for range n {
		fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
		if err == nil {
			fds = append(fds, fd)
			err = syscall.Connect(fd, &to)
		}
		if err == nil {
			_, err = syscall.Write(fd, []byte(hello))
		}
		if err != nil {
			closeAll(fds)
			t.Fatal(err)
		}
	}
	return fds
}

func closeAll(fds []int) {
	for _, fd := range fds {
		syscall.Close(fd)
	}
}

// memory is what heap and stacks take, once all garbage is gone.
func memory() uint64 {
	for range 3 { // the second shrinks stacks, and pools are empty after two
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}
