package mailbox

import (
	"context"
	"sync/atomic"
)

// quota bounds the memory of what came over one connection and was not yet received. One goroutine takes; any may give.
type quota struct {
	most int64
	used atomic.Int64
	room chan struct{} // used fell below most
}

func newQuota(most int64) *quota { return &quota{most: most, room: make(chan struct{}, 1)} }

// try takes n, however much that is, if less than most is used.
func (q *quota) try(n int) bool {
	if q.used.Load() >= q.most {
		return false
	}
	q.used.Add(int64(n))
	return true
}

// take waits until less than most is used, or ctx ends, and takes n, however much that is, unless ctx has ended.
func (q *quota) take(ctx context.Context, n int) {
	for ctx.Err() == nil && !q.try(n) {
		select {
		case <-q.room:
		case <-ctx.Done():
		}
	}
}

func (q *quota) give(n int) {
	left := q.used.Add(int64(-n))
	if left < q.most && left+int64(n) >= q.most {
		select {
		case q.room <- struct{}{}:
		default:
		}
	}
}
