package contest

import "time"

const (
	rounds    = 5                      // for a figure
	roundTime = 200 * time.Millisecond // one takes about
	warmTime  = 50 * time.Millisecond  // for which the last round before the figures is to take at least
	firstSize = 100                    // messages in the first round
)

// contest is the sides of one case.
type contest struct{ sides []*runner }

// start starts the sides.
func start(s Spec, transport string, sides []Side) *contest {
	c := &contest{}
	for _, side := range sides {
		c.sides = append(c.sides, startRunner(side, s, transport))
	}
	return c
}

func (c *contest) stop() {
	for _, s := range c.sides {
		s.stop()
	}
}

// figure returns the next of the side called name, in messages per second, and from how many messages it is. If there is
// none left it gets another for each side.
func (c *contest) figure(name string, short bool) (figure, error) {
	for _, s := range c.sides {
		if s.side.Name != name {
			continue
		}
		if len(s.figures) == 0 && s.err == nil {
			c.measure(short)
		}
		if s.err != nil {
			return figure{}, s.err
		}
		f := s.figures[0]
		s.figures = s.figures[1:]
		return f, nil
	}
	return figure{}, nil
}

// figure is what some rounds came to.
type figure struct {
	messages int
	took     time.Duration
}

// perSecond returns how many messages there were per second.
func (f figure) perSecond() float64 { return float64(f.messages) / f.took.Seconds() }

// aRound returns how many messages there are in the time that a round is to take.
func (f figure) aRound() int { return int(f.perSecond()*roundTime.Seconds()) + 1 }

// measure adds a figure to each side's, from rounds in which the sides alternate.
func (c *contest) measure(short bool) {
	n := rounds
	if short {
		n = 1
	}
	total := make([]figure, len(c.sides))
	for range n {
		for i, s := range c.sides {
			if s.err == nil && s.count == 0 {
				s.err = s.warmUp(short)
			}
			if s.err != nil {
				continue
			}
			var f figure
			f, s.err = s.round(s.count)
			total[i].messages += f.messages
			total[i].took += f.took
			if s.err == nil && !short {
				s.count = total[i].aRound() // if something held the last rounds up, the next ones had too few
			}
		}
	}
	for i, s := range c.sides {
		if s.err == nil {
			s.figures = append(s.figures, total[i])
		}
	}
}

// warmUp finds out how many messages a round is to have.
func (r *runner) warmUp(short bool) error {
	for n := firstSize; ; n *= 4 {
		f, err := r.round(n)
		if err != nil {
			return err
		}
		if short {
			r.count = n
			return nil
		}
		if f.took >= warmTime {
			r.count = f.aRound()
			return nil
		}
	}
}
