package gossip

import (
	"fmt"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/memberlist"
)

func TestAddressesOfNodesThatHaveGoneAreBoundedInNumberAndTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &group{gone: make(map[string]lost)}
		for i := range mostLost + 10 {
			time.Sleep(time.Second)
			g.lose(&memberlist.Node{Name: fmt.Sprint(i), Addr: net.IPv4(10, 0, 0, byte(i)), Port: 1})
		}
		if _, oldest := g.gone["9"]; oldest || len(g.haunts()) != mostLost {
			t.Errorf("%d addresses", len(g.haunts()))
		}
		time.Sleep(lostTime + time.Second)
		if n := len(g.haunts()); n != 0 {
			t.Errorf("%d addresses after a day", n)
		}
	})
}
