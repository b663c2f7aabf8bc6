package mailbox

import "fmt"

// push is PUSH: what is sent goes to the peers in turn, and nothing comes back.
type push struct {
	s   *Socket
	out balancer
}

func (p *push) join(to *peer)           { p.out.add(to) }
func (p *push) leave(to *peer)          { p.out.remove(to) }
func (p *push) up(*inlet, []byte) error { return nil }
func (p *push) down(*inlet)             {}

// took drops what comes: a PULL sends nothing.
func (p *push) took(in *inlet, _ [][]byte) bool {
	p.s.drop(in.peer, Unexpected, 1)
	return true
}

func (p *push) send(frames [][]byte) (bool, error) {
	return p.out.send(nil, frames) != nil, nil
}

func (*push) recv() ([][]byte, bool, error) {
	return nil, false, fmt.Errorf("%w: a PUSH does not receive", ErrUnsupported)
}
