package zmtp

import "bytes"

// subscriptions are how ZMTP 3.1's commands start, and what a ZMTP 3.0 peer sends in their place: a message of one
// frame, a byte and the topic.
var subscriptions = []struct {
	command []byte
	first   byte
}{
	{[]byte("\x09SUBSCRIBE"), 1},
	{[]byte("\x06CANCEL"), 0},
}

// subscription returns the message's frame that command p stands for, made of p's memory: nil if it is another command,
// or the peer is none that subscribes.
func (r *reader) subscription(p []byte) []byte {
	if !r.publish {
		return nil
	}
	for _, s := range subscriptions {
		if bytes.HasPrefix(p, s.command) {
			frame := p[len(s.command)-1:]
			frame[0] = s.first
			return frame
		}
	}
	return nil
}
