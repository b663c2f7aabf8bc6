package mailbox

// dealer is DEALER: what is sent goes to the peers in turn, what comes is taken from them in turn.
type dealer struct {
	s   *Socket
	out balancer
}

func (d *dealer) join(p *peer)            { d.out.add(p) }
func (d *dealer) leave(p *peer)           { d.out.remove(p) }
func (d *dealer) up(*inlet, []byte) error { return nil }
func (d *dealer) down(*inlet)             {}

func (d *dealer) send(frames [][]byte) (bool, error) {
	return d.out.send(nil, frames) != nil, nil
}

func (d *dealer) recv() ([][]byte, bool, error) {
	_, msg := d.s.in.pop()
	if msg == nil {
		return nil, false, nil
	}
	return msg, true, nil
}
