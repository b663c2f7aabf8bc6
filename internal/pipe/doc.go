// Package pipe is the engine of acknowledged pipelines: what gives tasks out and what takes them, in one process or over
// sockets of package mailbox, by the protocol in topology/PIPE.md. It knows of bodies, not of types.
//
// A [Producer] keeps tasks until they are done. It gives them to consumers that have asked for them by credit, gives out
// again those of consumers that failed or are gone, and tells consumers which sources have ended. A [Consumer] hands out
// what comes from all its producers, one task at a time, in turn; asks for as much as it can do in a moment; and says what
// became of each. [Connect] connects the two in one process; [Give] and [Take] put each at a [Place] on the network.
//
// Locks are taken downstream: a producer's, then its consumer's. What goes upstream, credit and acknowledgements, is said
// without a lock of either.
package pipe
