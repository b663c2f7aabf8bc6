package bench

import (
	"bytes"

	"github.com/troupe-go/troupe/internal/bench/contest"
)

// queueSize is the high-water mark of the sockets.
const queueSize = 1000

// channel is the raw side's link within a process: each end sends to channels and receives from one.
type channel struct {
	out   []chan []byte
	in    chan []byte
	topic []byte
}

// offers are the ends for those that connect.
var offers = make(chan *channel)

func bindChannel(sp contest.Spec) *channel {
	back := make(chan []byte, queueSize)
	c := &channel{in: back}
	if sp.Pattern == "pub-sub-filter" {
		c.topic = topic
	}
	contest.Bound(sp.Endpoint)
	for range sp.Subscribers {
		there := make(chan []byte, queueSize)
		c.out = append(c.out, there)
		offers <- &channel{out: []chan []byte{back}, in: there}
	}
	return c
}

func connectChannel() *channel { return <-offers }

func (c *channel) Send(msg []byte) error {
	if !bytes.HasPrefix(msg, c.topic) {
		return nil
	}
	msg = bytes.Clone(msg)
	for _, out := range c.out {
		out <- msg
	}
	return nil
}

func (c *channel) Recv() ([]byte, error) { return <-c.in, nil }

func (c *channel) Flush() error { return nil }
func (c *channel) Dropped() int { return 0 }
