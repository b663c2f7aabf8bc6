// Package contest measures the same work of several sides in turn, for benchmarks: each side of a case is one or two
// processes, started from the benchmark's program itself or from another one, and the benchmark's process only gives
// commands (see child.go).
//
// All sides of a case are started, and move messages until it is known how many take a fifth of a second. A figure is from
// five rounds of so many. The sides alternate from round to round, so that ratios are of figures from the same time: the
// machine's speed drifts. Therefore whichever side go test asks for first does the work for all, and -benchtime has no
// effect, and the number of iterations that go test shows no meaning. With -short there is one tiny round, for the
// code and not for figures.
//
// TROUPE_BENCH_PROFILE=<directory> lets the processes of the side that is called troupe write CPU profiles there; the
// pattern's last name may then choose that side alone (-bench 'Socket/push-pull/tcp/100$/troupe').
package contest
