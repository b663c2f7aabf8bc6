// Package actor runs actors: message-processing tasks, each with a mailbox, that share nothing and handle one message at
// a time.
//
// A System holds the actors of one process (a node is a System on the network). Spawn starts an actor from a function,
// SpawnNew one with state from a constructor. What Spawn returns, a Ref, is where messages of one type go: Tell hands one
// over, Ask also waits for the reply. A PID is the same without the type; both travel in messages, and a PID of another
// node works like one of this node.
//
// # What there is
//
//	Tell, Ask              a message to an actor; Begin is an Ask that does not keep its actor, and Then what comes of it
//	Reply, ReplyLater      the answer to the Ask in hand, now or from a later turn; Forward hands the Ask on
//	Watch, Link            to be told of the end of another actor, or to share it, wherever it is
//	After, Every           timers whose calls are turns of the actor; ReceiveTimeout calls when no message has come
//	Stash, Become          put a message aside for later; handle messages by another function
//	Urgent                 a Tell that overtakes what is queued
//	Supervise, Restart     how an actor deals with the failures of its children, and when a child is started anew
//	HWM, OnFull, Wait      how much a mailbox holds, and what becomes of more
//	SpawnPool              several actors behind one address, Resize-able
//	RegisterKind, SpawnOn  actors that other nodes may start here, and the way to start one there
//	NewProxy               an actor that stands for one on another node, which it starts, supervised from here
//	Use, Config.Sending    middleware around handlers, and a look at what is sent
//	Subscribe              events: actors started, failed, restarted and stopped, dead letters, full mailboxes
//	Inspect, Tree          what an actor is doing, and all of them
//	Bind, Connect          messages from ZeroMQ sockets
//
// Package actortest has probes for tests of actors.
//
// # What is promised
//
// Tell returns nil if the message was accepted, and an error if it was not. An accepted message is handled (its handler
// returned nil), or becomes exactly one dead letter, or is still queued (the one in hand included). Messages from one
// sender to one actor arrive in the order in which they were sent, each at most once. Mailboxes are bounded: see HWM,
// Wait and OnFull.
//
// An actor handles one message at a time, never before its start hook has returned. It needs no goroutine while it has
// no messages, and a handler that blocks keeps nobody but its own actor from running.
//
// # Failure and supervision
//
// A handler that returns an error or panics has failed: the asker gets the error, the message is one dead letter, and the
// supervisor decides. Every actor is the supervisor of those spawned in its Context, and the System of all others; what it
// does is a Supervision, with OTP's words and rules. By default the actor restarts: its children stop, the stop hook of
// the old value runs, and after a pause the constructor makes a new value and its start hook runs. PID, name and queue
// are kept. A start hook that fails counts like any other failure. Too many failures in too short a time are the parent's
// failure; at the top the actor stops. No panic in a handler, hook or constructor leaves this package.
//
// To say no without failing, reply with an error: return c.Reply(err).
//
// # Stopping
//
// Stop takes its place in the queue: what was told before is handled, what comes later is dead-lettered or refused with
// ErrNoActor. When its ctx ends, only the message in hand is finished. Then the actor's children stop, the last spawned
// first and each within its Shutdown time, then its stop hook runs, then its name is free, then Stop returns.
//
// # Other nodes
//
// What is said here holds for an actor of another node too, unless it says otherwise. Watch and Link are numbered and in
// order with the messages of the two nodes, so the news of an end comes behind the last message. When a node is taken for
// unreachable, or has been restarted, every watch of an actor there ends, with NodeDown, and every link fails; and there,
// what this node's actors had ends in the same way, with the actors that were started from here. Nothing of that is revived
// when the node is reached again: watch anew.
//
// # What it costs
//
// A Tell through a Ref of the type that the actor was spawned for allocates nothing. An actor of an interface type, a Ref[any]
// for one, has each value that is no pointer boxed, which is one allocation of the value's size, and about a third of such a
// Tell's time. An Ask costs two allocations, a Begin some more. An idle actor takes about half a KiB, and a stream of messages
// to one is handled in lots: after a few have come at once, the next may wait for up to three microseconds for more.
//
// # What is not promised
//
//   - Delivery: a Tell that was accepted may still become a dead letter. Whoever needs to know asks.
//   - Isolation by copying: within a process a message is handed over, as with a channel. Config.CopyMessages helps to
//     find code that relies on more.
//   - An end to a handler that doesn't return: it can be told to (its Context ends), not forced.
//   - Survival of Go's own fatal errors, and of panics in goroutines that a handler starts.
package actor
