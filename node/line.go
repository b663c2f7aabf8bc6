package node

// line is a queue in one slice, whose memory is used again.
type line[T any] struct {
	items []T
	head  int // of items, the first that is in line
}

const keptLine = 64 // items for which an idle line keeps memory

func (l *line[T]) all() []T { return l.items[l.head:] }
func (l *line[T]) len() int { return len(l.items) - l.head }
func (l *line[T]) push(v T) { l.items = append(l.items, v) }

// cut removes the first n.
func (l *line[T]) cut(n int) {
	clear(l.items[l.head : l.head+n])
	l.head += n
	if l.len() > 0 && l.head < max(keptLine, len(l.items)/2) {
		return
	}
	n = copy(l.items, l.all())
	clear(l.items[n:])
	l.items, l.head = l.items[:n], 0
}

// roomy reports whether it has more memory than an idle line keeps.
func (l *line[T]) roomy() bool { return cap(l.items) > keptLine }

// idle gives memory back of a line that is empty.
func (l *line[T]) idle() {
	if l.roomy() {
		l.items = nil
	}
}

// first puts items before the others.
func (l *line[T]) first(items []T) {
	if len(items) > 0 {
		l.items, l.head = append(items, l.all()...), 0
	}
}

// remove removes those for which gone says so, and adds them to removed.
func (l *line[T]) remove(gone func(*T) bool, removed []T) []T {
	kept := l.items[:0]
	for i := range l.all() {
		if v := l.items[l.head+i]; gone(&v) {
			removed = append(removed, v)
		} else {
			kept = append(kept, v)
		}
	}
	clear(l.items[len(kept):])
	l.items, l.head = kept, 0
	return removed
}
