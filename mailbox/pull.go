package mailbox

import "fmt"

// pull is PULL: what comes is taken from the peers in turn, and nothing is sent.
type pull struct{ s *Socket }

func (*pull) join(*peer)                 {}
func (*pull) leave(*peer)                {}
func (*pull) took(*inlet, [][]byte) bool { return false }
func (*pull) up(*inlet, []byte) error    { return nil }
func (*pull) down(*inlet)                {}
func (*pull) send([][]byte) (bool, error) {
	return false, fmt.Errorf("%w: a PULL does not send", ErrUnsupported)
}

func (p *pull) recv() ([][]byte, bool, error) {
	in, msg := p.s.in.pop()
	if msg == nil {
		return nil, false, nil
	}
	return in.unpack(nil, msg), true, nil
}
