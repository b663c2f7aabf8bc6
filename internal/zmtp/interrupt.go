package zmtp

import (
	"errors"
	"sync"
	"time"
)

// ErrInterrupted is returned by ReadBatches after an Interrupt. The connection goes on.
var ErrInterrupted = errors.New("zmtp: interrupted")

// interruption is how a read under way, or else the next one, is made to return.
type interruption struct {
	mu sync.Mutex
	on bool
}

// Interrupt makes a ReadBatches under way, or else the next one, return ErrInterrupted, unless it has something else to
// return.
func (c *Conn) Interrupt() {
	s := &c.reader.stop
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.on {
		s.on = true
		c.nc.SetReadDeadline(time.Unix(1, 0))
	}
}

// deadline gives the peer the time that it said it would need at most, if it did.
func (r *reader) deadline() error {
	if r.ttl == 0 {
		return nil // Interrupt's, if there is one, stands
	}
	r.stop.mu.Lock()
	defer r.stop.mu.Unlock()
	if r.stop.on {
		return ErrInterrupted
	}
	return r.nc.SetReadDeadline(time.Now().Add(r.ttl))
}

// instead returns ErrInterrupted in place of an error that Interrupt made.
func (s *interruption) instead(err error) error {
	if err == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.on && isTimeout(err) {
		return ErrInterrupted
	}
	return err
}

// resume forgets an Interrupt.
func (r *reader) resume() {
	r.stop.mu.Lock()
	defer r.stop.mu.Unlock()
	if r.stop.on {
		r.stop.on = false
		r.nc.SetReadDeadline(time.Time{})
	}
}
