package node

import (
	"container/list"
	"errors"
	"sync"

	"github.com/troupe-go/troupe/internal/zmtp"
)

const (
	maxGreeting  = 32 << 10 // bytes in the first message of a connection
	manyFrames   = 16       // in a message, which is one frame; so many still get a BYE that says so
	maxNewcomers = 1024     // connections whose HELLO was not accepted yet
	maxStrangers = 10_000   // nodes that are known and not in Config.Peers
)

var (
	errCrowded   = errors.New("node: too many connections wait to be links, the oldest was ended")
	errStrangers = errors.New("node: too many nodes that are not in Config.Peers")
)

// newcomers are the connections whose HELLO was not accepted yet. There are maxNewcomers at most: one more ends the
// oldest. Who has a HELLO to say says it at once.
type newcomers struct {
	mu   sync.Mutex
	list list.List // of *zmtp.Conn, oldest first
}

// add returns what to call when the connection is no newcomer any more.
func (w *newcomers) add(conn *zmtp.Conn) (done func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.list.Len() == maxNewcomers {
		oldest := w.list.Remove(w.list.Front()).(*zmtp.Conn)
		oldest.Refuse(errCrowded)
	}
	e := w.list.PushBack(conn)
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.list.Remove(e)
	}
}

// crowded reports whether there is no place for a node that is not known.
func (ps *peers) crowded(node string, listed int) bool {
	ps.mu.RLock()
	defer ps.mu.RUnlock()
	return ps.table[node] == nil && len(ps.table) >= listed+maxStrangers
}
