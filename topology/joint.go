package topology

import (
	"context"
	"sync"

	"github.com/troupe-go/troupe/mailbox"
)

// joint is what a role's end of an edge has of a socket.
type joint interface {
	Bind(ctx context.Context, endpoint string) (mailbox.Endpoint, error)
	Connect(endpoint string) error
	Close(ctx context.Context) error
}

// join binds or connects the instance's end of an edge. end closes it: what is queued is still sent, for half of the grace
// that a run has to end in.
func (in *instance) join(at carrier, j joint) (end func(), err error) {
	if at.binds {
		_, err = j.Bind(context.Background(), at.endpoint)
	} else {
		err = j.Connect(at.endpoint)
	}
	end = sync.OnceFunc(func() {
		ctx, cancel := context.WithTimeout(context.Background(), in.run.options.Grace/2)
		defer cancel()
		if err := j.Close(ctx); err != nil {
			in.log.Warn("not all was sent", "err", err)
		}
	})
	if err != nil {
		end()
		return nil, err
	}
	return end, nil
}
