package contest

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// deadline is how long any one thing may take: a child to bind, or all of them to do a round.
const deadline = 30 * time.Second

// process is a child, seen from its parent.
type process struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	ended chan struct{}
}

// startProcess runs a child of side with args. What it says goes to said, its end too.
func startProcess(side Side, said chan<- string, args ...string) (*process, error) {
	find := os.Executable
	if side.Program != nil {
		find = side.Program
	}
	program, err := find()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), envChild+"="+side.Name)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, stdin: stdin, ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			said <- lines.Text()
		}
		said <- fmt.Sprintf("failed a %s process ended: %v", side.Name, cmd.Wait())
	}()
	return p, nil
}

// stop ends the process and waits for that. Nobody needs to listen to it any more.
func (p *process) stop() {
	p.stdin.Close()
	select {
	case <-p.ended:
	case <-time.After(time.Second):
		p.cmd.Process.Kill()
		<-p.ended
	}
}

// listen returns the words of the next line of said, without the first, which is to be want.
func listen(said <-chan string, want string, timeout <-chan time.Time) ([]string, error) {
	select {
	case line := <-said:
		first, rest, _ := strings.Cut(line, " ")
		if first != want {
			return nil, fmt.Errorf("instead of %q: %s", want, line)
		}
		return strings.Fields(rest), nil
	case <-timeout:
		return nil, fmt.Errorf("no %q within %v", want, deadline)
	}
}

// numbers parses the words of a "did".
func numbers(words []string) (messages, ns, hits int, err error) {
	var n [3]int
	if len(words) != len(n) {
		return 0, 0, 0, fmt.Errorf("not three numbers: %q", words)
	}
	for i, word := range words {
		if n[i], err = strconv.Atoi(word); err != nil {
			return 0, 0, 0, err
		}
	}
	return n[0], n[1], n[2], nil
}
