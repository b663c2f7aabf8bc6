package pipe

// deque is a queue that both ends can be added to.
type deque[T any] struct {
	ring  []T
	first int
	n     int
}

func (d *deque[T]) len() int { return d.n }

func (d *deque[T]) pushBack(v T) {
	d.grow()
	d.ring[(d.first+d.n)&(len(d.ring)-1)] = v
	d.n++
}

func (d *deque[T]) pushFront(v T) {
	d.grow()
	d.first = (d.first - 1) & (len(d.ring) - 1)
	d.ring[d.first] = v
	d.n++
}

// popFront returns the oldest item of a deque that is not empty.
func (d *deque[T]) popFront() T {
	var zero T
	v := d.ring[d.first]
	d.ring[d.first] = zero
	d.first = (d.first + 1) & (len(d.ring) - 1)
	d.n--
	return v
}

// grow makes room for one more. The ring's length is a power of two.
func (d *deque[T]) grow() {
	if d.n < len(d.ring) {
		return
	}
	larger := make([]T, max(8, 2*d.n))
	copied := copy(larger, d.ring[d.first:])
	copy(larger[copied:], d.ring[:d.first])
	d.ring, d.first = larger, 0
}
