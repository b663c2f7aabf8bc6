// Package curve encrypts and authenticates the connections of a mailbox.Socket with CURVE (RFC 26, CurveZMQ), as libzmq
// does: each side can be a libzmq socket.
//
// One end of a connection is the server, the other the client, whichever of the two binds. Both have a pair of long-term
// keys, made by NewKeyPair. A client must know the server's public key; the server is asked, by Server.Allow, whether it
// lets a client's public key in:
//
//	server: mailbox.Config{Security: curve.Server{Key: pair, Allow: allow}}
//	client: mailbox.Config{Security: curve.Client{Key: pair, ServerKey: server}}
//
// What is promised, if the secret keys are kept:
//
//   - No message arrives from, or goes to, a peer that has not proved to have its secret key: the server's is the one
//     that the client was told, the client's one that Allow let in.
//   - Nobody between the two reads what is in messages, and nobody changes, repeats, reorders or inserts any, or parts of
//     them: the connection ends at the attempt. Ending it, at any time, is something that anybody between can do.
//   - Each connection has keys of its own, which die with it: who gets hold of the long-term keys later can't read
//     what was recorded before.
//   - The public key of a client is not to be seen on the wire, except by the server.
//   - A socket with curve.Server or curve.Client talks with nobody over ipc and tcp who does not speak CURVE. Between
//     sockets of one process, over inproc, it is of no effect: nothing leaves the process.
//
// What is not: the number, the times and the sizes of messages are to be seen, and it is not noticed if somebody between
// takes a whole frame out of the stream (CURVE asks for numbers that rise, not for each of them). A client whose key
// Allow lets in may claim any identity, unless Allow looks at it (see Claim). Keys do not expire, and connections that
// are open stay when Allow changes its mind. An ERROR by which a server turns a client away is not authenticated: what
// the log says about that is a hint.
package curve
