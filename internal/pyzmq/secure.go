package pyzmq

import (
	"bufio"
	_ "embed"
	"encoding/json"
	"io"
	"testing"
)

//go:embed secure.py
var secureScript string

// Secure is a process with libzmq sockets that have security options. A REP echoes what it receives.
type Secure struct {
	t   testing.TB
	in  io.WriteCloser
	out *bufio.Reader
}

// NewSecure starts one, which ends with the test.
func NewSecure(t testing.TB) *Secure {
	t.Helper()
	cmd := Command(t, secureScript)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		cmd.Wait()
	})
	return &Secure{t: t, in: in, out: bufio.NewReader(out)}
}

// do sends a command and puts its answer in answer.
func (s *Secure) do(answer any, command ...any) {
	s.t.Helper()
	line, err := json.Marshal(command)
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.in.Write(append(line, '\n')); err != nil {
		s.t.Fatal(err)
	}
	if line, err = s.out.ReadBytes('\n'); err == nil {
		err = json.Unmarshal(line, answer)
	}
	if err != nil {
		s.t.Fatalf("pyzmq: %v: %q, %v", command, line, err)
	}
}

// AllowKeys lets those clients in from now on, by ZAP, that have one of the keys, in Z85.
func (s *Secure) AllowKeys(keys ...string) {
	s.t.Helper()
	s.do(new(any), "allow", map[string]any{"keys": keys})
}

// AllowPasswords lets those users in from now on, by ZAP, that have their password.
func (s *Secure) AllowPasswords(of map[string]string) {
	s.t.Helper()
	s.do(new(any), "allow", map[string]any{"passwords": of})
}

// Open makes a socket. Options are named as in pyzmq, in whatever case.
func (s *Secure) Open(name, typ string, options map[string]any) {
	s.t.Helper()
	s.do(new(any), "open", name, typ, options)
}

// Bind binds a socket and returns its endpoint.
func (s *Secure) Bind(name, endpoint string) (at string) {
	s.t.Helper()
	s.do(&at, "bind", name, endpoint)
	return at
}

// Connect connects a socket.
func (s *Secure) Connect(name, endpoint string) {
	s.t.Helper()
	s.do(new(any), "connect", name, endpoint)
}

// Send sends frames of so many bytes.
func (s *Secure) Send(name string, sizes ...int) {
	s.t.Helper()
	s.do(new(any), "send", name, sizes)
}

// Try sends frames of so many bytes if that needs no wait: libzmq gives up where it was turned away.
func (s *Secure) Try(name string, sizes ...int) {
	s.t.Helper()
	s.do(new(any), "try", name, sizes)
}

// Recv returns the sizes of the frames of the next message.
func (s *Secure) Recv(name string) (sizes []int) {
	s.t.Helper()
	s.do(&sizes, "recv", name)
	return sizes
}

// Requests returns the sizes of the frames of what all REPs have received.
func (s *Secure) Requests() (sizes [][]int) {
	s.t.Helper()
	s.do(&sizes, "requests")
	return sizes
}
