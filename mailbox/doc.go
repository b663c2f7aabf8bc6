// Package mailbox is ZeroMQ sockets: all of ZeroMQ's stable patterns over inproc, ipc and tcp. Towards any ZMTP 3 peer
// (libzmq 4.0 or newer, and whatever is built on it) they behave as libzmq's do. A Socket moves frames and knows nothing
// of what is in them.
//
// # The patterns
//
// A socket is of a type, which says with which others it talks and who gets what it sends:
//
//	REQ   - REP          a request, then its reply, strictly in turn; a REQ with several peers asks them in turn
//	DEALER, ROUTER       the same without the strictness: a DEALER sends at any time, to its peers in turn; a ROUTER
//	                     gets each message with the identity of its sender as first frame, and sends to the one whose
//	                     identity the first frame is. REQ talks to ROUTER too, DEALER to REP, and both to each other
//	PUSH  - PULL         a pipeline: each message goes to one of the workers, in turn, passing over the busy ones
//	PUB   - SUB          each message goes to every subscriber of what its first frame starts with
//	XPUB  - XSUB         the same, with the subscriptions as messages: what a broker between PUBs and SUBs is made of
//	PAIR  - PAIR         both ways between exactly two
//
// Who knows ZeroMQ starts here: New makes a socket of a type, with Config for the options; Bind and Connect take
// endpoints as libzmq writes them; Send takes the frames of one message and Recv returns them, and both take a context
// for what are flags and timeouts there (an ended context is ZMQ_DONTWAIT). Subscribe and Unsubscribe are methods,
// Monitor is zmq_socket_monitor, Proxy is zmq_proxy_steerable. There is no context object, and a Socket may be used from
// any goroutine. Close lingers for 5 seconds unless told otherwise.
//
// Who does not: a server binds and a client connects, but any socket may do either, to any number of endpoints, in any
// order. Peers come and go as they like. Connect dials for ever, and what was sent meanwhile waits, up to a high-water
// mark for each peer. Start with REQ and REP, use PUSH and PULL to spread work, PUB and SUB to tell many, and DEALER and
// ROUTER once a strict turn is too little.
//
// Two sockets of one process that are connected over inproc hand each other's messages over without making bytes of
// them.
//
// # What is promised
//
// A message arrives whole or not at all. Messages from one socket to one peer arrive in the order in which they were
// sent. Send returning nil means that the message is queued, or written, not that it arrived. Queued messages survive
// the loss of a connection that Connect made; those that had been written to it may be lost with it. A REQ finds that
// out (ErrPeerLost); the other patterns have no replies that could be missed. What a socket drops is counted, with the
// reason, in Stats.
//
// Subscribe returns when the subscription is active at every connected publisher that can say so (libzmq 4.2 and newer),
// and a connection that was lost counts as made again only when all subscriptions are there again. WaitSubscribers tells
// a publisher when to begin.
//
// No peer, whether slow, silent, dead or hostile, delays another or makes the process crash or grow: handshakes have a
// deadline, messages a largest size, queues a bound, in number and in bytes (Config.MaxMessage), and a peer whose queue is
// full is passed over. What breaks the protocol ends its own connection, with a line in the log that says why.
//
// # What is not
//
//   - Delivery: whoever needs to know that a message was handled lets the other side reply.
//   - Security, unless Config.Security has a value of package mailbox/curve (encryption, and keys on both sides) or
//     mailbox/plain (a password in clear text). Without, keep a port where everybody may talk to it.
//   - A REQ does not wait for ever for a reply whose connection is gone, and never takes another peer's. Otherwise it is as
//     strict as libzmq's unless Config.Relaxed is set.
//   - A PUB drops messages for a subscriber whose queue is full, unless Config.NoDrop is set.
//   - Matching is by prefix, as in ZeroMQ: who subscribes to "tx" gets "tx_trytes" too.
//   - A peer that this socket does not receive from, because Recv is not called and its queue is full, gets no answer to
//     its heartbeats either, as with libzmq.
//
// # Not supported
//
//	draft socket types (CLIENT, RADIO, ...), STREAM   New fails with ErrUnsupported
//	udp, pgm, epgm, norm, vmci, ws, wss, tipc         refused by ParseEndpoint, which says what to write instead
//	interface names (tcp://eth0:5555)                 write the interface's address, or *
//	source addresses (tcp://src:0;dst:5555)           write tcp://dst:5555
//	ipc://*                                           write a path, or ipc://@name on Linux
//	peers that speak ZMTP 1.0 or 2.0                  refused in the handshake (libzmq before 4.0)
//	GSSAPI; SOCKS proxies; ZAP over inproc            the authenticator is a function
//	unlimited queues (HWM 0 in libzmq)                0 is the default of 1000
package mailbox
