//go:build !race

package topology_test

const slowly = 1 // how many times longer things take
