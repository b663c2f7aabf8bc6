package actor

import (
	"fmt"
	"sync"

	"github.com/google/uuid"
)

// far is what actors here have of actors of other nodes, and those of actors here, but for messages.
type far struct {
	mu      sync.Mutex
	watches map[string]map[uint64]*watch // of actors elsewhere, by their node and number; of links the half that watches
	guests  map[string]*guest            // other nodes, as far as they have anything here
	closed  bool
	running sync.WaitGroup // constructors of what was spawned from elsewhere, and stops
}

func (f *far) init() {
	f.watches = map[string]map[uint64]*watch{}
	f.guests = map[string]*guest{}
}

// close starts nothing more. What it returns is closed once all that was started is over.
func (f *far) close() <-chan struct{} {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	done := make(chan struct{})
	go func() {
		f.running.Wait()
		close(done)
	}()
	return done
}

// spare runs what may take its time beside all else. False: the System is closing.
func (f *far) spare(run func()) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.closed {
		f.running.Go(run)
	}
	return !f.closed
}

// number makes w a watch of an actor of another node.
func (s *System) number(w *watch) {
	w.number = s.pending.number()
	w.off = func() {
		if s.far.take(w.pid.Node(), w.number) == w {
			s.unwatch(w)
		}
	}
}

// announce begins w, which has a number, at the node of its target. If it fails there is no such watch.
func (s *System) announce(w *watch, kind Kind) error {
	s.far.add(w)
	err := s.send(&Envelope{Kind: kind, Target: w.pid, Sender: s.watcher(w), Correlation: w.number})
	switch {
	case err != nil && s.far.take(w.pid.Node(), w.number) == nil:
		return nil // it ended meanwhile, for another reason
	case err == nil && !s.far.has(w): // it ended meanwhile, and what was sent then may have come too early
		s.unwatch(w)
	case err == nil && w.over.Load(): // it was called off before it could be taken
		s.far.take(w.pid.Node(), w.number)
		s.unwatch(w)
	}
	return err
}

func (f *far) has(w *watch) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.watches[w.pid.Node()][w.number] == w
}

func (f *far) add(w *watch) {
	f.mu.Lock()
	defer f.mu.Unlock()
	node := w.pid.Node()
	if f.watches[node] == nil {
		f.watches[node] = map[uint64]*watch{}
	}
	f.watches[node][w.number] = w
}

// take returns the watch of that number at a node, once; nil if there is none.
func (f *far) take(node string, number uint64) *watch {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.remove(node, number)
}

func (f *far) remove(node string, number uint64) *watch {
	there := f.watches[node]
	w := there[number]
	if delete(there, number); len(there) == 0 {
		delete(f.watches, node)
	}
	return w
}

// takeAll takes the watches of actors of a node, but for those that are sure to be of another incarnation. Zero: of any.
func (f *far) takeAll(node string, incarnation uuid.UUID) (all []*watch) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for number, w := range f.watches[node] {
		if exact := w.pid.Incarnation(); incarnation == uuid.Nil || exact == uuid.Nil || exact == incarnation {
			all = append(all, w)
			f.remove(node, number)
		}
	}
	return all
}

// unwatch lets the other node forget w. That of a link does it when its other half is called off.
func (s *System) unwatch(w *watch) {
	if !w.link {
		_ = s.send(&Envelope{Kind: KindUnwatch, Target: w.pid, Sender: s.watcher(w), Correlation: w.number})
	}
}

func (s *System) watcher(w *watch) PID {
	if w.by == nil {
		return s.self
	}
	return w.by.self
}

// NodeDown is for package node, or whatever else is the Remote: an incarnation of another node (zero: whichever there is)
// is taken for gone, or for unreachable, perhaps only from here. Watches of actors there end with the reason NodeDown, links
// to them fail, and what was to be spawned there fails with ErrUnreachable. What actors there have here ends too: their
// watches; their links, whose actors here fail; and the actors here that they have spawned, which stop. When the node is
// reached again, nothing of that comes back; it is told that this has happened, since it need not have noticed.
//
// Call it before anything that the node sends later is given to Deliver. It does not block, and calls Remote.Send.
func (s *System) NodeDown(node string, incarnation uuid.UUID) {
	s.events.publish(PeerDown{node, incarnation})
	s.losePlace(node, incarnation)
	s.pending.failSpawns(node, fmt.Errorf("%w: node %q is down", ErrUnreachable, node))
	if gone, told := s.dismiss(node, incarnation); told {
		_ = s.send(&Envelope{Kind: KindTerminated, Target: ExactPID(node, gone, 0), Sender: s.self, Type: string(NodeDown)})
	}
}

// losePlace ends the watches of actors of a node, which is told so: it may have them still.
func (s *System) losePlace(node string, incarnation uuid.UUID) {
	for _, w := range s.far.takeAll(node, incarnation) {
		w.tell(NodeDown)
		s.unwatch(w)
	}
}

// deliverTerminated is the end of a watch, or of all at that node. Those that are over already are no news.
func (s *System) deliverTerminated(e *Envelope) error {
	node := e.Sender.Node()
	if e.Correlation == 0 {
		s.losePlace(node, e.Sender.Incarnation())
	} else if w := s.far.take(node, e.Correlation); w != nil {
		w.tell(e.reason())
	}
	return nil
}

// reason is that of a KindTerminated: one that watchers know.
func (e *Envelope) reason() Reason {
	switch why := Reason(e.Type); why {
	case Stopped, NoActor, NodeDown, Full:
		return why
	}
	return Failed
}

// undelivered is what comes of an envelope of the runtime's own that the network could not hand over.
func (s *System) undelivered(e *Envelope, reason Reason) {
	switch e.Kind {
	case KindWatch, KindLink:
		if w := s.far.take(e.Target.Node(), e.Correlation); w != nil {
			w.tell(NodeDown)
		}
	case KindSpawn:
		if a := s.pending.take(e.Correlation); a != nil {
			a.fail(e.lost(reason))
		}
	}
}
