package mailbox

import (
	"errors"
	"strings"
	"testing"
)

func TestOptionsOfOtherPatternsAreRefused(t *testing.T) {
	all := []SocketType{Req, Rep, Dealer, Router, Push, Pull, Pub, Sub, XPub, XSub, Pair}
	for field, c := range map[string]struct {
		cfg Config
		of  string
	}{
		"Identity":   {Config{Identity: []byte("me")}, "REQ DEALER ROUTER"},
		"Immediate":  {Config{Immediate: true}, "REQ DEALER ROUTER PUSH PAIR"},
		"Conflate":   {Config{Conflate: true}, "DEALER PUSH PULL PUB SUB"},
		"Relaxed":    {Config{Relaxed: true}, "REQ"},
		"Correlated": {Config{Correlated: true}, "REQ"},
		"Mandatory":  {Config{Mandatory: true}, "ROUTER"},
		"Handover":   {Config{Handover: true}, "ROUTER"},
		"NoDrop":     {Config{NoDrop: true}, "PUB XPUB"},
		"Verbose":    {Config{Verbose: true}, "XPUB"},
	} {
		for _, typ := range all {
			s, err := New(typ, c.cfg)
			fits := strings.Contains(" "+c.of+" ", " "+string(typ)+" ")
			switch {
			case err == nil:
				s.Close(ended())
				if !fits {
					t.Errorf("%s on a %s is accepted", field, typ)
				}
			case fits:
				t.Errorf("%s on a %s: %v", field, typ, err)
			case !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), "Config."+field) || !strings.Contains(err.Error(), string(typ)):
				t.Errorf("%s on a %s: %v", field, typ, err)
			}
		}
	}
}
