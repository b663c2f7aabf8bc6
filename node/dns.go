package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"
)

// DNS is a [Discovery] by a host name that has the addresses of all nodes, such as a headless service in Kubernetes. All
// nodes listen on one tcp port. The name is looked up again and again; the address of the node itself may be among those
// found.
//
// While the name cannot be looked up the addresses found last stay, and it is tried again every second at first, later
// every half minute. A name that does not exist, or not yet, has no addresses.
type DNS struct {
	// Name is the host name.
	Name string
	// Port is the one that the nodes listen on.
	Port int
	// Every is how often the name is looked up. Default: 30 s.
	Every time.Duration
	// Resolver looks it up. Default: net.DefaultResolver.
	Resolver interface {
		LookupHost(ctx context.Context, host string) (addresses []string, err error)
	}
}

const (
	defaultEvery  = 30 * time.Second
	lookUpTimeout = 10 * time.Second
)

// Check refuses what cannot be looked up.
func (d DNS) Check(Info) error {
	switch {
	case d.Name == "":
		return fmt.Errorf("%w: Discovery: DNS has no Name", ErrConfig)
	case d.Port < 1 || d.Port > 65535:
		return fmt.Errorf("%w: Discovery: DNS has the Port %d, it is a number from 1 to 65535", ErrConfig, d.Port)
	case d.Every < 0:
		return fmt.Errorf("%w: Discovery: DNS cannot have a negative Every", ErrConfig)
	}
	return nil
}

// Discover looks the name up until ctx ends or a look-up fails.
func (d DNS) Discover(ctx context.Context, _ func() Info, found func([]Info)) error {
	setDefault(&d.Every, defaultEvery)
	if d.Resolver == nil {
		d.Resolver = net.DefaultResolver
	}
	for {
		addresses, err := d.lookUp(ctx)
		var unknown *net.DNSError
		if err == nil || errors.As(err, &unknown) && unknown.IsNotFound {
			found(d.infos(addresses))
		}
		if err != nil {
			return fmt.Errorf("node: %w", err)
		}
		if !sleep(ctx, d.Every) {
			return nil
		}
	}
}

func (d DNS) lookUp(ctx context.Context) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, lookUpTimeout)
	defer cancel()
	return d.Resolver.LookupHost(ctx, d.Name)
}

func (d DNS) infos(addresses []string) []Info {
	list := make([]Info, len(addresses))
	for i, a := range addresses {
		list[i].Endpoints = []string{"tcp://" + net.JoinHostPort(a, strconv.Itoa(d.Port))}
	}
	return list
}

var _ Discovery = DNS{}
