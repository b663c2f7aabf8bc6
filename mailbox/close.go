package mailbox

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/troupe-go/troupe/internal/zmtp"
)

// farewell is how long Close waits for the peers to close their ends, once all is written.
const farewell = 250 * time.Millisecond

// Close ends the socket. Sends and Recvs fail with ErrClosed from now on. What is queued is still sent, to peers whose
// connection comes up only now too, until ctx ends or Config.Linger has passed. When Close returns every goroutine of
// the socket has ended, and its ports, files and names are free.
//
// If messages were left that could not be sent, the error wraps ErrUnsent and says how many. Later calls wait for the
// first to be through, or for their ctx to end, and return nil.
func (s *Socket) Close(ctx context.Context) error {
	if ctx == nil {
		return errNoContext
	}
	s.mu.Lock()
	first := !s.closed.Swap(true)
	s.cancel()
	s.room.wakeAll()
	s.in.waiting.wakeAll()
	s.mu.Unlock()
	if !first {
		select {
		case <-s.release:
		case <-ctx.Done():
		}
		return nil
	}
	defer close(s.release)
	lingering, cancel := context.WithTimeout(ctx, max(s.cfg.Linger, 0))
	defer cancel()
	s.mu.Lock()
	peers, places := s.peersAt(nil), slices.Clone(s.places) // nobody enters any more
	s.mu.Unlock()
	unsent := s.linger(lingering, peers)
	for _, pl := range places {
		pl.rest()
	}
	s.hangUp(lingering, nil)
	for _, pl := range places {
		pl.close()
	}
	s.monitors.end()
	if unsent > 0 {
		return fmt.Errorf("%w: %d", ErrUnsent, unsent)
	}
	return nil
}

// linger sends what is queued for peers until ctx ends, and returns how many messages are left.
func (s *Socket) linger(ctx context.Context, peers []*peer) (unsent int) {
	handOver := func(p *peer) {
		if d := p.meeting.Load(); d != nil {
			d.handOver(p)
		}
	}
	for _, p := range peers {
		handOver(p)
		if s.typ != Sub { // whose subscriptions are of no use any more
			p.out.Wait(ctx)
		}
	}
	for _, p := range peers {
		handOver(p) // now, if it was connected meanwhile
		n := p.out.Close()
		if s.typ == Sub {
			continue
		}
		s.drop(p, Lost, n)
		unsent += n
	}
	return unsent
}

// hangUp lets each peer at a place, or everywhere if that is nil, get all that was written to it before its connection
// ends. It does nothing if ctx has ended.
func (s *Socket) hangUp(ctx context.Context, at *place) {
	if ctx.Err() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, farewell)
	defer cancel()
	var hanging sync.WaitGroup
	s.mu.Lock()
	for c, p := range s.conns {
		if at != nil && p.at != at {
			continue
		}
		hanging.Go(func() {
			stop := context.AfterFunc(ctx, func() { c.Close() })
			defer stop()
			c.CloseWrite()
		})
	}
	s.mu.Unlock()
	hanging.Wait()
}

// enter adds a peer whose connection was accepted. It reports false once the socket is closed, or left the endpoint.
func (s *Socket) enter(p *peer) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.leaving() {
		return false
	}
	s.peers[p] = struct{}{}
	return true
}

// leave removes a peer that is gone for good.
func (s *Socket) leave(p *peer) {
	s.pattern.leave(p)
	if unsent := p.out.Close(); s.typ != Sub {
		s.drop(p, Lost, unsent)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, there := s.peers[p]; there {
		delete(s.peers, p)
		s.retire(p)
	}
}

// up tells the pattern of a connection. It reports false if that refuses it.
func (s *Socket) up(in *inlet, identity []byte) bool {
	in.peer.live.Store(in)
	if err := s.pattern.up(in, identity); err != nil {
		in.peer.live.Store(nil)
		s.refused(err)
		in.conn.Refuse(err)
		return false
	}
	if s.typ == Rep {
		s.drop(in.peer, Lost, in.peer.out.Purge()) // replies to requests of an earlier connection
	}
	if in.id != nil { // a ROUTER's name for it
		identity = in.id
	}
	in.peer.linked(in, identity)
	if !in.peer.dials {
		s.pattern.join(in.peer)
	}
	s.wakeSends()
	return true
}

// down tells the pattern that a connection has ended.
func (s *Socket) down(in *inlet) {
	in.peer.live.Store(nil)
	in.peer.unlinked()
	s.pattern.down(in)
}

// refused logs a connection that the pattern refused, but not more often than every ten seconds.
func (s *Socket) refused(reason error) {
	s.mu.Lock()
	s.refusals++
	n := s.refusals
	silent := time.Since(s.refusedAt) < 10*time.Second
	if !silent {
		s.refusals, s.refusedAt = 0, time.Now()
	}
	s.mu.Unlock()
	if !silent {
		s.cfg.Log.Warn("connection refused", "socket", string(s.typ), "reason", reason, "count", n)
	}
}

// talks notes that bytes move over c, to p, or no longer if that is nil.
func (s *Socket) talks(c *zmtp.Conn, p *peer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p != nil {
		s.conns[c] = p
	} else {
		delete(s.conns, c)
	}
}
