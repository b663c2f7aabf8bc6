package zmtp

import (
	"errors"
	"os"
	"sync"
	"time"
)

// ErrInterrupted is returned by ReadBatches after an Interrupt. The connection goes on.
var ErrInterrupted = errors.New("zmtp: interrupted")

// interruption is how a read under way, or else the next one, is made to return.
type interruption struct {
	mu   sync.Mutex
	on   bool
	bell chan struct{} // rings with on, for who does not wait for bytes
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
		s.bell <- struct{}{}
	}
}

// wait begins one for bytes. The peer has the time that it said it would need at most, if it did.
func (r *reader) wait() error {
	if r.ttl > 0 { // else Interrupt's deadline, if there is one, stands
		r.stop.mu.Lock()
		defer r.stop.mu.Unlock()
		if r.stop.on {
			return ErrInterrupted
		}
		r.began = time.Now()
		if err := r.nc.SetReadDeadline(r.began.Add(r.ttl - r.silence)); err != nil {
			return err
		}
	}
	r.turn.wait()
	return nil
}

// waited ends a wait, with err perhaps. An interrupted one is no sign of life: the next goes on with it.
func (r *reader) waited(err error) error {
	err = r.stop.instead(err)
	if err != ErrInterrupted {
		r.turn.over()
		r.silence = 0
		return err
	}
	r.turn.back()
	if r.ttl > 0 {
		if r.silence += time.Since(r.began); r.silence >= r.ttl {
			return os.ErrDeadlineExceeded
		}
	}
	return err
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

// resume forgets an Interrupt, for which it returns ErrInterrupted.
func (r *reader) resume() error {
	r.stop.mu.Lock()
	defer r.stop.mu.Unlock()
	if r.stop.on {
		r.stop.on = false
		select {
		case <-r.stop.bell:
		default:
		}
		r.nc.SetReadDeadline(time.Time{})
	}
	return ErrInterrupted
}
