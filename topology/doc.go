// Package topology declares in code which roles a program has and how they are wired, and lets flags decide where they
// run: all in one process, each in a process of its own, or on several machines. The program stays the same.
//
//	t := topology.New("hello")
//	hello := topology.Service[string, string](t, "hello", "tcp://127.0.0.1:5555", topology.ZMQ(codec.Raw))
//	topology.Server(t, "server", hello, greet)  // func(context.Context, string) (string, error)
//	topology.Client(t, "client", hello, ask)    // func(context.Context, *topology.Caller[string, string]) error
//	topology.Main(t)
//
// # Model
//
// A [Topology] is a graph. An edge (a service, made by [Service]) has a name, an endpoint and the types of what it
// carries. A role (made by [Server] or [Client]) has a name and a function, and is wired to its edges; with [Uses] to
// further ones. What is declared wrongly is found when the topology is run, all at once, each mistake with the name of
// its role or edge; only endpoints that clash are found when they are bound.
//
// # Who binds
//
// One role binds an edge's endpoint, all others of that edge connect to it: the front of a service, a role that is named
// after it and needs no declaration, or, with [ZMQ], its server. [Binds] says so where these rules name none, or the wrong
// one. A role that binds has one instance.
//
// # Where it runs
//
//	hello                                          everything in this process; values are handed over as they are
//	hello -at hello=inproc://x                     the same over a socket at that endpoint
//	hello -processes                               every role instance a child process, over ipc
//	hello -run server                              that role here, at the edge's declared endpoint
//	hello -run client -at hello=tcp://10.0.0.7:5555    that role here, with the server on another machine
//	hello -processes -n client=4                   four clients
//
// An edge's endpoint is the one given by -at, else, with -run, the declared one, else, with -processes, an ipc path of
// that run, else there is none: the edge hands values over inside the process. A service for which no client is declared
// is always at its endpoint, for foreign clients. [Topology.Flags] and [Topology.Run] are
// what [Main] is made of, for programs that want to do the rest themselves.
//
// # When it ends
//
// Servers serve; clients finish. A run ends when every finishing role in this process has returned: then the serving ones
// are stopped. A process that only serves runs until its context ends. The first error (or panic) of a role ends the run
// and is what Run returns. With -processes the parent applies this rule to its children. Once told to end, roles have
// [Options].Grace to do so; what hasn't ended then is left behind with an error, so that Main's process is gone within a
// second of a ctrl-C.
//
// # Promises
//
//   - A [Caller.Call] returns one reply, or an error. A reply to an earlier, abandoned call is never taken for the answer
//     to a later one.
//   - Over a socket a call survives the death of its server, and of the service's front: it is given to another server, or
//     one that is back, until the call's context ends. A request may therefore be executed more than once, unless the edge
//     is declared [AtMostOnce]. Nothing is ever resent by a timer. A server whose process or machine is silent counts as
//     dead after 4 seconds; on a [ZMQ] edge, only one whose connection has ended.
//   - Of the servers of a service that are free the one used least recently gets the next call.
//   - One server instance handles one request at a time. Its panic is an error of that request; it never ends the process.
//   - Start order doesn't matter.
//   - With -processes no child outlives its parent by more than a second, however the parent ends, and the ipc files are
//     removed by whichever process ends last; only if all are killed at once do they stay in the directory for temporary
//     files. A serving child that crashes is started again.
//
// # Not promised
//
//   - On a [ZMQ] edge there is no form for errors: a request whose handler fails gets no reply, and a Call over a socket
//     then waits until its context ends. Inside one process the Call returns the handler's error.
//   - A server that is up but never answers keeps its call: calls have contexts with deadlines for that.
//   - Inside one process values are handed over by reference: neither side may change one after it has let it go.
//   - -processes needs inherited file descriptors and Unix domain sockets, so it is refused on Windows.
package topology
