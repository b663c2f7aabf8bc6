package node

import (
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/troupe-go/troupe/actor"
)

// whereabouts is where a node is, as one peer tells another; see PROTOCOL.md, "Where a node is".
type whereabouts struct {
	node        string
	incarnation uuid.UUID // zero: not known
	endpoints   []string  // none: not known
}

var errWhereabouts = errors.New("node: bad RESOLVE or NODEINFO")

func appendResolve(dst []byte, number uint64, node string) []byte {
	return appendStr(appendHeader(dst, &header{kind: kindResolve, correlation: number}), node)
}

func appendWhereabouts(dst []byte, number uint64, p *whereabouts) []byte {
	dst = appendHeader(dst, &header{kind: kindNodeInfo, correlation: number})
	keys := 2
	if p.incarnation != uuid.Nil {
		keys++
	}
	dst = appendStr(appendStr(appendMap(dst, keys), "node"), p.node)
	if p.incarnation != uuid.Nil {
		dst = appendBin(appendStr(dst, "incarnation"), p.incarnation[:])
	}
	return appendStrs(appendStr(dst, "endpoints"), p.endpoints)
}

// readResolve returns the name of the node that is asked for.
func readResolve(body []byte) (node string, err error) {
	u := unpacker{b: body}
	if node = u.str(maxName); u.err != nil || checkNode(node) != nil {
		return "", fmt.Errorf("%w: no name of a node", errWhereabouts)
	}
	return node, nil
}

func readWhereabouts(body []byte) (p whereabouts, err error) {
	u := unpacker{b: body}
	u.enter("map")
	for n := u.pairs(); n > 0 && u.err == nil; n-- {
		u.enter("key")
		key := u.str(maxName)
		u.enter(key)
		switch key {
		case "node":
			p.node = u.str(maxName)
		case "incarnation":
			copy(p.incarnation[:], u.bin(16))
		case "endpoints":
			p.endpoints = u.strs()
		default:
			u.skip(maxExtraDepth)
		}
	}
	switch {
	case u.err != nil:
		return whereabouts{}, fmt.Errorf("%w: %q: %w", errWhereabouts, u.at, u.err)
	case checkNode(p.node) != nil:
		return whereabouts{}, fmt.Errorf("%w: node is missing, or none", errWhereabouts)
	}
	return p, nil
}

// asked answers a RESOLVE, from what this node knows itself.
func (l *link) asked(h *header, body []byte) error {
	name, err := readResolve(body)
	if err != nil {
		return l.refuse(byeProtocol, err)
	}
	n := l.node
	p := n.where(name)
	it := item{frame: appendWhereabouts(nil, h.correlation, &p), expires: ticks() + n.cfg.Expire}
	if err := l.peer.out.push(it, actor.PID{}, false, 0); err != nil {
		n.log.Debug("RESOLVE not answered", "peer", l.peer.name, "reason", err)
	}
	return nil
}

// informed handles a NODEINFO.
func (l *link) informed(h *header, body []byte) error {
	p, err := readWhereabouts(body)
	if err != nil {
		return l.refuse(byeProtocol, err)
	}
	l.node.enquiries.answered(l.peer, h.correlation, &p)
	return nil
}

// where returns what this node knows of where another is: what that has said itself, or else what Config.Peers or the
// Discovery say, but not what it was told by others.
func (n *Node) where(name string) whereabouts {
	p := whereabouts{node: name}
	if name == n.name {
		p.incarnation, p.endpoints = n.Incarnation(), n.hello.endpoints
		return p
	}
	other := n.peers.get(name)
	if other == nil {
		return p
	}
	p.incarnation = other.out.known()
	if l := other.present(); l != nil && len(l.hello.endpoints) > 0 {
		p.incarnation, p.endpoints = l.hello.incarnation, l.hello.endpoints
	} else if other.listed() {
		p.endpoints = []string{other.address.String()}
	} else {
		p.endpoints = n.search.endpoints(name)
	}
	return p
}
