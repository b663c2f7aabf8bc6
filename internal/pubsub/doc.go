// Package pubsub is Troupe's own form of publish and subscribe: the two ends of a topic over XPUB and SUB sockets of
// package mailbox, and one for both ends in the same process. It knows keys and bodies, not what is in them. The protocol is
// specified in topology/TOPIC.md.
//
// A [Publisher] sends what somebody has subscribed to, and encodes nothing else. It numbers the updates of each key, so
// that a [Subscriber] finds out which it missed. It can keep the last value of each key for those who come later. A [Hub]
// is both ends in one process, and hands values over as they are.
package pubsub
