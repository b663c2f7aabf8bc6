package actor

// FarCount is how many watches of actors elsewhere s has, and how many things actors elsewhere have here.
func FarCount(s *System) (watches, holds int) {
	s.far.mu.Lock()
	defer s.far.mu.Unlock()
	for _, there := range s.far.watches {
		watches += len(there)
	}
	for _, g := range s.far.guests {
		holds += len(g.holds) + g.left
	}
	return watches, holds
}

// MaxHolds is the bound of the latter, for each node.
const MaxHolds = maxHolds
