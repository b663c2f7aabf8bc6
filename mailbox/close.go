package mailbox

import (
	"context"
	"fmt"
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
	s.mu.Lock()
	first := !s.closed.Swap(true)
	s.cancel()
	s.mu.Unlock()
	if !first {
		select {
		case <-s.release:
		case <-ctx.Done():
		}
		return nil
	}
	defer close(s.release)
	unsent := s.linger(ctx)
	s.mu.Lock()
	dialers, listeners := s.dialers, s.listeners
	s.mu.Unlock()
	for _, d := range dialers {
		d.Close()
	}
	for _, l := range listeners {
		l.Close()
	}
	if unsent > 0 {
		return fmt.Errorf("%w: %d", ErrUnsent, unsent)
	}
	return nil
}

// linger sends what is queued, for as long as may be, and returns how many messages are left.
func (s *Socket) linger(ctx context.Context) (unsent int) {
	ctx, cancel := context.WithTimeout(ctx, max(s.cfg.Linger, 0))
	defer cancel()
	s.mu.Lock()
	peers := make([]*peer, 0, len(s.peers))
	for p := range s.peers { // nobody enters any more
		peers = append(peers, p)
	}
	s.mu.Unlock()
	for _, p := range peers {
		if d := p.meeting.Load(); d != nil {
			d.handOver(p)
		}
		p.out.Wait(ctx)
	}
	for _, p := range peers {
		unsent += len(p.out.Close())
	}
	if ctx.Err() == nil {
		s.hangUp(ctx)
	}
	return unsent
}

// hangUp lets each peer get all that was written to it before its connection ends.
func (s *Socket) hangUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, farewell)
	defer cancel()
	var hanging sync.WaitGroup
	s.mu.Lock()
	for c := range s.conns {
		hanging.Go(func() {
			stop := context.AfterFunc(ctx, func() { c.Close() })
			defer stop()
			c.CloseWrite()
		})
	}
	s.mu.Unlock()
	hanging.Wait()
}

// enter adds a peer whose connection was accepted. It reports false once the socket is closed.
func (s *Socket) enter(p *peer) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed.Load() {
		return false
	}
	s.peers[p] = struct{}{}
	return true
}

// leave removes such a peer, whose connection has ended.
func (s *Socket) leave(p *peer) {
	s.pattern.leave(p)
	s.drop(len(p.out.Close()))
	s.mu.Lock()
	delete(s.peers, p)
	s.mu.Unlock()
}

// up tells the pattern of a connection. It reports false if that refuses it.
func (s *Socket) up(in *inlet, identity []byte) bool {
	if err := s.pattern.up(in, identity); err != nil {
		s.refused(err)
		return false
	}
	if s.typ == Rep {
		s.drop(in.peer.out.Purge()) // replies to requests of an earlier connection
	}
	if !in.peer.dials {
		s.pattern.join(in.peer)
		s.room.wake()
	}
	return true
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

// talks notes that bytes move over c, or no longer.
func (s *Socket) talks(c *zmtp.Conn, yes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if yes {
		s.conns[c] = struct{}{}
	} else {
		delete(s.conns, c)
	}
}
