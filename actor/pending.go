package actor

import (
	"math/rand/v2"
	"sync"
)

// pending are the Asks that wait for an answer from another node.
type pending struct {
	mu   sync.Mutex
	asks map[uint64]abroad
	next uint64
}

// abroad is an Ask, or the wait for what is being spawned, with whom it was given to in the end.
type abroad struct {
	*ask
	to     PID
	spawns bool
}

func (p *pending) init() {
	p.asks = map[uint64]abroad{}
	p.next = rand.Uint64()
}

// number returns one that was not used before, by this incarnation or, most likely, another.
func (p *pending) number() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count()
}

func (p *pending) count() uint64 {
	p.next++
	if p.next == 0 {
		p.next++
	}
	return p.next
}

func (p *pending) add(a *ask, to PID, spawns bool) uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	id := p.count()
	a.remote.Store(id)
	p.asks[id] = abroad{a, to, spawns}
	return id
}

// take returns the ask of that number, once; nil if there is none.
func (p *pending) take(id uint64) *ask {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.asks[id]
	delete(p.asks, id)
	return a.ask
}

// leave is take for an ask whose answer may still come, and returns whom it was given to.
func (p *pending) leave(id uint64) (to PID, waited bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a, waited := p.asks[id]
	delete(p.asks, id)
	return a.to, waited
}

// takeFrom is take for what came from a node: another node than the one that was asked has no say.
func (p *pending) takeFrom(id uint64, node string) *ask {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.asks[id]
	if a.ask == nil || node != "" && node != a.to.Node() {
		return nil
	}
	delete(p.asks, id)
	return a.ask
}

// failSpawns fails what was to be spawned at a node.
func (p *pending) failSpawns(node string, err error) {
	var lost []*ask
	p.mu.Lock()
	for id, a := range p.asks {
		if a.spawns && a.to.Node() == node {
			lost = append(lost, a.ask)
			delete(p.asks, id)
		}
	}
	p.mu.Unlock()
	for _, a := range lost {
		a.fail(err)
	}
}

func (p *pending) failAll(err error) {
	p.mu.Lock()
	all := p.asks
	p.asks = map[uint64]abroad{}
	p.mu.Unlock()
	for _, a := range all {
		a.fail(err)
	}
}
