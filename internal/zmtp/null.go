package zmtp

import "github.com/go-zeromq/zmq4"

// null is the NULL mechanism of RFC 23: each end says who it is in a READY. zmq4's own loses the reason of an ERROR,
// heeds the case of property names, and panics at a socket type it does not know.
//
// The end that dialled sends READY first. The one that accepted reads it before it answers, so that its answer can be
// an ERROR that says what is wrong; libzmq heeds none after a READY.
type null struct{}

func (null) Name() string   { return string(zmq4.NullSecurity) }
func (null) Server() bool   { return false }
func (null) Cipher() Cipher { return nil }

func (null) Handshake(h *Handshake) error {
	if !h.Accepted() {
		if err := h.Send(zmq4.CmdReady, h.Properties()); err != nil {
			return err
		}
	}
	ready, err := h.Recv(zmq4.CmdReady)
	if err != nil {
		return err
	}
	if err := h.Meet(ready); err != nil {
		if h.Accepted() {
			h.Refuse(err)
		}
		return err
	}
	if h.Accepted() {
		return h.Send(zmq4.CmdReady, h.Properties())
	}
	return nil
}
