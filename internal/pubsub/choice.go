package pubsub

import "strings"

// choice is what is subscribed to, and how many times each. The zero value is nothing.
type choice struct {
	keys     map[string]int
	prefixes map[string]int
}

func (c *choice) of(exact bool) *map[string]int {
	if exact {
		return &c.keys
	}
	return &c.prefixes
}

// has says whether key, or the prefix that it is, is subscribed to.
func (c *choice) has(key string, exact bool) bool { return (*c.of(exact))[key] > 0 }

func (c *choice) add(key string, exact bool) {
	all := c.of(exact)
	if *all == nil {
		*all = make(map[string]int)
	}
	(*all)[key]++
}

// remove reports whether key, or the prefix that it is, was subscribed to, and whether it is not any more.
func (c *choice) remove(key string, exact bool) (had, last bool) {
	all := *c.of(exact)
	n := all[key]
	switch n {
	case 0:
		return false, false
	case 1:
		delete(all, key)
		return true, true
	}
	all[key] = n - 1
	return true, false
}

func (c *choice) empty() bool { return len(c.keys) == 0 && len(c.prefixes) == 0 }

// wants says whether the updates of key are subscribed to.
func (c *choice) wants(key string) bool {
	if c.keys[key] > 0 {
		return true
	}
	for prefix := range c.prefixes {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}
