package mailbox

// pull is PULL: what comes is taken from the peers in turn, and nothing is sent.
type pull struct{ s *Socket }

func (*pull) join(*peer)              {}
func (*pull) leave(*peer)             {}
func (*pull) up(*inlet, []byte) error { return nil }
func (*pull) down(*inlet)             {}

func (p *pull) recv() ([][]byte, bool, error) {
	_, msg := p.s.in.pop()
	if msg == nil {
		return nil, false, nil
	}
	return msg, true, nil
}
