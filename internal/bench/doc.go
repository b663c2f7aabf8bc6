// Package bench compares the mailbox package with libzmq's C and with bare Go, on one machine:
//
//	go -C internal/bench test -run '^$' -bench '^BenchmarkSocket$' .
//	go -C internal/bench test -run '^$' -bench 'Socket/push-pull/tcp/100$' -count 5 .
//
// It needs gcc and libzmq3-dev (Debian's names); without them the libzmq side is skipped. All of it takes about four
// minutes for each -count, on a machine that does nothing else. Package contest says how it is measured.
//
// Package actors, below it, compares the actors with another framework's, and package nodes messages between nodes with
// NATS and with bare Go.
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
// of the benchmark.
package bench
