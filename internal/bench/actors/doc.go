// Package actors compares Troupe's actors with those of Proto.Actor, the fastest of the other frameworks for Go at most of
// this: the same work is done by both in turn, in one process.
//
//	go -C internal/bench test -run '^$' -bench '^BenchmarkActors$' -count 5 ./actors
package actors
