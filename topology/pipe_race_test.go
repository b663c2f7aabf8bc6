//go:build race

package topology_test

const slowly = 10 // how many times longer things take
