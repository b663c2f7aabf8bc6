// Cluster is three nodes, each a process, that find each other by gossip and can run workers, and a client that starts one
// on each node that it sees and spreads jobs over them. One node is killed and started again while the client goes on. What is printed shows
// where jobs ran, which of them had to be given out again, and that none was lost.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/troupe-go/troupe/node"
	"github.com/troupe-go/troupe/node/gossip"
)

func main() {
	jobs := flag.Int("jobs", 300, "how many jobs there are at least")
	run := flag.String("run", "", "be the node of this name, as the program has itself do")
	bind := flag.String("gossip", "", "where that node gossips")
	seeds := flag.String("seeds", "", "where others gossip, separated by commas")
	flag.Parse()
	slog.SetLogLoggerLevel(slog.LevelWarn)

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var err error
	if *run != "" {
		err = work(*run, *bind, strings.Split(*seeds, ","))
	} else {
		err = direct(ctx, *jobs)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// join starts a node of the cluster.
func join(ctx context.Context, name, bind string, seeds []string) (*node.Node, error) {
	return node.Start(ctx, node.Config{
		Name:   name,
		Listen: []string{"tcp://127.0.0.1:0"},
		Linger: time.Second,
		Discovery: gossip.Discovery{
			Bind:  bind,
			Seeds: seeds,
			Key:   []byte("cluster.example."), // not from the source, elsewhere
			Probe: 300 * time.Millisecond,
		},
	})
}
