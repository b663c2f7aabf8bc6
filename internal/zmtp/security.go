package zmtp

// Security says how the two ends of a connection make sure who the other is: a value of package mailbox/plain or
// mailbox/curve. Its methods are for this package, and may be called from any goroutine.
type Security interface {
	// Check returns what can't be honoured in it.
	Check() error
	// Mechanism returns what opens one connection.
	Mechanism() Mechanism
}

// Mechanism is one end of one connection of a security mechanism. It is used once.
type Mechanism interface {
	// Name is the mechanism's in the greeting, at most 20 bytes. Both ends must have the same.
	Name() string
	// Server tells the peer, in the greeting, that this is the end that authenticates the other. Which end that is does
	// not depend on which one dialled.
	Server() bool
	// Handshake is called after the greetings, once. It exchanges commands until the connection is open, for which it
	// must have called Meet; an error ends the connection. ERRORs to the peer are its own business.
	Handshake(h *Handshake) error
	// Cipher returns what all that follows the handshake goes through, nil if that goes as it is. It is called once,
	// after a Handshake without error.
	Cipher() Cipher
}

// Cipher seals the frames that are sent and opens those that are received. Each of the two is called by one goroutine at
// a time, in the order of the frames on the wire, but both may run at once.
type Cipher interface {
	// Overhead is how many bytes more a sealed body has.
	Overhead() int
	// Seal appends the sealed form of body to dst. The two don't overlap.
	Seal(dst []byte, more, command bool, body []byte) []byte
	// Open returns what Seal was called with at the other end, in memory of its own. An error ends the connection; it
	// wraps ErrProtocol.
	Open(sealed []byte) (more, command bool, body []byte, err error)
}

// mechanism returns a new mechanism of the kind that cfg asks for.
func (cfg *Config) mechanism() Mechanism {
	if cfg.Security == nil {
		return null{}
	}
	return cfg.Security.Mechanism()
}

// over returns cfg as it is for connections over network. What goes over an inproc name stays in the process: there is
// nobody to be kept out, and mailbox moves no bytes at all.
func (cfg *Config) over(network string) *Config {
	if network != "inproc" || cfg.Security == nil {
		return cfg
	}
	c := *cfg
	c.Security = nil
	return &c
}
