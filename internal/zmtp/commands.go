package zmtp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/go-zeromq/zmq4"
)

const maxPingContext = 16

// Read returns the next message, which has at least one frame and is the caller's. One goroutine at a time may read.
// PINGs are answered on the way. Any error has closed the connection; Err tells which there are.
func (c *Conn) Read() ([][]byte, error) {
	batches, err := c.ReadBatches(c.reader.one[:0], 1)
	if err != nil {
		return nil, err
	}
	return batches[0].Next(&c.reader.lists, 0), nil
}

// ReadBatches is Read for several messages: it appends one to batches, and those that are there already, no more than
// most, which is one at least. A PING is answered when the messages before it have been returned and it is called again.
func (c *Conn) ReadBatches(batches []Batch, most int) ([]Batch, error) {
	if c.leaving.Load() || !c.reader.mu.tryLock() { // CloseWrite needs its time
		select {
		case <-c.done:
			return nil, c.cause
		case <-c.reader.stop.bell:
			return nil, c.reader.resume()
		}
	}
	batches, err := c.reader.next(batches, most, c.command)
	if err != nil && err != ErrInterrupted {
		c.reader.end()
	}
	c.reader.unlock()
	if err == ErrInterrupted {
		return nil, c.reader.resume()
	}
	if err != nil {
		if isTimeout(err) {
			err = fmt.Errorf("zmtp: peer was silent for longer than its PING promised, %v: %w", c.reader.ttl, err)
		}
		return nil, c.fail(err)
	}
	return batches, nil
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// command acts on a command from the peer. Those that are not known are ignored, as RFC 37 asks.
func (c *Conn) command(p []byte) error {
	name, body, err := splitCommand(p)
	if err != nil {
		return err
	}
	switch name {
	case zmq4.CmdPing:
		return c.ping(body)
	case zmq4.CmdPong:
		c.ponged(body)
	case zmq4.CmdError:
		return fmt.Errorf("%w: %q", ErrRejected, splitError(body))
	}
	return nil
}

// ping answers a PING: its TTL in tenths of a second, two bytes, and a context to be sent back.
func (c *Conn) ping(body []byte) error {
	if len(body) < 2 || len(body) > 2+maxPingContext {
		return fmt.Errorf("%w: PING of %d bytes", ErrProtocol, len(body))
	}
	if ttl := binary.BigEndian.Uint16(body); ttl > 0 {
		c.reader.ttl = time.Duration(ttl) * time.Second / 10
	}
	context := append([]byte(nil), body[2:]...)
	c.writer.pong.Store(&context) // in place of an earlier one that is not on its way yet
	c.answer()
	return nil
}
