package topology

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/troupe-go/troupe/mailbox"
	"github.com/troupe-go/troupe/mailbox/curve"
)

// Security has the keys by which the processes of a topology know each other. With it what edges carry over tcp and ipc is
// encrypted with CURVE, and both ends of a connection have proved to have a key that the other was given, before the
// first message; package curve says what that is worth. The simplest is one pair for all processes, kept as one would a
// password: then Key is enough.
type Security struct {
	// Key is this process's pair of keys.
	Key curve.KeyPair
	// Peers are the public keys of the processes that may connect to edges bound here. Empty means those that have the
	// same pair as this one.
	Peers []curve.Key
	// Binders has, by the edge's name, the public key of the process that binds it, where that is not the same as this
	// one's.
	Binders map[string]curve.Key
}

// errStranger is why a connection is turned away.
var errStranger = errors.New("topology: its key is not among Security.Peers")

// check returns what is wrong with s.
func (s *Security) check(t *Topology) error {
	if s == nil {
		return nil
	}
	if s.Key.Public() == (curve.Key{}) {
		return fmt.Errorf("%w: Security without a Key; make one with curve.NewKeyPair", ErrOptions)
	}
	var wrong []error
	for name := range s.Binders {
		wrong = append(wrong, t.checkEdge(name))
	}
	return errors.Join(wrong...)
}

// side returns the security of an edge's sockets: those that are bound are the servers of CURVE.
func (s *Security) side(e *edge, binds bool) mailbox.Security {
	if s == nil {
		return nil
	}
	if binds {
		return curve.Server{Key: s.Key, Allow: s.allow}
	}
	binder, ok := s.Binders[e.name]
	if !ok {
		binder = s.Key.Public()
	}
	return curve.Client{Key: s.Key, ServerKey: binder}
}

func (s *Security) allow(_ context.Context, c curve.Claim) error {
	if c.Key == s.Key.Public() && len(s.Peers) == 0 || slices.Contains(s.Peers, c.Key) {
		return nil
	}
	return errStranger
}

// socket returns the configuration of the instance's sockets for an edge.
func (in *instance) socket(e *edge) mailbox.Config {
	o := in.run.options
	return mailbox.Config{Network: o.Network, Log: in.log, Security: o.Security.side(e, in.carrier(e).binds)}
}
