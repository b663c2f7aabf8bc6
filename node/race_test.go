//go:build race

package node

// racing says that the race detector is on, with which everything takes many times as long.
const racing = true
