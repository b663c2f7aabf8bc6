package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/troupe-go/troupe/internal/zmtp"
)

// accepted serves a connection that a peer has dialled: it waits for its HELLO, and answers it if this connection is to
// be the link.
func (n *Node) accepted(conn *zmtp.Conn) {
	l := n.newLink(conn, false)
	defer close(l.done)
	slow := time.AfterFunc(helloTimeout, func() { conn.Close() })
	defer slow.Stop()
	if !l.admitted() {
		return
	}
	defer l.release()
	if err := l.sendHello(&l.peer.out); err != nil || !slow.Stop() {
		return
	}
	l.run()
}

// admitted reads the HELLO of a peer that has dialled, and reports whether the connection is to be the link. If not, it
// has ended.
func (l *link) admitted() bool {
	n := l.node
	defer n.newcomers.add(l.conn)()
	err := l.greeted()
	came := string(l.conn.Peer().Identity) // with CURVE, whose key it has
	switch {
	case err != nil:
		l.spoiled(err)
	case came != "" && came != l.hello.node:
		l.refuse(byeNotAllowed, fmt.Errorf("node: a node that came as %q says HELLO as %q", came, l.hello.node))
	case l.hello.node == n.name && l.hello.incarnation == n.Incarnation(): // somebody gave us an address of our own
		l.bye(byeSelf, "")
	case l.hello.node == n.name:
		l.refuse(byeNameTaken, fmt.Errorf("node: a node at %s has the name of this one, %q", l.conn.Peer().Address, n.name))
	case n.peers.crowded(l.hello.node, len(n.cfg.peers)):
		l.refuse(byeNotAllowed, errStrangers)
	default:
		return l.claim()
	}
	return false
}

// dialler returns the function that serves a connection to p that we have dialled: it says HELLO, unless there is a link
// already, and serves the link if the peer accepts it.
func (n *Node) dialler(p *peer) func(*zmtp.Conn) {
	return func(conn *zmtp.Conn) {
		if who := string(conn.Peer().Identity); who != "" && who != p.name && p.name != "" { // no need to disturb it
			n.complain(conn.Peer().Address, p.mistaken(who, conn))
			conn.Close()
			return
		}
		if !p.beginHello() {
			conn.Close()
			n.standBack(p)
			return
		}
		l := n.newLink(conn, true)
		defer close(l.done)
		slow := time.AfterFunc(helloTimeout, func() { conn.Close() })
		defer slow.Stop()
		err := l.sendHello(&p.out)
		if err == nil {
			err = l.greeted()
		}
		if p.endHello(); err != nil {
			n.notGreeted(p, l, err)
			return
		}
		if err := p.expects(l); err != nil {
			l.refuse(byeWrongNode, err)
			return
		}
		if !l.claim() {
			return
		}
		defer l.release()
		if slow.Stop() {
			p.accepted()
			l.run()
		}
	}
}

// standBack lets another connection to p be the link. It returns when that is over, or has not come about soon.
func (n *Node) standBack(p *peer) {
	l := p.present()
	if l == nil {
		soon := time.NewTimer(byeTime)
		defer soon.Stop()
		select {
		case <-soon.C:
		case <-n.closing:
		}
		l = p.present()
	}
	if l != nil {
		n.await(l)
	}
}

// await returns when a link is over.
func (n *Node) await(l *link) {
	select {
	case <-l.done:
	case <-n.closing:
	}
}

// notGreeted handles what came in place of a HELLO's answer. A refusal is logged once, until there is another or a link.
func (n *Node) notGreeted(p *peer, l *link, err error) {
	var bye byeError
	if !errors.As(err, &bye) {
		l.spoiled(err)
		return
	}
	if bye.reason == byeDuplicate && p.name != "" {
		l.conn.Close()
		n.standBack(p)
		return
	}
	if p.refusedAgain(bye.reason) || p.name == "" && (bye.reason == byeSelf || bye.reason == byeDuplicate) {
		return
	}
	n.log.Log(context.Background(), n.level(p, slog.LevelError, &n.complaints), "the peer refuses the link, trying again",
		"peer", p.name, "address", p.at(l.conn), "reason", err)
}

// expects refuses whom we did not mean to dial. A peer without a name stands in for any other node.
func (p *peer) expects(l *link) error {
	switch who := l.hello.node; {
	case who == l.node.name:
		return fmt.Errorf("node: a node at %s has the name of this one, %q", p.at(l.conn), who)
	case who != p.name && p.name != "":
		return p.mistaken(who, l.conn)
	}
	return nil
}

func (p *peer) mistaken(who string, conn *zmtp.Conn) error {
	return fmt.Errorf("node: at %s is node %q, not %q", p.at(conn), who, p.name)
}

// at says where the other end of a connection is, for logs.
func (p *peer) at(conn *zmtp.Conn) string { return cmp.Or(p.address.String(), conn.Peer().Address) }

// greeted reads the peer's HELLO.
func (l *link) greeted() error {
	msg, err := l.conn.Read()
	if err != nil {
		return err
	}
	var h header
	body, err := split(&h, msg, nil)
	if err != nil {
		return err
	}
	switch h.kind {
	case kindHello:
		l.hello, err = readHello(body)
		return err
	case kindBye:
		return readBye(&h, body)
	}
	return fmt.Errorf("%w: a message of kind %d before it", errHello, h.kind)
}

// spoiled ends a connection on which no HELLO came.
func (l *link) spoiled(err error) {
	switch {
	case errors.Is(err, errVersion):
		l.refuse(byeVersion, err)
	case errors.Is(err, errHello), errors.Is(err, errHeader):
		l.refuse(byeProtocol, err)
	case errors.Is(err, errCrowded):
		l.node.complain(l.conn.Peer().Address, err)
	default: // bytes that break ZMTP are logged by zmtp
		l.node.log.Debug("connection ended before HELLO", "remote", l.conn.Peer().Address, "reason", err)
	}
	l.conn.Close()
}

// sendHello sends ours, with how far we have come with what the peer has sent.
func (l *link) sendHello(out *outbox) error {
	h := l.node.hello
	h.kinds = toldKinds(l.node.kinds())
	h.resume = out.memory()
	l.told = h.resume
	frame := appendHello(appendHeader(nil, &header{kind: kindHello}), &h)
	_, err := l.conn.Write([][][]byte{{frame}})
	return err
}

// claim makes l the link to the peer that has greeted, or ends the connection if another one is.
func (l *link) claim() bool {
	n := l.node
	for {
		p := n.peers.claimed(l.hello.node, n.unlisted)
		if p == nil {
			return false
		}
		old := p.link
		c := claim{self: n.name, peer: p.name, pending: p.pending && !l.dialled, live: old != nil}
		if old != nil {
			c.same = old.hello.incarnation == l.hello.incarnation
			c.theirs = !old.dialled || l.dialled // a peer that has answered our HELLO knows of no other link
		}
		v := c.decide()
		if v == accept {
			p.link, l.peer = l, p
			l.conn.SetMaxMessage(maxFrame)
		}
		p.mu.Unlock()
		switch v {
		case accept:
			return true
		case duplicate:
			if old != nil {
				old.ping()
			}
			l.bye(byeDuplicate, "")
			return false
		case replace:
			old.end(probeTime)
		case probe:
			if old.alive(probeTime) {
				l.refuse(byeNameTaken, fmt.Errorf("node: the name %q is taken by a node at %s: node names must be unique",
					p.name, old.conn.Peer().Address))
				return false
			}
			old.end(0)
		}
	}
}

// release ends what claim began.
func (l *link) release() {
	l.conn.Close()
	l.peer.mu.Lock()
	if l.peer.link == l {
		l.peer.link, l.peer.linked = nil, false
	}
	l.peer.mu.Unlock()
	l.node.expect(l.peer, l.node.cfg.Down/2)
	l.node.peers.forgetAfter(l.peer, l.node.cfg.Expire)
}
