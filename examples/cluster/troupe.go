package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
)

// troupe is the processes of the nodes.
type troupe struct {
	names []string
	seeds []string // where they gossip
	cmds  map[string]*exec.Cmd
	quit  map[string]io.Closer
}

func newTroupe(names ...string) (*troupe, error) {
	t := &troupe{names: names, cmds: make(map[string]*exec.Cmd), quit: make(map[string]io.Closer)}
	var err error
	t.seeds, err = freeAddresses(len(names))
	return t, err
}

// start starts the process of a node that gossips at an address.
func (t *troupe) start(name, at string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, "-run", name, "-gossip", at, "-seeds", strings.Join(t.seeds, ","))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	t.cmds[name], t.quit[name] = cmd, in
	fmt.Printf("%s runs as process %d and gossips at %s\n", name, cmd.Process.Pid, at)
	return nil
}

// kill ends a node without a word, as a power cut does.
func (t *troupe) kill(name string) {
	fmt.Printf("%s is killed\n", name)
	t.cmds[name].Process.Kill()
	t.cmds[name].Wait()
	delete(t.cmds, name)
}

// close lets every node take leave.
func (t *troupe) close() {
	for name := range t.cmds {
		t.quit[name].Close()
	}
	for _, cmd := range t.cmds {
		cmd.Wait()
	}
}

// freeAddresses returns addresses of this machine that nobody uses at the moment.
func freeAddresses(n int) (list []string, err error) {
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		list = append(list, l.Addr().String())
	}
	return list, nil
}
