// Package node puts an actor system on the network: actors of one process tell and ask actors of another.
//
// A node has a name, unique among the nodes that are connected, and an incarnation, a uuid that is new at every Start.
// Each pair of nodes shares one link: a ZMTP connection over tcp, ipc or inproc, whichever of the two dialled it. What
// travels on it is specified in PROTOCOL.md. A node listens where [Config.Listen] says, dials the nodes in
// [Config.Peers] for as long as it lives, and answers nodes that it cannot dial over the link that they opened. The
// order in which nodes start does not matter, and a node that was restarted is found again.
//
// A [Node] is an [actor.Scope]: actors are spawned under it, and Tell and Ask go out from it. An actor of another node is
// addressed as "name@node" ([actor.Named]) or by a PID that came in a message.
//
// # What is promised
//
// Between a sender and a receiver messages keep their order and arrive at most once. Tell does not wait for the network:
// nil means that the message is in the outbox of that peer, which is bounded by [Config.Outbox]. If that is full a Tell
// from outside of an actor waits for room, up to [Config.Wait], one from inside does not; then it is [actor.ErrFull]. A
// message that cannot be sent within [Config.Expire] is a dead letter with the reason "expired". A node that was never
// heard of is [actor.ErrNoNode], and a PID of an incarnation that is gone is [actor.ErrUnreachable], both at once. A value
// that cannot be encoded is an error to the caller and the link never sees it.
//
// An ask ends with its reply, an error, or its context. It is [actor.ErrUnreachable] if it could not be sent, or was sent
// to an incarnation that has ended since; through a cut of the connection it goes on waiting, and so does one that is
// still queued when the other node is restarted and names its target.
//
// A node keeps its name for as long as its link lives: another node that claims the name is refused, and says so in its
// log. When the link is silent for two seconds while its name is claimed, the newcomer gets it.
//
// Bytes from the network cannot stop a node: a connection that breaks the protocol is closed, one log line says why, and
// other links do not notice.
//
// # What is not promised yet
//
// What was written to a connection that then broke may be lost without a trace: messages are numbered and acknowledged,
// but not yet resent. A peer that stops answering without closing its connection is noticed only when another connection
// claims its name. A full mailbox at the other node does not slow the sender down: what comes in meanwhile is a dead
// letter there. Links are neither encrypted nor authenticated: whoever reaches a node's port can be any node. A listener
// or a peer beyond loopback is logged as a warning.
package node
