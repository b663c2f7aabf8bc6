// Package broker is the engine of services: callers, servers, and the front that they meet at, over a ROUTER and its
// DEALERs. It moves bytes and knows nothing of what is in them. Its protocol is specified in topology/SERVICE.md.
//
// A [Front] gives each call to the server that was used least recently, of those that have room for one; while none has,
// the call waits, and the callers whose calls wait take turns. When a server's connection ends, or it is silent for 4
// seconds, its calls go to others, but for those that may be made once, and for streams of which something has come. A
// call that five servers were lost with is given up.
//
// A [Caller] sends what has no answer again to a front that comes back; a [Server] gives up what it had in hand. Numbers
// of calls are never used twice: an answer to a call that was given up is an answer to none.
//
// A front keeps at most 10,000 calls, and 64 MiB of requests, for each caller, and tells it when there is no room; and as
// much of what a peer doesn't read. No peer delays another. A front is not told of servers that are up but never answer:
// calls have deadlines for that.
package broker
