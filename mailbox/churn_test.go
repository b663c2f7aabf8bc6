package mailbox

import (
	"fmt"
	"runtime"
	"testing"
)

// C10: a thousand peers that come, leave what nobody reads, and go, leave no goroutine and no descriptor behind; and if
// they left more than there is room for, so that their connections wait, the end of the socket ends them.
func TestAThousandPeersThatComeAndGoLeaveNothingBehind(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		goroutines, files := runtime.NumGoroutine(), openFiles(t)
		asBefore := func(more int) {
			t.Helper()
			until(t, "all is as before", func() bool {
				return runtime.NumGoroutine() <= goroutines+more && openFiles(t) <= files+more
			})
		}
		router := open(t, Router, Config{RecvHWM: 5})
		bind(t, router, at)
		visit := func(i, messages int) {
			dealer := open(t, Dealer, Config{Identity: fmt.Append(nil, "visitor", i)})
			connect(t, dealer, at)
			for range messages {
				send(t, dealer, "nobody reads this")
			}
			until(t, "it was there", func() bool { return dealer.Stats().Peers[0].Connected })
			dealer.Close(ended())
		}
		for i := range 1000 / 3 {
			visit(i, 3)
		}
		until(t, "all are gone", func() bool { return len(router.Stats().Peers) == 0 })
		asBefore(5)
		for i := range 10 {
			visit(i, 100)
		}
		shut(t, router)
		asBefore(2)
	})
}
