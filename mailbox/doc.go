// Package mailbox is ZeroMQ sockets: REQ, REP, DEALER and ROUTER over inproc, ipc and tcp, which behave towards any
// ZMTP 3 peer (libzmq 4.0 or newer, and whatever is built on it) as libzmq's do. It moves frames and knows nothing of
// what is in them.
//
// A Socket may be bound at and connected to any number of endpoints, in any order, and peers may come and go at any
// time: Connect dials for ever, and what was sent meanwhile waits, up to a high-water mark per peer. The patterns:
//
//	REQ     sends a request to its peers in turn and receives that peer's reply, strictly alternating
//	REP     receives requests from its peers in turn and replies to the one received last, strictly alternating
//	DEALER  sends to its peers in turn, receives from them in turn
//	ROUTER  like REP without the alternation: a message's first frame is the identity of the peer it is from or for
//
// Two sockets of one process that are connected over inproc hand each other's messages over without making bytes of
// them.
//
// # What is promised
//
// A message arrives whole or not at all. Messages from one socket to one peer arrive in the order in which they were
// sent. Send returning nil means that the message is queued, or written, not that it arrived. Queued messages survive
// the loss of a connection that Connect made; those that had been written to it may be lost with it. A REQ finds that
// out (ErrPeerLost); the other patterns have no replies that could be missed.
//
// No peer, whether slow, silent, dead or hostile, delays another or makes the process crash or grow: handshakes have a
// deadline, messages a largest size, queues a bound, what is received one in bytes too (Config.MaxMessage), and a peer
// whose queue is full is passed over. What breaks the protocol ends its own connection, with a line in the log that says
// why.
//
// # What is not
//
//   - Delivery: whoever needs to know that a message was handled lets the other side reply.
//   - REQ is strict, as libzmq's without ZMQ_REQ_RELAXED: a request can't be given up. Close the socket and make another.
//     Unlike libzmq's, it does not wait for ever for a reply whose connection is gone, and never takes another peer's.
//   - What a ROUTER or DEALER sends is bounded by number alone: a peer that reads nothing keeps up to SendHWM messages.
//   - REP is strict, as libzmq's: it replies to a request before it receives the next, or says so with Skip.
//   - ROUTER refuses a peer whose identity another connected peer has (ZMQ_ROUTER_HANDOVER off), and drops messages to
//     identities that nobody has (ZMQ_ROUTER_MANDATORY off). Dropped counts them.
//   - Encryption and authentication: the mechanism is NULL. Keep the port where everybody may talk to it.
//
// # Not supported
//
//	other socket types (PUB, PUSH, PAIR, ...)   New fails with ErrUnsupported
//	udp, pgm, epgm, norm, vmci, ws, wss, tipc   refused by ParseEndpoint, which says what to write instead
//	interface names (tcp://eth0:5555)           write the interface's address, or *
//	source addresses (tcp://src:0;dst:5555)     write tcp://dst:5555
//	ipc://*                                     write a path, or ipc://@name on Linux
//	peers that speak ZMTP 1.0 or 2.0            refused in the handshake (libzmq before 4.0)
//	unbinding and disconnecting one endpoint    Close ends them all
//	unlimited queues (HWM 0 in libzmq)          0 is the default of 1000
package mailbox
