package mailbox

// crowd is subscribers of one prefix.
type crowd[S comparable] struct {
	list []S
	at   map[S]int // their places in list, once they are many
}

// many is how many subscribers are looked up in a map.
const many = 32

// join adds s to n's subscribers, and reports whether it is the first, and whether it was not there.
func (n *topic[S]) join(s S) (first, fresh bool) {
	switch {
	case !n.has:
		n.one, n.has = s, true
		return true, true
	case n.one == s:
		return false, false
	case n.others == nil:
		n.others = new(crowd[S])
	}
	return false, n.others.add(s)
}

// part removes s from n's subscribers, and reports whether it was the last, and whether it was there.
func (n *topic[S]) part(s S) (last, had bool) {
	switch {
	case !n.has:
		return false, false
	case n.one != s:
		had = n.others != nil && n.others.remove(s)
	case n.others == nil:
		var none S
		n.one, n.has = none, false
		return true, true
	default:
		n.one, had = n.others.list[0], true
		n.others.remove(n.one)
	}
	if n.others != nil && len(n.others.list) == 0 {
		n.others = nil
	}
	return false, had
}

// tell calls each for n's subscribers.
func (n *topic[S]) tell(each func(S)) {
	if !n.has {
		return
	}
	each(n.one)
	if n.others != nil {
		for _, s := range n.others.list {
			each(s)
		}
	}
}

func (c *crowd[S]) find(s S) (int, bool) {
	if c.at != nil {
		i, ok := c.at[s]
		return i, ok
	}
	for i := range c.list {
		if c.list[i] == s {
			return i, true
		}
	}
	return 0, false
}

func (c *crowd[S]) add(s S) (fresh bool) {
	if _, ok := c.find(s); ok {
		return false
	}
	c.list = append(c.list, s)
	if len(c.list) > many && c.at == nil {
		c.index()
	} else if c.at != nil {
		c.at[s] = len(c.list) - 1
	}
	return true
}

func (c *crowd[S]) remove(s S) (had bool) {
	i, ok := c.find(s)
	if !ok {
		return false
	}
	end := len(c.list) - 1
	c.list[i] = c.list[end]
	if c.at != nil {
		c.at[c.list[i]] = i
		delete(c.at, s)
	}
	var none S
	c.list[end] = none
	c.list = c.list[:end]
	if len(c.list) <= cap(c.list)/4 { // maps don't shrink either
		c.list = append(make([]S, 0, len(c.list)), c.list...)
		c.at = nil
		if len(c.list) > many {
			c.index()
		}
	}
	return true
}

func (c *crowd[S]) index() {
	c.at = make(map[S]int, len(c.list))
	for i, s := range c.list {
		c.at[s] = i
	}
}
