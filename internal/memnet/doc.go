// Package memnet is a network in memory: buffered streams that behave like sockets, and a Network of named addresses
// on which to listen and to dial.
//
// It has two uses. The process-wide inproc namespace is a Network. And tests put the layers above on a Network of their
// own, with "tcp" and "unix" addresses that exist nowhere else and with connections that can be cut, stalled and
// delayed. Everything waits on a sync.Cond, a channel or a time.AfterFunc, so all of it works inside testing/synctest;
// net.Pipe, being unbuffered, deadlocks when both sides write first, as ZMTP does.
//
// The two ends of an in-process stream can also exchange a value (Attach, Attached): how inproc sockets hand messages
// over without turning them into bytes.
package memnet
