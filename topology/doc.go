// Package topology declares in code which roles a program has and how they are wired, and lets flags decide where they
// run: all in one process, each in a process of its own, or on several machines. The program stays the same.
//
//	t := topology.New("taskfarm")
//	tasks := topology.Pipe[Task](t, "tasks", "tcp://127.0.0.1:5557")
//	results := topology.Pipe[Result](t, "results", "tcp://127.0.0.1:5558")
//	topology.Source(t, "ventilator", tasks, ventilate) // func(ctx context.Context, emit func(Task) error) error
//	topology.Stage(t, "worker", tasks, results, work)  // func(ctx context.Context, task Task) (Result, error)
//	topology.Sink(t, "sink", results, collect)         // func(ctx context.Context, all iter.Seq[Result]) error
//	topology.Main(t)
//
// # Model
//
// A [Topology] is a graph. An edge has a name, an endpoint and the types of what it carries, and is of one of three kinds:
//
//   - a [Service]: each request of a [Client] is answered by one [Server];
//   - a [Topic]: what a [Publisher] publishes goes to each [Subscriber] that has subscribed to its key;
//   - a [Pipe]: each task that a [Source] sends goes to one of the [Stage]s, and its result on to the next, or to a [Sink].
//
// A role has a name and a function, and is wired to its edges; with [Uses] to further ones. It runs in one or more
// [Instances]. What is declared wrongly is found when the topology is run, all at once, each mistake with the name of its
// role or edge; only endpoints that clash are found when they are bound.
//
// Inside one process an edge hands Go values over. Over sockets it speaks a protocol of Troupe's own, specified in
// SERVICE.md, TOPIC.md and PIPE.md, which acknowledges, numbers and resends what has to be, or, with [ZMQ], plain ZeroMQ,
// for programs in any language that know nothing of Troupe.
//
// # Who binds
//
// One role binds an edge's endpoint, all others of that edge connect to it: the front of a service, a role that is named
// after it and needs no declaration, or, with [ZMQ], its server; the publisher of a topic, or the [Fanout] before it; the
// source of a pipe, else its sink. [Binds] says so where these rules name none, as between two stages, or the wrong one. A
// role that binds has one instance.
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
// is always at its endpoint, for foreign clients. Clients that run apart may be told several endpoints of a service, with
// commas in between: of servers that bind ([Binds]), so that there is no broker between, or of fronts. [Topology.Flags] and [Topology.Run] are
// what [Main] is made of, for programs that want to do the rest themselves.
//
// # When it ends
//
// Clients, subscribers and sinks finish; servers, publishers and stages serve. A run ends when every finishing role in this
// process has returned: then the serving ones are stopped. Where no finishing role runs, sources are those that finish: with
// all that they have sent done. A process that only serves runs until its context ends. The first error (or panic) of
// a role ends the run and is what Run returns; but a stage's or server's concerns its task or request alone. With -processes
// the parent applies this rule to its children.
//
// A run that is told to end, by its context or a signal, stops its sources first. What they have sent is finished, for as
// long as [Options].Drain, and if all of it is, that is no error; a stage whose sources are elsewhere finishes the task in
// hand and gives the others back. All other roles have [Options].Grace to end; what hasn't ended then is left behind with
// an error, so that Main's process is gone within a second of a ctrl-C if nothing is to be finished.
//
// # Pipes
//
//   - A task is done when a [Sink] has handled what became of it, or it is dead; until then its [Source] keeps it. A source
//     keeps at most 1000 that are not done, and over a socket 32 MiB; then emit waits, and a slow sink so slows its sources.
//   - A sink of one instance sees each result once. Of several, the one that gets a result again, after a connection was
//     lost, may not be the one that had it.
//   - A stream ends when as many instances as there are (by -n, which has to be the same everywhere) of every source that
//     leads to a pipe have ended, all their tasks done. Then the sequences of the sinks end. A source that was killed counts
//     when it is started again and comes to its end. Without [Durable] what it had sent and was not done is lost.
//   - Tasks of one source are begun in the order in which they were emitted, but for those that are given out again; with
//     several workers results overtake each other. An [Ordered] pipe keeps the order of each key.
//   - A plain pipe ([ZMQ]) is PUSH and PULL with one frame for each value: nothing of this. Its values may be lost with a
//     worker.
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
//   - At any time one worker has a task. If it fails at it, is killed, or is silent for too long, the task is given to
//     another, which can know of that ([Attempt]), up to a limit ([Retries]); then it is dead ([DeadLetters]). So a task may be
//     executed more than once, but a sink sees its result once, while source and sink live; with package durable also when
//     the source is killed.
//   - A worker gets as many tasks as it does in about a millisecond, or one: a slow one hoards nothing, a late one has work
//     at once. A full pipe slows its source down. The end of the stream comes behind the last result.
//   - When [Inlet.Subscribe] has returned, what is published from then on arrives, unless there is no room for it; who missed
//     something knows how much ([Inlet.Missed]). A slow subscriber costs nobody else anything, unless [NoDrop] is asked for.
//   - Start order doesn't matter.
//   - With -processes no child outlives its parent by more than a second, however the parent ends, and the ipc files are
//     removed by whichever process ends last; only if all are killed at once do they stay in the directory for temporary
//     files. A serving child that crashes is started again.
//
// # Not promised
//
//   - On a [ZMQ] edge there is no form for errors: a request whose handler fails gets no reply, and a Call over a socket
//     then waits until its context ends. Inside one process the Call returns the handler's error. Nor are tasks
//     acknowledged, updates numbered, or the end of a stream told there: a sink counts.
//   - A server that is up but never answers keeps its call: calls have contexts with deadlines for that.
//   - Inside one process values are handed over by reference: neither side may change one after it has let it go.
//   - -processes needs inherited file descriptors and Unix domain sockets, so it is refused on Windows.
package topology
