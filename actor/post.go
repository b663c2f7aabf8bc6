package actor

import "sync"

// post is what a message from another node is queued as, in one piece of memory. That of a Tell is used again when it is
// handled: only the value that was decoded from it gets out of the runtime. What became of others the collector finds.
type post struct {
	more more
	body body
	copy []byte // memory for what was lent
}

var posts = sync.Pool{New: func() any { return new(post) }}

const keptCopy = 512 // bytes that a post keeps for copies

// fill makes p the message that e has.
func (p *post) fill(e *Envelope) {
	p.body = body{typeName: e.Type, data: e.Body, sender: e.Sender, own: !e.Lent || len(e.Body) > keptCopy}
	if e.Lent {
		p.copy = append(p.copy[:0], e.Body...)
		p.body.data = p.copy
	}
	p.more.alien = &p.body
}

// free has p used again.
func (p *post) free() {
	*p = post{copy: p.copy}
	if cap(p.copy) > keptCopy {
		p.copy = nil
	}
	posts.Put(p)
}
