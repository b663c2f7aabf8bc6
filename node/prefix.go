package node

import (
	"sync/atomic"

	"github.com/troupe-go/troupe/actor"
)

// prefix is the header that Tells have from one actor to another, of values of one type.
type prefix struct {
	target, sender actor.PID
	typ            string
	header         []byte
}

// prefixes remembers some of those to one peer, so that they need not be made anew for each message.
type prefixes struct {
	places [8]atomic.Pointer[prefix]
	missed atomic.Uint32
}

const rarely = 16 // misses after which one is remembered; where more than a few come in turn, it is in vain

// plainTell reports whether the header of e has nothing of its own.
func plainTell(e *actor.Envelope) bool {
	return e.Kind == actor.Tell && e.Correlation == 0 && len(e.Meta) == 0
}

// find returns what is remembered for a plain Tell, nil if nothing is.
func (p *prefixes) find(e *actor.Envelope) []byte {
	for i := range p.places {
		if x := p.places[i].Load(); x != nil && x.target == e.Target && x.sender == e.Sender && x.typ == e.Type {
			return x.header
		}
	}
	return nil
}

// missing is told of one that was not found.
func (p *prefixes) missing(e *actor.Envelope, header []byte) {
	n := p.missed.Add(1)
	if n > uint32(len(p.places)) {
		if n%rarely != 0 {
			return
		}
		n /= rarely
	}
	p.places[n%uint32(len(p.places))].Store(&prefix{e.Target, e.Sender, e.Type, append([]byte(nil), header...)})
}
