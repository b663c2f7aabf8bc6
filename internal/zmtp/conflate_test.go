package zmtp

import (
	"strconv"
	"testing"
	"testing/synctest"

	"github.com/troupe-go/troupe/internal/memnet"
)

func TestConflatingOutboxKeepsTheNewestAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := NewOutbox(1, 0, nil)
		o.Conflate()
		for i := range 100 {
			if !o.HasRoom() || !o.Send(nil, text(strconv.Itoa(i))) {
				t.Fatal("full")
			}
		}
		if o.Len() != 1 || o.Replaced() != 99 {
			t.Error(o.Len(), o.Replaced())
		}
		a, b := memnet.Pipe()
		c, peer := connect(t, a, b)
		served := serving(o, c)
		if msg, err := peer.Read(); err != nil || string(msg[0]) != "99" {
			t.Error(msg, err)
		}
		synctest.Wait()
		if sent, _ := o.Sent(); sent != 1 || o.Len() != 0 {
			t.Error(sent, o.Len())
		}
		o.Close()
		<-served
		peer.Close()
		c.Close()
		if o.Send(nil, text("x")) || o.Len() != 0 {
			t.Error("sent after Close", o.Len())
		}
	})
}

// What a connection that broke did not take is old once there is something newer.
func TestConflatingOutboxReplacesWhatAConnectionDidNotTake(t *testing.T) {
	o := NewOutbox(0, 0, nil)
	o.Conflate()
	a, b := memnet.Pipe()
	c, _ := raw(t, a, b, 1000)
	c.Close()
	o.Send(nil, text("old"))
	<-serving(o, c)
	o.Send(nil, text("new"))
	a, b = memnet.Pipe()
	c, peer := connect(t, a, b)
	served := serving(o, c)
	if msg, err := peer.Read(); err != nil || string(msg[0]) != "new" || o.Replaced() != 1 {
		t.Errorf("%q %v, %d replaced", msg, err, o.Replaced())
	}
	o.Close()
	<-served
}
