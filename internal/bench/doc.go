// Package bench compares the mailbox package with libzmq's C and with bare Go, on one machine:
//
//	go -C internal/bench test -run '^$' -bench '^BenchmarkSocket$' .
//	go -C internal/bench test -run '^$' -bench 'Socket/push-pull/tcp/100$' -count 5 .
//
// (Package actors, below it, compares the actors with another framework's.) It needs gcc and libzmq3-dev (Debian's names); without them the libzmq side is skipped. All of it takes about four
// minutes for each -count, on a machine that does nothing else.
//
// # What is measured
//
// Sub-benchmarks are named Socket/<pattern>/<transport>/<size>/<side>. The sides are troupe, libzmq, and raw: what a bare Go
// program does without a socket library, with messages after their lengths through 64 KiB of bufio over net.Conn, one
// flush per message where each is waited for, and over channels of 1000 messages in place of inproc. Sockets have their
// defaults, which are the same: high-water marks of 1000, TCP as the system has it. Every side copies what is sent, gives
// what it received to the receiver to keep (raw, with a new slice for each message: a program that reads them all into the
// same one is two to three times as fast over tcp and ipc), and checks the order of it.
//
//	push-pull       msg/s at the PULL, between the first message and the last
//	req-rep         round trips/s of one REQ
//	pub-sub-all     msg/s at a SUB of everything, with a publisher that drops nothing (Config.NoDrop, ZMQ_XPUB_NODROP)
//	pub-sub-all-5   the same with five, in one process; those of the slowest
//	pub-sub-filter  weather updates per second that a publisher formats and sends, with a SUB of one place in 100,000,
//	                which gets exactly those. Size "weather": the C program formats with snprintf, as the ZeroMQ Guide's
//	                does; "digits": by hand, as fast as the Go programs
//
// Over ipc and tcp the two ends are two processes; over inproc, threads or goroutines of one. None of them is the process
// of the benchmark, which only gives commands (see child.go).
//
// # How
//
// All sides of a case are started, and move messages until it is known how many take a fifth of a second. A figure is from
// five rounds of so many. The sides alternate from round to round, so that ratios are of figures from the same time: the
// machine's speed drifts. Therefore whichever side go test asks for first does the work for all, and -benchtime has no
// effect, and the number of iterations that go test shows no meaning. With -short there is one tiny round, for the
// code and not for figures.
//
// TROUPE_BENCH_PROFILE=<directory> lets troupe's processes write CPU profiles there; the pattern's last name may then
// choose one side alone (-bench 'Socket/push-pull/tcp/100$/troupe').
package bench
