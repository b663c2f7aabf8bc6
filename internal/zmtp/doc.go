// Package zmtp moves messages over one ZMTP 3.1 connection, and makes such connections: it listens, and it dials again
// for as long as it takes.
//
// A Conn is a stream (tcp, unix or in memory) after its handshake. The handshake is zmq4's, run under a deadline over a
// guard that looks at every byte before zmq4 does; what follows it is read and written here. No bytes from a peer make
// this package panic, wait beyond a deadline, or reserve more memory than the peer has sent, give or take one buffer.
// Messages are lists of frames; what is in them is not looked at.
//
// A Batch is messages in their form on the wire, one behind the other: that is how they wait, to be sent and to be
// received, so that many small ones cost no more than a large one.
//
// An Outbox is the bounded queue of what is to be sent to one peer. It outlives connections: what one of them did not
// take goes over the next. Sending never waits for a peer.
//
// Spoken is ZMTP 3.0 and 3.1 (RFC 23 and 37) with the NULL mechanism or that of Config.Security; peers that speak 1.0 or
// 2.0 are refused. PING is answered and its TTL honoured; it is sent for Config.Heartbeat and Ping alone.
package zmtp

import "errors"

// ErrProtocol is wrapped by the errors of Open and Conn.Read if what the peer sent is to blame.
var ErrProtocol = errors.New("zmtp: protocol error")

// ErrRejected is wrapped by the errors of Open and Conn.Read if the peer ended the connection with an ERROR, whose
// reason is in the text.
var ErrRejected = errors.New("zmtp: rejected by the peer")

// ErrClosed is returned by what is used after its Close.
var ErrClosed = errors.New("zmtp: closed")
