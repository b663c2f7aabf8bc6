// Package nodes compares messages between two nodes with NATS and with bare Go, in two processes over loopback tcp:
//
//	go -C internal/bench test -run '^$' -bench '^BenchmarkNode$' -count 3 ./nodes
//	go -C internal/bench test -run '^$' -bench '^BenchmarkIdleLinks$' ./nodes
//
// The first takes less than a minute for each -count. Package contest says how it is measured; TROUPE_BENCH_PROFILE works
// here, too.
//
// # What is measured
//
// Sub-benchmarks are named Node/<what>/<side>. The sides are troupe, nats, and raw.
//
//	tell-struct-1to1  msg/s of a struct of four fields, msgpack of 100 bytes by reflection, from the first that is handled
//	                  to the last
//	tell-struct-4to4  the same with four senders, each with a receiver of its own
//	tell-own-1to1     a type with the same fields and methods of its own for msgpack, MarshalMsg and UnmarshalMsg
//	tell-bytes-1to1   a []byte of 100 bytes
//	ask-1             round trips/s of one client; a []byte of 100 bytes is sent back
//	ask-64            the same of 64 clients together
//	bulk-1MB          MB/s in []byte of a million bytes
//
// troupe: the senders are goroutines outside of any actor, each of which tells one actor of the other node, by its name.
// They wait for room in the outbox, where an actor would get ErrFull and have to try again; a Tell from inside of one is no
// faster. Clients are goroutines in the same way.
//
// nats: an embedded server in the process of the receivers, and a connection from each of the processes. A tell is a
// message published for one asynchronous subscription, an ask is a request.
//
// raw: messages after their lengths through 64 KiB of bufio. Each pair of sender and receiver has a connection of its own;
// the 64 clients share one, by the numbers of their messages.
//
// Values are encoded and decoded with package codec by all sides. Every side copies what is sent and gives what it received
// to the receiver to keep. Receivers count the messages and check their order, so one that is lost, doubled or overtaken
// fails the benchmark.
//
// # Flow
//
// Today a mailbox that is full loses what comes from another node, and NATS disconnects a subscriber that is slow. So
// neither is overrun: the receiver says after each lot of messages that they are handled, and the sender is at most four
// lots ahead, which the mailbox has room for (actor.HWM). The lots are so large, 8192 messages or 4 of a million bytes,
// that this is next to no work. For raw, tcp does it.
//
// # Idle links
//
// BenchmarkIdleLinks has a thousand nodes, in another process, link to one node, and reports how much memory (heap and
// stacks) each link takes there when nothing happens on it.
package nodes
