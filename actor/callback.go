package actor

// callback is what comes back to an actor of what an instance of it asked of the runtime. It takes a place in the queue,
// is never refused, and runs as one of the actor's turns; a later instance doesn't get it. It is not a message: it is not
// counted, and no dead letter.
type callback struct {
	life *life // of the instance; nil: any
	run  func() error
}

// call gives c a turn in which run is called. If c stops before, nothing comes of it.
func (c *cell) call(in *life, run func() error) {
	_ = c.box.force(message{more: &more{alien: &callback{in, run}}})
}

// turn runs the callback.
func (cb *callback) turn(present *life) error {
	if cb.life != nil && cb.life != present {
		return nil
	}
	return cb.run()
}

// wants is what an instance asked for and did not get yet.
type wants struct {
	watches map[PID]*watch
	links   map[PID]*link // by the other, as watches
	timers  map[*Timer]struct{}
	asks    map[*ask]struct{}
	laters  map[*Later]struct{}
}

// want calls note with what the instance wants, unless it has ended. What is noted is called off when it ends.
func (l *life) want(note func(*wants)) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return l.endedError()
	}
	x := l.more()
	if x.wants == nil {
		x.wants = &wants{
			watches: map[PID]*watch{}, links: map[PID]*link{}, timers: map[*Timer]struct{}{},
			asks: map[*ask]struct{}{}, laters: map[*Later]struct{}{},
		}
	}
	note(x.wants)
	return nil
}

// callOff calls off all that an instance that has ended still wants. If the actor ends with it, those it is linked to
// have yet to hear of that.
func (l *life) callOff(ending bool) {
	l.mu.Lock()
	var w *wants
	if l.extra != nil {
		w, l.extra.wants = l.extra.wants, nil
	}
	l.mu.Unlock()
	if w == nil {
		return
	}
	for _, watch := range w.watches {
		watch.callOff()
	}
	for _, link := range w.links {
		link.there.callOff()
		if !ending {
			link.here.callOff()
		}
	}
	for timer := range w.timers {
		timer.timer.Stop()
	}
	for later := range w.laters {
		later.callOff()
	}
	for ask := range w.asks {
		ask.begun.leave(ask)
	}
}
