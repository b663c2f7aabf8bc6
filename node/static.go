package node

import (
	"context"
	"fmt"
)

// Static is a [Discovery] of endpoints that never change, "tcp://10.0.0.7:4000" for instance: nodes whose names need not
// be known, unlike those in Config.Peers. An endpoint of the node itself may be among them, so that all nodes can have
// the same list.
type Static []string

// Check refuses what cannot be dialled.
func (s Static) Check(Info) error {
	list, err := endpoints("Discovery", s)
	if err != nil {
		return err
	}
	for _, e := range list {
		if wildcard(e) {
			return fmt.Errorf("%w: Discovery: %s cannot be dialled: write the host and the port", ErrConfig, e)
		}
	}
	return nil
}

// Discover reports the endpoints, once.
func (s Static) Discover(ctx context.Context, _ func() Info, found func([]Info)) error {
	list := make([]Info, len(s))
	for i, e := range s {
		list[i].Endpoints = []string{e}
	}
	found(list)
	<-ctx.Done()
	return nil
}

var _ Discovery = Static{}
