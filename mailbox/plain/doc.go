// Package plain lets the clients of a mailbox.Socket log in with a name and a password, by PLAIN (RFC 24), as libzmq
// does: each side can be a libzmq socket.
//
// One end of a connection is the server, the other the client, whichever of the two binds:
//
//	server: mailbox.Config{Security: plain.Server{Allow: allow}}
//	client: mailbox.Config{Security: plain.Client{Username: "ada", Password: "..."}}
//
// What is promised: no message arrives from, or goes to, a client that Server.Allow has not let in; and a socket with
// plain.Server or plain.Client talks with nobody over ipc and tcp who does not speak PLAIN. Between sockets of one
// process, over inproc, it is of no effect: nothing leaves the process.
//
// What is not: nothing is encrypted, names and passwords neither. Whoever can read along has them; whoever can get
// between the two ends can do as they like; and a client shows its password to whatever server answers, one whose socket
// binds to whoever connects. PLAIN is for networks that are safe otherwise: Unix sockets, a tunnel. Package curve is
// for the others. A user may claim any identity towards a ROUTER.
package plain
