package topology

import (
	"context"
	"fmt"
	"reflect"

	"github.com/troupe-go/troupe/internal/pubsub"
)

// TopicEdge is a topic: each update of type T that a publisher publishes goes to all subscribers that subscribed to its
// key. It is made by [Topic] and given to [Publisher] and [Subscriber].
type TopicEdge[T any] struct {
	edge   *edge
	key    func(T) string
	origin *TopicEdge[T] // that a Fanout passes on to it; nil: publishers publish on it
}

// topicOptions are those of a topic.
type topicOptions struct {
	noDrop     bool
	lastValues int
	queue      int
}

// Topic declares a topic. Its publisher binds endpoint and its subscribers connect to it, unless options of the run put it
// elsewhere (see the package's "Where it runs").
//
// key returns what an update can be subscribed to by, such as the name of a sensor: at most 1024 bytes, none of them
// zero. It is called for each update that is published and must be quick; nil gives all updates the key "". An update
// whose key nobody has subscribed to costs a call of key and a look-up, and is not encoded.
//
// Over sockets a topic speaks the protocol of TOPIC.md: values are in msgpack, numbered so that a subscriber finds out
// what it missed. With [ZMQ] it is plain PUB and SUB, one frame for each update, which are subscribed to by the bytes that
// it starts with. To be subscribed to by its key, too, an update's encoded form must start with it: a Publish that finds
// otherwise fails. Each update is then encoded, whether somebody wants it or not.
func Topic[T any](t *Topology, name, endpoint string, key func(T) string, opts ...EdgeOption) *TopicEdge[T] {
	typ := reflect.TypeFor[T]()
	e := t.declare(&edge{name: name, kind: topic, endpoint: endpoint, carries: typ.String()}, opts, typ)
	if e.zmq && e.topic.lastValues > 0 {
		t.mistake("topic %s: plain ZeroMQ has no form for a last value cache; leave LastValueCache or ZMQ away", name)
	}
	topic := &TopicEdge[T]{edge: e, key: key}
	e.use = func(in *instance) (any, func(), error) {
		out, err := openOutlet(in, topic)
		if err != nil {
			return nil, nil, err
		}
		return out, out.close, nil
	}
	return topic
}

// NoDrop makes publishers wait until every subscriber that an update is for has room, as long as their contexts allow.
// Without it a subscriber that has no room loses the update, and finds out by [Inlet.Missed]; nobody else notices.
func NoDrop() EdgeOption {
	return only(topic, "NoDrop", func(e *edge) { e.topic.noDrop = true })
}

// LastValueCache lets each publisher keep the last value of up to so many keys, and send it to who subscribes later: new
// subscribers, and those that were disconnected. Beyond that number the key that was published longest ago is forgotten.
// A subscriber that lost updates gets the last value of them. Values are kept as they are, not encoded, so a publisher
// may not change one after it has published it. Plain ZeroMQ has no form for that: a topic with [ZMQ] can't have it, and
// one with [ZMQWhen] has it when that is off.
func LastValueCache(keys int) EdgeOption {
	return only(topic, "LastValueCache", func(e *edge) {
		if keys < 1 {
			e.wrong = append(e.wrong, fmt.Errorf("topic %s: a LastValueCache of %d keys; at least 1 is needed", e.name, keys))
		}
		e.topic.lastValues = keys
	})
}

// HWM sets how many updates may wait for each subscriber, at either end (default 1000): the high-water mark.
func HWM(updates int) EdgeOption {
	return only(topic, "HWM", func(e *edge) {
		if updates < 1 {
			e.wrong = append(e.wrong, fmt.Errorf("topic %s: a HWM of %d updates; at least 1 is needed", e.name, updates))
		}
		e.topic.queue = updates
	})
}

// Publish publishes from a role that [Uses] the topic, as [Outlet.Publish] does for a publisher. The context must be the
// one that the role's function was given, or be made of it; else it fails with [ErrDeclared].
func (p *TopicEdge[T]) Publish(ctx context.Context, v T) error {
	out, ok := ctx.Value(used{p.declared()}).(*Outlet[T])
	if !ok {
		return fmt.Errorf("%w: Publish on a topic with a context that isn't a role's with topology.Uses(it)", ErrDeclared)
	}
	return out.Publish(ctx, v)
}

// declared returns the edge, or nil if Topic didn't make p.
func (p *TopicEdge[T]) declared() *edge {
	if p == nil {
		return nil
	}
	return p.edge
}

// config returns the configuration of an instance's end of the topic.
func (p *TopicEdge[T]) config(in *instance) pubsub.Config {
	o, source := p.edge.topic, p.source().edge
	c := pubsub.Config{Topic: source.name, Hold: o.noDrop, Queue: o.queue, Socket: in.socket(p.edge)}
	if !source.zmq {
		c.LastValues = source.topic.lastValues
	}
	return c
}

// form returns how the topic's values are written.
func (p *TopicEdge[T]) form() pubsub.Form[T] {
	codec := p.edge.codec
	return pubsub.Form[T]{
		Encode: func(dst []byte, v T) ([]byte, error) { return codec.Append(dst, v) },
		Decode: func(b []byte) (v T, err error) { return v, codec.Decode(b, &v) },
		Key:    p.key,
	}
}

// hub returns where publishers and subscribers meet that are all in this process.
func (p *TopicEdge[T]) hub(in *instance) *pubsub.Hub[T] {
	return in.run.hub(p.source().edge, func() any {
		cfg := p.config(in)
		if p.edge.zmq {
			return pubsub.NewHub(cfg, p.form().Encode)
		}
		return pubsub.NewHub[T](cfg, nil)
	}).(*pubsub.Hub[T])
}
