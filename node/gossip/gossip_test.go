package gossip

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/troupe-go/troupe/internal/logtest"
	"github.com/troupe-go/troupe/node"
)

// trio starts alpha, and beta and gamma which know only alpha.
func trio(t *testing.T, d Discovery) (alpha, beta, gamma player) {
	t.Helper()
	alpha = enter(t, "alpha", d)
	d.Seeds = []string{alpha.at}
	beta, gamma = enter(t, "beta", d), enter(t, "gamma", d)
	for _, p := range []player{alpha, beta, gamma} {
		p.sees(t, "alpha beta gamma")
	}
	return alpha, beta, gamma
}

var key = []byte("0123456789abcdef")

func TestNodesThatKnowOneSeedTalkToEachOtherByName(t *testing.T) {
	alpha, beta, gamma := trio(t, Discovery{Key: key})
	for _, p := range []player{alpha, beta, gamma} {
		for _, other := range []player{alpha, beta, gamma} {
			p.asks(t, other.Name())
		}
		if got, want := p.info("beta").Endpoints, beta.Endpoints()[0].String(); len(got) != 1 || got[0] != want {
			t.Errorf("%s says that beta is at %v, want %s", p.Name(), got, want)
		}
	}
}

func TestNodeThatIsClosedIsGoneAtOnce(t *testing.T) {
	alpha, beta, gamma := trio(t, Discovery{Probe: time.Second})
	began := time.Now()
	beta.Close(t.Context())
	alpha.sees(t, "alpha gamma")
	gamma.sees(t, "alpha gamma")
	if took := time.Since(began); took > 3*time.Second { // to be found dead takes four seconds
		t.Errorf("it took %v", took)
	}
}

// C26: the node is found dead, comes back under its name at other ports, and both directions work.
func TestNodeThatDiedIsFoundAgainElsewhere(t *testing.T) {
	alpha, _, gamma := trio(t, Discovery{Key: key})
	seeds := []string{alpha.at, gamma.at}
	delta := enter(t, "delta", Discovery{Key: key, Seeds: seeds, rude: true})
	for range 2 {
		old := delta.Endpoints()[0].String()
		alpha.asks(t, "delta")
		delta.Close(t.Context())
		delta = enter(t, "delta", Discovery{Key: key, Seeds: seeds, rude: true})
		for _, p := range []player{alpha, gamma} {
			eventually(t, "delta is found again", func() bool {
				at := p.info("delta").Endpoints
				return p.log.Lines("name=delta address="+delta.at) > 0 && len(at) == 1 && at[0] != old && at[0] == delta.Endpoints()[0].String()
			})
			p.asks(t, "delta")
			delta.asks(t, p.Name())
		}
	}
	delta.Close(t.Context())
	alpha.sees(t, "alpha beta gamma")
	gamma.sees(t, "alpha beta gamma")
}

func TestNodesWithoutTheKeyAreKeptOut(t *testing.T) {
	alpha := enter(t, "alpha", Discovery{Key: key})
	for name, d := range map[string]Discovery{
		"wrong": {Key: []byte("fedcba9876543210")}, "none": {},
	} {
		d.Seeds = []string{alpha.at}
		p := enter(t, name, d)
		eventually(t, name+" says that it is alone", func() bool { return p.log.Lines("no seed answers") == 1 })
		p.sees(t, name)
	}
	right := enter(t, "right", Discovery{Key: key, Seeds: []string{alpha.at}})
	right.sees(t, "alpha right")
	alpha.sees(t, "alpha right")
}

func TestSeedsAreTriedUntilOneIsThere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	later := l.Addr().String()
	l.Close()
	_, port, _ := net.SplitHostPort(later)
	early := enter(t, "early", Discovery{Seeds: []string{"127.0.0.1:1", "localhost:" + port}})
	eventually(t, "it says that it is alone", func() bool { return early.log.Lines("no seed answers") == 1 })
	late := enter(t, "late", Discovery{Bind: later})
	early.sees(t, "early late")
	late.sees(t, "early late")
	late.Close(t.Context())
	early.sees(t, "early")
	enter(t, "late", Discovery{Bind: later})
	early.sees(t, "early late")
	early.asks(t, "late")
}

// Two clusters that do not know each other become one as soon as a seed leads from one into the other.
func TestPartsOfAClusterFindTogether(t *testing.T) {
	a := enter(t, "a", Discovery{Probe: fast / 2})
	b := enter(t, "b", Discovery{Probe: fast / 2, Seeds: []string{a.at}})
	b.sees(t, "a b")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().String()
	l.Close()
	c := enter(t, "c", Discovery{Probe: fast / 2, Seeds: []string{at, a.at}}) // one part
	c.sees(t, "a b c")
	d := enter(t, "d", Discovery{Probe: fast / 2, Bind: at}) // and the other
	e := enter(t, "e", Discovery{Probe: fast / 2, Seeds: []string{d.at}})
	for _, p := range []player{a, b, c, d, e} {
		p.sees(t, "a b c d e")
	}
}

// A cluster whose parts know no seed of each other becomes one again after a cut: here the one seed has gone for good.
func TestPartsWithoutASeedFindTogetherAfterACut(t *testing.T) {
	var cut atomic.Bool
	d := Discovery{Probe: fast / 2, cut: func(string) bool { return cut.Load() }}
	seed := enter(t, "seed", d)
	d.Seeds = []string{seed.at}
	a, b := enter(t, "a", d), enter(t, "b", d)
	a.sees(t, "a b seed")
	b.sees(t, "a b seed")
	seed.Close(t.Context())
	a.sees(t, "a b")
	b.sees(t, "a b")
	cut.Store(true)
	for _, p := range []player{a, b} {
		eventually(t, p.Name()+" finds the other dead", func() bool { return p.log.Lines("gossip: node is gone") == 2 })
	}
	time.Sleep(apart * d.Probe) // so long memberlist itself goes on telling the dead
	cut.Store(false)
	for _, p := range []player{a, b} {
		eventually(t, p.Name()+" finds the other again", func() bool { return p.log.Lines("gossip: node is there") == 4 })
	}
}

func TestSecondNodeOfANameIsLoggedAndNotHeeded(t *testing.T) {
	alpha, beta, _ := trio(t, Discovery{})
	where := beta.Endpoints()[0].String()
	twin := enter(t, "beta", Discovery{Seeds: []string{alpha.at}})
	eventually(t, "alpha says so", func() bool { return alpha.log.Lines("two nodes have one name") == 1 })
	if got := alpha.info("beta").Endpoints; len(got) != 1 || got[0] != where {
		t.Errorf("beta is at %v, want %s", got, where)
	}
	alpha.asks(t, "beta")
	twin.Close(t.Context())
}

func TestNewKindsAreTold(t *testing.T) {
	list := make(chan []node.Info, 100)
	var mu sync.Mutex
	kinds := []string{"worker"}
	self := func() node.Info {
		mu.Lock()
		defer mu.Unlock()
		return node.Info{Name: "solo", Endpoints: []string{"tcp://127.0.0.1:1"}, Kinds: slices.Clone(kinds)}
	}
	alpha := enter(t, "alpha", Discovery{})
	log := new(logtest.Log)
	d := Discovery{Bind: "127.0.0.1:0", Seeds: []string{alpha.at}, Probe: fast, Log: slog.New(slog.NewTextHandler(log, nil))}
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	wg.Go(func() {
		if err := d.Discover(ctx, self, func(l []node.Info) { list <- l }); err != nil {
			t.Error(err)
		}
	})
	has := func(want string) {
		t.Helper()
		eventually(t, "alpha knows of "+want, func() bool { return fmt.Sprint(alpha.info("solo").Kinds) == want })
	}
	has("[worker]")
	mu.Lock()
	kinds = append(kinds, "cook")
	mu.Unlock()
	has("[worker cook]")
	mu.Lock()
	kinds = append(kinds, strings.Repeat("x", memberlist.MetaMaxSize))
	mu.Unlock()
	eventually(t, "the log says that it is too much", func() bool { return log.Lines("no more than 512") == 1 })
	mu.Lock()
	kinds = []string{"porter"}
	mu.Unlock()
	has("[porter]")
	for len(list) > 0 {
		if l := <-list; len(l) > 0 && l[0].Name != "alpha" {
			t.Errorf("found %v", l)
		}
	}
}

func TestStartRefusesWhatCannotBeHonoured(t *testing.T) {
	for name, test := range map[string]struct {
		Discovery
		says string
	}{
		"key":       {Discovery{Key: key[:5]}, "16, 24 or 32"},
		"bind":      {Discovery{Bind: "7946"}, "Bind"},
		"advertise": {Discovery{Advertise: "0.0.0.0:7946"}, "nobody can reach"},
		"probe":     {Discovery{Probe: time.Millisecond}, "Probe"},
		"seed":      {Discovery{Seeds: []string{"alpha"}}, "host:port"},
	} {
		_, err := node.Start(t.Context(), node.Config{Discovery: test.Discovery})
		if !errors.Is(err, node.ErrConfig) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := node.Start(t.Context(), node.Config{Discovery: Discovery{}, Advertise: slices.Repeat([]string{"tcp://alpha.example:4000"}, 20)})
	if !errors.Is(err, node.ErrConfig) || !strings.Contains(err.Error(), "512") {
		t.Errorf("much to tell: %v", err)
	}
}

func TestPortThatIsTakenIsTriedAgain(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	d := Discovery{Bind: l.Addr().String()}
	self := func() node.Info { return node.Info{Name: "alpha"} }
	if err := d.Discover(t.Context(), self, nil); err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Error(err)
	}
}

// Whoever connects and is silent does not keep the node from closing, and there is room for so many only.
func TestSilentStreamsEndWithTheNode(t *testing.T) {
	alpha := enter(t, "alpha", Discovery{Key: key})
	var conns []net.Conn
	for range maxStreams + 10 {
		c, err := net.Dial("tcp", alpha.at)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		conns = append(conns, c)
	}
	ended := make(chan struct{}, len(conns))
	for _, c := range conns {
		go func() {
			c.Read(make([]byte, 1))
			ended <- struct{}{}
		}()
	}
	late := time.After(5 * time.Second) // memberlist itself waits for ten
	next := func(what string) {
		t.Helper()
		select {
		case <-ended:
		case <-late:
			t.Fatal("still open: " + what)
		}
	}
	next("one too many")
	alpha.Close(t.Context())
	for range len(conns) - 1 {
		next("one when the node had been closed")
	}
}
