package curve

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-zeromq/zmq4"

	"github.com/troupe-go/troupe/internal/memnet"
	"github.com/troupe-go/troupe/internal/zmtp"
)

func TestClientThatIsTurnedAwayTriesAgainWithPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		var open atomic.Bool
		scfg := config(zmq4.Router, Server{Key: serverPair, Allow: func(context.Context, Claim) error {
			asked.Add(1)
			if !open.Load() {
				return errors.New("not yet")
			}
			return nil
		}})
		ccfg := config(zmq4.Dealer, goodClient)
		scfg.Network = memnet.New()
		ccfg.Network = scfg.Network
		wait := func(c *zmtp.Conn) { <-c.Done() }
		l, err := zmtp.Listen(t.Context(), scfg, "tcp", "localhost:1", wait)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		connected := make(chan struct{})
		d := zmtp.Dial(ccfg, "tcp", "localhost:1", func(c *zmtp.Conn) { close(connected); wait(c) })
		defer d.Close()
		time.Sleep(time.Minute) // of the bubble's time
		if n := asked.Load(); n < 10 || n > 40 {
			t.Errorf("%d attempts in a minute", n)
		}
		open.Store(true)
		<-connected
	})
}
