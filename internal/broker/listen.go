package broker

import (
	"context"
	"sync"
	"time"

	"github.com/troupe-go/troupe/mailbox"
)

// listen calls heard, in a goroutine of done's, with what comes over a socket until that is closed, and lost in another
// when the connection ends, until over ends.
func listen(over context.Context, done *sync.WaitGroup, s *mailbox.Socket, heard func(*entry), lost func(at time.Time)) {
	events := s.Monitor(over)
	done.Go(func() {
		for {
			msg, err := s.Recv(context.Background())
			if err != nil {
				return
			}
			for e, rest, ok := next(msg); ok; e, rest, ok = next(rest) {
				heard(&e)
			}
		}
	})
	done.Go(func() {
		for e := range events {
			if e.Kind == mailbox.Disconnected {
				lost(e.Time)
			}
		}
	})
}
