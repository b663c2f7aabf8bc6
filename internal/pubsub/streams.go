package pubsub

import "container/list"

// streams is the keys that a publisher counts the updates of, and the last value of each, if it keeps them. They are
// bounded: beyond that the key that was published longest ago makes room. When it is published again, a new run begins.
type streams[T any] struct {
	limit int
	keeps bool
	runs  uint64
	stamp uint64 // of the last update
	keys  map[string]*list.Element
	order list.List // of *stream[T], published longest ago first
}

// stream is the updates of one key.
type stream[T any] struct {
	key   string
	at    position // of the last update
	stamp uint64   // when that was, in updates of all keys
	value T        // of the last update, if kept
}

func newStreams[T any](lastValues int) *streams[T] {
	limit := maxStreams
	if lastValues > 0 {
		limit = lastValues
	}
	return &streams[T]{limit: limit, keeps: lastValues > 0, keys: make(map[string]*list.Element)}
}

// next returns the position of the next update of key. It is given out by add.
func (s *streams[T]) next(key string) position {
	if e := s.keys[key]; e != nil {
		at := e.Value.(*stream[T]).at
		at.number++
		return at
	}
	return position{s.runs + 1, 1}
}

// add notes that key was published.
func (s *streams[T]) add(key string, value T) {
	s.stamp++
	e := s.keys[key]
	if e == nil {
		e = s.insert(key)
	} else {
		s.order.MoveToBack(e)
	}
	st := e.Value.(*stream[T])
	st.at.number++
	st.stamp = s.stamp
	if s.keeps {
		st.value = value
	}
}

func (s *streams[T]) insert(key string) *list.Element {
	if len(s.keys) >= s.limit {
		oldest := s.order.Remove(s.order.Front()).(*stream[T])
		delete(s.keys, oldest.key)
	}
	s.runs++
	e := s.order.PushBack(&stream[T]{key: key, at: position{run: s.runs}})
	s.keys[key] = e
	return e
}

// get returns what is known of key, nil if nothing is.
func (s *streams[T]) get(key string) *stream[T] {
	e := s.keys[key]
	if e == nil {
		return nil
	}
	return e.Value.(*stream[T])
}

// cursor is a place in the keys' order. The zero value is before all of them.
type cursor struct {
	stamp uint64        // that of the last key it passed
	next  *list.Element // where the next was then; nil: there was none
	due   uint64        // its stamp then
}

// after returns the key that was published longest ago of those after c, and moves c behind it. It returns nil if there is
// none.
func (s *streams[T]) after(c *cursor) *stream[T] {
	e := c.next
	if e == nil || e.Value.(*stream[T]).stamp != c.due || s.keys[e.Value.(*stream[T]).key] != e {
		e = s.order.Front()
		if c.stamp > 0 {
			e = s.behind(c.stamp)
		}
	}
	if e == nil {
		return nil
	}
	st := e.Value.(*stream[T])
	c.stamp, c.next = st.stamp, e.Next()
	if c.next != nil {
		c.due = c.next.Value.(*stream[T]).stamp
	}
	return st
}

// behind returns the first element whose stamp is later than the given one.
func (s *streams[T]) behind(stamp uint64) (first *list.Element) {
	for e := s.order.Back(); e != nil && e.Value.(*stream[T]).stamp > stamp; e = e.Prev() {
		first = e
	}
	return first
}
