package zmtp

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/go-zeromq/zmq4"
)

const (
	propType     = "Socket-Type"
	propIdentity = "Identity"
)

// parseProperties finds the peer in the properties that it sent.
func parseProperties(p []byte) (Peer, error) {
	var peer Peer
	var typed, named bool
	for len(p) > 0 {
		name, value, rest, err := nextProperty(p)
		if err != nil {
			return peer, err
		}
		p = rest
		switch {
		case strings.EqualFold(name, propType):
			if typed {
				return peer, fmt.Errorf("%w: two %s properties", ErrProtocol, propType)
			}
			typed = true
			peer.Type = zmq4.SocketType(value)
		case strings.EqualFold(name, propIdentity):
			if named {
				return peer, fmt.Errorf("%w: two %s properties", ErrProtocol, propIdentity)
			}
			if len(value) > maxIdentity {
				return peer, fmt.Errorf("%w: identity of %d bytes, at most %d are allowed", ErrProtocol, len(value), maxIdentity)
			}
			named = true
			peer.Identity = append([]byte(nil), value...)
		}
	}
	switch {
	case !typed:
		return peer, fmt.Errorf("%w: READY without %s", ErrProtocol, propType)
	case !known(peer.Type):
		return peer, fmt.Errorf("%w: unknown socket type %.32q", ErrProtocol, string(peer.Type))
	}
	return peer, nil
}

// nextProperty splits off the first property of p: the name's length in one byte, the name, the value's length in four,
// the value.
func nextProperty(p []byte) (name string, value, rest []byte, err error) {
	n := int(p[0])
	if n == 0 {
		return "", nil, nil, fmt.Errorf("%w: property without a name", ErrProtocol)
	}
	if len(p) < 1+n+4 {
		return "", nil, nil, fmt.Errorf("%w: truncated property", ErrProtocol)
	}
	name, p = string(p[1:1+n]), p[1+n:]
	size := binary.BigEndian.Uint32(p)
	if p = p[4:]; uint64(len(p)) < uint64(size) {
		return "", nil, nil, fmt.Errorf("%w: property %.32q claims %d bytes and has %d", ErrProtocol, name, size, len(p))
	}
	return name, p[:size], p[size:], nil
}

// appendProperties appends what we say about ourselves.
func appendProperties(dst []byte, cfg *Config) []byte {
	dst = appendProperty(dst, propType, []byte(cfg.Type))
	switch cfg.Type {
	case zmq4.Req, zmq4.Dealer, zmq4.Router:
		dst = appendProperty(dst, propIdentity, cfg.Identity)
	}
	return dst
}

func appendProperty(dst []byte, name string, value []byte) []byte {
	dst = append(append(dst, byte(len(name))), name...)
	return append(binary.BigEndian.AppendUint32(dst, uint32(len(value))), value...)
}

// known says whether t is a socket type of ZMTP 3.1.
func known(t zmq4.SocketType) bool {
	switch t {
	case zmq4.Pair, zmq4.Pub, zmq4.Sub, zmq4.Req, zmq4.Rep, zmq4.Dealer, zmq4.Router, zmq4.Pull, zmq4.Push, zmq4.XPub, zmq4.XSub:
		return true
	}
	return false
}
