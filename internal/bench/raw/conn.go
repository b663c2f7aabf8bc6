// Package raw is what a bare Go program does in place of a library: messages after their lengths, through 64 KiB of bufio,
// over a net.Conn.
package raw

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
)

const bufferSize = 64 << 10

// Conn is a connection. One goroutine at a time may send or flush, and one may receive.
type Conn struct {
	r       *bufio.Reader
	w       *bufio.Writer
	in, out [4]byte
}

// NewConn returns c as a Conn.
func NewConn(c net.Conn) *Conn {
	return &Conn{r: bufio.NewReaderSize(c, bufferSize), w: bufio.NewWriterSize(c, bufferSize)}
}

// Send sends msg, which is the caller's again, at the latest with the next Flush.
func (c *Conn) Send(msg []byte) error {
	binary.LittleEndian.PutUint32(c.out[:], uint32(len(msg)))
	if _, err := c.w.Write(c.out[:]); err != nil {
		return err
	}
	_, err := c.w.Write(msg)
	return err
}

// Flush sends what is left.
func (c *Conn) Flush() error { return c.w.Flush() }

// Recv returns the next message, which is the caller's, as with libraries.
func (c *Conn) Recv() ([]byte, error) {
	if _, err := io.ReadFull(c.r, c.in[:]); err != nil {
		return nil, err
	}
	msg := make([]byte, binary.LittleEndian.Uint32(c.in[:]))
	_, err := io.ReadFull(c.r, msg)
	return msg, err
}

// Waits reports whether Recv may have to wait for the network.
func (c *Conn) Waits() bool { return c.r.Buffered() == 0 }
