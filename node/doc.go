// Package node puts an actor system on the network: actors of one process tell and ask actors of another.
//
// A node has a name, unique among the nodes that are connected, and an incarnation, a uuid that is new at every Start.
// Each pair of nodes shares one link: a ZMTP connection over tcp, ipc or inproc, whichever of the two dialled it. What
// travels on it is specified in PROTOCOL.md. A node listens where [Config.Listen] says, dials the nodes in
// [Config.Peers] for as long as it lives, and answers nodes that it cannot dial over the link that they opened. The
// order in which nodes start does not matter, and a node that was restarted is found again.
//
// Nodes that are not in Peers are found by [Config.Discovery]: a list of addresses ([Static]), a host name that has the
// addresses of all nodes ([DNS]), or gossip (package gossip), by which the nodes of a cluster know each other by name.
// [Node.Nodes] returns those that are known, with the kinds of actors that each can spawn.
//
// A PID works wherever it arrives. If nothing is known here of its node, the peers are asked where that is, and it is dialled
// there, until it has had no link for [Config.Expire]; what is told to it waits meanwhile. Peers may be wrong: what they say
// counts only for a node of which nothing else is known, and only endpoints that a Discovery could name are dialled. The node
// that is found there has to give its name, and prove its key if there are keys. Up to 1,000 nodes are found in this way at a
// time. It helps if nodes can be dialled that others are to reach: see [Config.Listen] and [Config.Advertise].
//
// A [Node] is an [actor.Scope]: actors are spawned under it, and Tell and Ask go out from it. An actor of another node is
// addressed as "name@node" ([actor.Named]) or by a PID that came in a message.
//
// # What is promised
//
// Between a sender and a receiver messages keep their order and arrive at most once. Tell does not wait for the network:
// nil means that the message is in the outbox of that peer, where it stays until the other node has acknowledged it, and
// which is bounded by [Config.Outbox]. A connection that breaks loses nothing: it is made again for as long as that takes,
// and goes on where it was, without gaps, doubles or disorder. What cannot be sent within [Config.Expire] is a dead letter
// with the reason "expired". If the other incarnation is gone, or does not come back for as long, or this node ends, what
// was sent and not acknowledged is a dead letter with the reason "unconfirmed": it may have been handled, or not.
// (So is, though both nodes live, what goes over the first link of the two if that is cut before both ends know of it, from a
// node that was restarted, or was dialled at an address of which the Discovery did not say whose it is.)
//
// If the outbox is full, or the mailbox of an actor there, which its node lets this one know, a Tell from outside of an
// actor waits for room, up to [Config.Wait], one from inside does not; then it is [actor.ErrFull]. What is under way when a
// mailbox becomes full is let in, up to as much again; what comes in beyond that is a dead letter there. A node that
// neither this one nor any of its peers knows is [actor.ErrNoNode]: at once if there is nobody to ask, and for a second after
// they were asked in vain; what was told before they had answered, within two seconds, is a dead letter "no such node". A PID of
// an incarnation that is gone is [actor.ErrUnreachable] at once. A value that cannot be encoded is an error to the caller and
// the link never sees it.
//
// A large message, of hundreds of megabytes if [Config.MaxMessage] allows it, goes in parts, and does not hold up others,
// but for those from the same sender to the same receiver, whose order it keeps. (There the name of an actor and its PID
// are two receivers.)
//
// An ask ends with its reply, an error, or its context. It is [actor.ErrUnreachable] if it could not be sent, or was sent
// to an incarnation that has ended since; through a cut of the connection it goes on waiting, and so does one that is
// still queued when the other node is restarted and names its target.
//
// A peer that gives no sign of life for [Config.Down], though it is asked for one, is down: [actor.PeerDown] is published,
// and those who watch its actors hear of it. [Node.Peers] says how things are.
//
// A node keeps its name for as long as its link lives: another node that claims the name is refused, and says so in its
// log. When the link is silent for two seconds while its name is claimed, the newcomer gets it.
//
// Bytes from the network cannot stop a node: a connection that breaks the protocol is closed, one log line says why, and
// other links do not notice.
//
// # Security
//
// With [Config.Security] the links over tcp and ipc are encrypted, and nodes know each other by their keys: each has a
// pair of them ([curve.NewKeyPair]), keeps the secret one to itself ([curve.KeyPair.Secret] is its text form), and has the
// public ones of the nodes that it is to be linked with, bound to their names. Whoever can't prove to have a key of the
// node that it says it is gets no further than the handshake, whichever of the two dials: no message of it is read, and
// none goes to it. The logs of both say why. To change a node's key give the others the new one beside the old one
// first, and then restart the node with it.
//
// Nodes that trust each other may share one pair, as one would a password: [Security.Others] then returns its public key
// for every name.
//
// Without it links are plain: whoever reaches a node's port can be any node, and tell and ask any actor there that has a
// name or whose PID it came to know. So a plain node listens at, and dials, inproc, ipc and loopback endpoints only, unless
// [Config.Insecure] says that the network itself keeps strangers out. The actors of a node are those that its program has
// spawned: the library has none of its own that could be addressed.
//
// Either way a peer that has not said who it is can send no more than 32 KiB at a time, for ten seconds, and there are no
// more than 1024 such peers at once. At most 10,000 nodes can be known that are not in [Config.Peers].
package node
