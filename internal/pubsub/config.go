package pubsub

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/troupe-go/troupe/mailbox"
)

// ErrKey is wrapped by the errors of keys that can't be published or subscribed to: their texts say why.
var ErrKey = errors.New("pubsub: bad key")

// MaxKey is how many bytes a key may have.
const MaxKey = 1024

// defaultQueue is how many updates wait for a subscriber that is not named another number.
const defaultQueue = 1000

// maxStreams is how many keys a publisher, and a subscriber, counts the updates of at a time.
const maxStreams = 1 << 18

// Config sets up one end of a topic.
type Config struct {
	// Topic is the topic's name: the same at both ends, not empty, without zero bytes, at most 255 bytes.
	Topic string
	// Hold lets Publish wait until all who subscribed have room, instead of dropping the update for those who have not.
	Hold bool
	// LastValues is of how many keys a publisher keeps the last value (default 0: of none), and, if it is not 0, lets a
	// subscriber ask for them.
	LastValues int
	// Queue is how many updates may wait for each subscriber: over sockets, so many at either end (default 1000).
	Queue int
	// Socket is the rest of the socket's configuration. Its Log is this end's.
	Socket mailbox.Config
}

func (cfg Config) withDefaults() Config {
	if cfg.Queue == 0 {
		cfg.Queue = defaultQueue
	}
	if cfg.Socket.Log == nil {
		cfg.Socket.Log = slog.Default()
	}
	return cfg
}

// socket returns the configuration of a socket that sends, or of one that receives.
func (cfg Config) socket(sends bool) mailbox.Config {
	c := cfg.Socket
	if sends {
		c.SendHWM, c.NoDrop = cfg.Queue, cfg.Hold
	} else {
		c.RecvHWM = cfg.Queue
	}
	return c
}

// CheckKey returns what is wrong with a key, wrapping [ErrKey].
func CheckKey(key string) error {
	switch {
	case len(key) > MaxKey:
		return fmt.Errorf("%w: it has %d bytes, at most %d are possible", ErrKey, len(key), MaxKey)
	case strings.IndexByte(key, 0) >= 0:
		return fmt.Errorf("%w: %q has a zero byte, which ends keys where they are sent", ErrKey, key)
	}
	return nil
}

// CheckKeys returns what is wrong with the first of keys that can't be subscribed to.
func CheckKeys(keys []string) error {
	for _, key := range keys {
		if err := CheckKey(key); err != nil {
			return err
		}
	}
	return nil
}
