package actor

import (
	"errors"
	"testing"
)

// noted is an asker that notes with what it was failed.
type noted struct{ errs []error }

func (n *noted) reply(any) error { return nil }
func (n *noted) refuse(error)    {}
func (n *noted) fail(err error)  { n.errs = append(n.errs, err) }

// A Reply that is under way when the handler returns, and then finds that it can't be sent, still ends the Ask.
func TestAReplyThatFailsAfterItsHandlerReturnedEndsTheAsk(t *testing.T) {
	own := errors.New("can't be encoded")
	n := new(noted)
	turn := &turn{asker: n}
	err := turn.answer(func(asker) error {
		if waits := turn.end(); waits != nil {
			t.Error("the runtime answers too")
		}
		return own
	})
	if err != own || len(n.errs) != 1 || n.errs[0] != ErrNoReply {
		t.Fatal(err, n.errs)
	}
}
