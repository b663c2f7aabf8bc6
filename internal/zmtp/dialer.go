package zmtp

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// Dialer keeps a connection to one address for as long as it isn't closed.
type Dialer struct {
	cfg              *Config
	network, address string
	serve            func(*Conn)
	ctx              context.Context // ends with Close
	cancel           context.CancelFunc
	closing          sync.Once
	last             atomic.Bool // no connection is made after the one there is
	wg               sync.WaitGroup
	log              dialLog
	events           source

	mu   sync.Mutex
	conn *Conn // the one being served, if any
}

// Dial returns at once and connects to address from then on, over and over: when a connection was made serve is called
// with it, and when serve returns the connection is closed and the next one made.
//
// After a connection, or a first failure, the pause is between one and two times Config.BackoffMin; it doubles with each
// failure until it is between half of Config.BackoffMax and all of it. A connection that lasted less than BackoffMin
// counts as a failure. An attempt, handshake included, may take Config.Handshake; only dialling an inproc name may take
// for ever, since it waits for the name to be bound. Host names are looked up at each attempt.
//
// The log gets one line when it can't connect, however long that lasts, and one more if then somebody is there who
// refuses, one when it is connected, and one when the connection was lost. A bad Config shows in the log as being unable
// to connect.
func Dial(cfg *Config, network, address string, serve func(*Conn)) *Dialer {
	cfg = cfg.withDefaults().over(network)
	d := &Dialer{cfg: cfg, network: network, address: address, serve: serve}
	d.log.log = cfg.Log.With("network", network, "address", address)
	d.events = source{event: cfg.Event, network: network, address: address}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	d.wg.Go(d.run)
	return d
}

// Close ends the connection or the attempt and returns when serve has returned: it must not be called from serve.
func (d *Dialer) Close() error {
	d.cancel()
	d.mu.Lock()
	c := d.conn
	d.mu.Unlock()
	if c != nil {
		c.Close()
	}
	d.wg.Wait()
	d.closing.Do(func() { d.events.tell(Event{Kind: Closed}) })
	return nil
}

// Rest ends the dialling, and leaves alone the connection that there is or that is just being made.
func (d *Dialer) Rest() { d.last.Store(true) }

func (d *Dialer) run() {
	failed := 0 // attempts in a row
	for {
		lasted, err := d.once()
		if lasted {
			failed = 0
		}
		if d.last.Load() {
			return
		}
		wait := backoff(failed, d.cfg.BackoffMin, d.cfg.BackoffMax)
		if d.ctx.Err() == nil {
			d.events.tell(Event{Kind: Retrying, Err: err, Wait: wait})
		}
		if !pause(d.ctx, wait) || d.last.Load() {
			return
		}
		failed++
	}
}

// once makes one connection and serves it. It reports whether there was one, and it lasted, and why there is none now.
func (d *Dialer) once() (lasted bool, err error) {
	c, err := d.open()
	if err != nil {
		if d.ctx.Err() == nil {
			d.log.failed(err)
		}
		return false, err
	}
	defer c.Close()
	if !d.hold(c) {
		return false, ErrClosed
	}
	defer d.release()
	start := time.Now()
	d.log.connected(c, d.cfg.BackoffMin)
	d.events.begin(Connected, c)
	d.serve(c)
	age := time.Since(start)
	lasted = age >= d.cfg.BackoffMin
	d.log.ended()
	if d.ctx.Err() == nil && !d.last.Load() {
		c.Close()
		d.log.lost(age, !lasted, c.Err())
	}
	c.Close()
	d.events.ended(c)
	return lasted, c.Err()
}

// hold lets Close close c; it reports false if Close was called already.
func (d *Dialer) hold(c *Conn) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.conn = c
	return d.ctx.Err() == nil
}

func (d *Dialer) release() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.conn = nil
}

// open makes one connection.
func (d *Dialer) open() (*Conn, error) {
	dialing, cancel := d.ctx, func() {} // an inproc name is waited for
	if d.network != "inproc" {
		dialing, cancel = context.WithTimeout(d.ctx, d.cfg.Handshake)
	}
	defer cancel()
	nc, err := d.cfg.Network.Dial(dialing, d.network, d.address)
	if err != nil {
		return nil, err
	}
	c, err := Open(dialing, nc, d.cfg, false) // has its own limit of Config.Handshake
	if err != nil && d.ctx.Err() == nil {
		d.events.failed(remote(nc), err)
	}
	return c, err
}

// backoff is the pause after so many failed attempts in a row (0 = none: a connection was lost): twice low, doubled
// for each, at most high, and half of it by chance, but never less than low.
func backoff(failed int, low, high time.Duration) time.Duration {
	d := low
	for range failed + 1 {
		if d > high/2 {
			d = high
			break
		}
		d *= 2
	}
	return max(low, d-rand.N(max(d, 0)/2+1))
}

// dialLog says what changes, once: connected, lost, cannot connect.
type dialLog struct {
	log      *slog.Logger
	down     bool        // said that it can't connect
	refused  bool        // said that the two ends can't come together
	brief    bool        // the last connection ended at once, as one does whose peer is about to end
	flapping bool        // said that connections don't last; a connection is news again once it does
	lasts    *time.Timer // says so
}

func (l *dialLog) connected(c *Conn, lasts time.Duration) {
	say := func() { l.log.Info("connected", "peer_type", string(c.Peer().Type)) }
	if l.flapping {
		l.lasts = time.AfterFunc(lasts, say)
		return
	}
	l.down, l.refused = false, false
	say()
}

func (l *dialLog) failed(err error) {
	refused := errors.Is(err, ErrRejected) || errors.Is(err, ErrProtocol) || errors.Is(err, errNoBytes)
	if !l.down || refused && !l.refused { // that somebody is there and does not want us is news
		l.down = true
		l.refused = l.refused || refused
		l.log.Warn("cannot connect, trying again", "reason", err)
	}
}

// ended is called when a connection ended, for whatever reason; lost if it wasn't our doing.
func (l *dialLog) ended() {
	if l.lasts != nil {
		l.lasts.Stop()
		l.lasts = nil
	}
}

func (l *dialLog) lost(lasted time.Duration, brief bool, reason error) {
	switch {
	case !brief, !l.brief:
		l.brief = brief
		l.down, l.refused, l.flapping = false, false, false
		l.log.Info("connection lost", "lasted", lasted.Round(time.Millisecond), "reason", reason)
	case !l.flapping:
		l.flapping = true
		l.log.Warn("connection ended at once, trying again", "reason", reason)
	}
}
