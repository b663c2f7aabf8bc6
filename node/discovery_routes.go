package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/troupe-go/troupe/internal/zmtp"
	"github.com/troupe-go/troupe/mailbox"
)

// routes is a network on which every address is that of one node: dialling it tries the node's endpoints in turn. Each
// time it begins with the one after that which was reached last, unless a link came of that.
type routes struct {
	network mailbox.Network // nil: this machine's

	mu   sync.Mutex
	list []mailbox.Endpoint
	next int              // index of the first to be tried
	last mailbox.Endpoint // reached last
}

const (
	dialTime    = 10 * time.Second // for all endpoints together
	minDialTime = time.Second      // for each of them
)

var errNoRoute = errors.New("node: no endpoint is known")

// set changes the endpoints, and reports whether there are any.
func (r *routes) set(list []mailbox.Endpoint) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Equal(list, r.list) {
		r.list, r.next = list, 0
	}
	return len(list) > 0
}

// stay lets the endpoint that was reached last be tried first the next time.
func (r *routes) stay() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := slices.Index(r.list, r.last); i >= 0 {
		r.next = i
	}
}

// turn returns the endpoints in the order in which they are to be tried.
func (r *routes) turn() []mailbox.Endpoint {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Concat(r.list[r.next:], r.list[:r.next])
}

// reached notes that e was.
func (r *routes) reached(e mailbox.Endpoint) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last = e
	if i := slices.Index(r.list, e); i >= 0 {
		r.next = (i + 1) % len(r.list)
	}
}

func (r *routes) texts() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return texts(r.list)
}

// kind returns the network that all endpoints are of, or tcp.
func (r *routes) kind() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.list {
		if e.Network != r.list[0].Network {
			return "tcp"
		}
	}
	if len(r.list) == 0 {
		return "tcp"
	}
	return r.list[0].Network
}

// Dial connects to the first endpoint that can be reached. One that keeps it waiting has its share of the time.
func (r *routes) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	network := r.network
	if network == nil {
		network = zmtp.Machine{}
	}
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	end, _ := ctx.Deadline()
	list := r.turn()
	if len(list) == 0 {
		return nil, errNoRoute
	}
	var errs []error
	for i, e := range list {
		share := max(minDialTime, time.Until(end)/time.Duration(len(list)-i))
		one, cancel := context.WithTimeout(ctx, share)
		conn, err := network.Dial(one, e.Network, e.Address)
		cancel()
		if err == nil {
			r.reached(e)
			return conn, nil
		}
		errs = append(errs, fmt.Errorf("%s: %w", e, err))
		if ctx.Err() != nil {
			break
		}
	}
	return nil, errors.Join(errs...)
}

// Listen is not for links that are dialled.
func (r *routes) Listen(context.Context, string, string) (net.Listener, error) {
	return nil, errors.ErrUnsupported
}
