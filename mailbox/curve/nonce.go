package curve

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"

	"golang.org/x/crypto/nacl/box"

	"github.com/troupe-go/troupe/internal/zmtp"
)

// Sizes in bytes of the bodies of commands, and of parts of them (RFC 26).
const (
	mechanism = "CURVE"

	helloSize     = 2 + 72 + keySize + 8 + 64 + box.Overhead // 200 with its name
	cookieSize    = 16 + 2*keySize + box.Overhead
	welcomeSize   = 16 + keySize + cookieSize + box.Overhead // 168 with its name
	vouchBox      = 2*keySize + box.Overhead
	initiateLeast = cookieSize + 8 + keySize + 16 + vouchBox + box.Overhead // 257 with its name
)

// counter is the last short nonce that one end used. Each is used once: the next is greater, in whatever command.
type counter uint64

// next returns the nonce to be used now. There are more than any connection can use.
func (c *counter) next() uint64 {
	*c++
	return uint64(*c)
}

// take splits the nonce off a command's body, and refuses it if it does not follow the last one.
func (c *counter) take(name string, body []byte) (n uint64, rest []byte, err error) {
	if len(body) < 8+box.Overhead {
		return 0, nil, fmt.Errorf("%w: %s that is too short", zmtp.ErrProtocol, name)
	}
	n = binary.BigEndian.Uint64(body)
	if n <= uint64(*c) {
		return 0, nil, fmt.Errorf("%w: %s number %d after number %d: repeated or out of order", zmtp.ErrProtocol, name, n, uint64(*c))
	}
	*c = counter(n)
	return n, body[8:], nil
}

// openShort opens the box that a body is after its short nonce.
func openShort(name, prefix string, body []byte, heard *counter, shared *[keySize]byte) ([]byte, error) {
	n, sealed, err := heard.take(name, body)
	if err != nil {
		return nil, err
	}
	plain, ok := box.OpenAfterPrecomputation(nil, sealed, nonceShort(prefix, n), shared)
	if !ok {
		return nil, fmt.Errorf("%w: %s can't be opened: tampered with, or sealed with another key", zmtp.ErrProtocol, name)
	}
	return plain, nil
}

func appendShort(dst []byte, n uint64) []byte { return binary.BigEndian.AppendUint64(dst, n) }

// nonceShort is a prefix of 16 bytes and a number.
func nonceShort(prefix string, n uint64) *[24]byte {
	var nonce [24]byte
	binary.BigEndian.PutUint64(nonce[copy(nonce[:16], prefix):], n)
	return &nonce
}

// nonceLong is a prefix of 8 bytes and a random tail of 16, which goes over the wire.
func nonceLong(prefix string) (nonce *[24]byte, tail []byte) {
	tail = make([]byte, 16)
	rand.Read(tail)
	return nonceOf(prefix, tail), tail
}

func nonceOf(prefix string, tail []byte) *[24]byte {
	var nonce [24]byte
	copy(nonce[copy(nonce[:8], prefix):], tail)
	return &nonce
}
