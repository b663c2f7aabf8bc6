package curve

import (
	"fmt"

	"golang.org/x/crypto/nacl/box"

	"github.com/troupe-go/troupe/internal/zmtp"
)

const (
	fromClient = "CurveZMQMESSAGEC"
	fromServer = "CurveZMQMESSAGES"

	messageName = "\x07MESSAGE"
	flagMore    = 1
	flagCommand = 2

	overhead = len(messageName) + 8 + box.Overhead + 1
	keepMost = 64 << 10 // a longer scratch is not kept
)

// cipher makes a MESSAGE of each frame: its name, a number, and a box with the frame's flags and body.
type cipher struct {
	key                    [keySize]byte
	sendPrefix, recvPrefix string

	sent    counter
	scratch []byte // what is sealed

	heard counter
}

func (*cipher) Overhead() int { return overhead }

func (c *cipher) Seal(dst []byte, more, command bool, body []byte) []byte {
	var flags byte
	if more {
		flags |= flagMore
	}
	if command {
		flags |= flagCommand
	}
	c.scratch = append(append(c.scratch[:0], flags), body...)
	n := c.sent.next()
	dst = appendShort(append(dst, messageName...), n)
	dst = box.SealAfterPrecomputation(dst, c.scratch, nonceShort(c.sendPrefix, n), &c.key)
	if cap(c.scratch) > keepMost {
		c.scratch = nil
	}
	return dst
}

func (c *cipher) Open(sealed []byte) (more, command bool, body []byte, err error) {
	if len(sealed) < overhead || string(sealed[:len(messageName)]) != messageName {
		return false, false, nil, fmt.Errorf("%w: frame that is no MESSAGE", zmtp.ErrProtocol)
	}
	plain, err := openShort("MESSAGE", c.recvPrefix, sealed[len(messageName):], &c.heard, &c.key)
	if err != nil {
		return false, false, nil, err
	}
	flags := plain[0]
	if flags&^(flagMore|flagCommand) != 0 {
		return false, false, nil, fmt.Errorf("%w: reserved flags 0x%02x in a MESSAGE", zmtp.ErrProtocol, flags)
	}
	return flags&flagMore != 0, flags&flagCommand != 0, plain[1:len(plain):len(plain)], nil
}
