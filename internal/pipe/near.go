package pipe

// Connect connects a producer and a consumer of one process: bodies are handed over as they are. The connection ends when
// the consumer is closed.
func Connect[B any](p *Producer[B], c *Consumer[B]) {
	n := new(near[B])
	n.out, n.in = p.Link(n), c.Link(n)
	n.out.Open()
	n.in.Open()
}

// near is a connection within a process: each end's way to the other.
type near[B any] struct {
	out   *Outlink[B]
	in    *Inlink[B]
	tasks []*Task[B]    // of the last call of Done or Back
	slab  []Delivery[B] // not used yet; guarded by the producer's lock
}

func (n *near[B]) Give(tasks []*Task[B]) bool {
	if len(n.slab) < len(tasks) {
		n.slab = make([]Delivery[B], max(len(tasks), slabSize))
	}
	ds := n.slab[:len(tasks)]
	n.slab = n.slab[len(tasks):]
	for i, t := range tasks {
		ds[i] = Delivery[B]{ID: t.ID, Attempt: t.attempt, Body: t.Body, size: int(t.size), task: t}
	}
	n.in.Push(ds)
	return true
}

func (n *near[B]) End(id ID, role string) { n.in.End(id, role) }
func (n *near[B]) Gone(id ID)             { n.in.Gone(id) }

func (n *near[B]) Credit(limit int64)                 { n.out.Credit(limit) }
func (n *near[B]) Done(ds []*Delivery[B])             { n.out.Done(n.of(ds)) }
func (n *near[B]) Back(ds []*Delivery[B])             { n.out.Back(n.of(ds)) }
func (n *near[B]) Fail(d *Delivery[B], reason string) { n.out.Fail(d.task, reason) }
func (n *near[B]) Heard(id ID)                        { n.out.Heard(id) }
func (n *near[B]) Lost()                              { n.out.Lost() }

// of returns the tasks that were delivered. The consumer's out lock is held.
func (n *near[B]) of(ds []*Delivery[B]) []*Task[B] {
	n.tasks = n.tasks[:0]
	for _, d := range ds {
		n.tasks = append(n.tasks, d.task)
	}
	return n.tasks
}
