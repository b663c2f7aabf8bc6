package node

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/troupe-go/troupe/mailbox"
)

const maxFound = 10_000 // nodes in a list that a Discovery reports

// search keeps a target for each node that the Discovery lists.
type search struct {
	node   *Node
	cancel context.CancelFunc // ends the Discovery; nil if there is none
	wg     sync.WaitGroup     // the Discovery and the targets that dial

	mu      sync.Mutex
	closed  bool                // no report is heeded any more
	targets map[string]*target  // by name, or by endpoints
	faults  map[string]struct{} // of the last report
}

// report is told all the nodes that there are.
func (s *search) report(list []Info) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	wanted := s.checked(list)
	for key, t := range s.targets {
		if wanted[key] == nil {
			t.remove()
			delete(s.targets, key)
		}
	}
	for key, w := range wanted {
		t := s.targets[key]
		if t == nil {
			if t = s.node.newTarget(w.name); t == nil { // the node closes
				return
			}
			s.targets[key] = t
		}
		t.kinds = w.kinds
		if t.routes.set(w.endpoints) && !t.dialling && !t.configured() {
			t.dialling = true
			s.wg.Go(func() { t.run(key) })
		}
	}
}

// listed is a node as a Discovery reports it, checked.
type listed struct {
	name      string
	endpoints []mailbox.Endpoint
	kinds     []string
}

// checked returns the nodes of a list by their keys. What is wrong with them is logged, unless it was in the list before.
func (s *search) checked(list []Info) map[string]*listed {
	before := s.faults
	s.faults = make(map[string]struct{})
	fault := func(info *Info, reason error) {
		text := fmt.Sprint(info.Name, reason)
		if _, known := before[text]; !known {
			s.node.log.Warn("discovery: left out", "name", info.Name, "reason", reason)
		}
		s.faults[text] = struct{}{}
	}
	if len(list) > maxFound {
		fault(&Info{}, fmt.Errorf("node: %d nodes, no more than %d are heeded", len(list), maxFound))
		list = list[:maxFound]
	}
	wanted := make(map[string]*listed, len(list))
	for i := range list {
		info := &list[i]
		if info.Name == s.node.name {
			continue
		}
		if err := checkNode(info.Name); info.Name != "" && err != nil {
			fault(info, err)
			continue
		}
		l := &listed{name: info.Name, kinds: slices.Clone(info.Kinds)}
		for _, text := range info.Endpoints {
			e, err := s.node.dialable(info.Name, text)
			if err != nil {
				fault(info, err)
			} else if !slices.Contains(l.endpoints, e) {
				l.endpoints = append(l.endpoints, e)
			}
		}
		l.add(wanted)
	}
	return wanted
}

// dialable returns the endpoint that text is of a node of that name, or says why that is not to be dialled.
func (n *Node) dialable(name, text string) (mailbox.Endpoint, error) {
	e, err := mailbox.ParseEndpoint(text)
	if err == nil && wildcard(e) {
		err = fmt.Errorf("node: %s cannot be dialled: write the host and the port", e)
	}
	if err == nil {
		err = n.cfg.mayDial(name, e)
	}
	if err == nil {
		n.warn(e)
	}
	return e, err
}

// add adds l to a list by keys. Two of one name are one node.
func (l *listed) add(to map[string]*listed) {
	key := l.name
	if key == "" {
		key = addresses(l.endpoints)
	}
	if key == "" {
		return
	}
	if same := to[key]; same != nil {
		l.endpoints = append(same.endpoints, l.endpoints...)
		l.kinds = append(same.kinds, l.kinds...)
	}
	l.endpoints = l.endpoints[:min(len(l.endpoints), maxList)]
	to[key] = l
}

// addresses is the text form of a list of endpoints.
func addresses(list []mailbox.Endpoint) string { return strings.Join(texts(list), " ") }

func texts(list []mailbox.Endpoint) (texts []string) {
	for _, e := range list {
		texts = append(texts, e.String())
	}
	return texts
}

// self returns how this node wants to be found.
func (n *Node) self() Info {
	return Info{Name: n.name, Endpoints: slices.Clone(n.hello.endpoints), Kinds: n.kinds()}
}

// kinds names what other nodes may have this one spawn.
func (n *Node) kinds() []string { return n.system.Kinds() }

// Nodes returns the nodes that are known by their names at the moment, this one included, in the order of their names:
// those that the Discovery lists, those of Config.Peers, and those that a link leads to. A node that is listed need not
// be reachable. Endpoints and Kinds are those that the Discovery tells, or else what the node itself told when its link
// came up.
func (n *Node) Nodes() []Info {
	known := make(map[string]Info)
	for name, e := range n.cfg.peers {
		known[name] = Info{Name: name, Endpoints: []string{e.String()}}
	}
	n.search.names(known)
	for _, p := range n.peers.all() {
		l := p.present()
		if l == nil {
			continue
		}
		info := known[p.name]
		info.Name = p.name
		if len(info.Endpoints) == 0 {
			info.Endpoints = slices.Clone(l.hello.endpoints)
		}
		if len(info.Kinds) == 0 {
			info.Kinds = slices.Clone(l.hello.kinds)
		}
		known[p.name] = info
	}
	known[n.name] = n.self()
	return slices.SortedFunc(maps.Values(known), func(a, b Info) int { return strings.Compare(a.Name, b.Name) })
}

// names adds the nodes that are listed with a name.
func (s *search) names(known map[string]Info) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.targets {
		if t.name == "" {
			continue
		}
		info := Info{Name: t.name, Endpoints: t.routes.texts(), Kinds: slices.Clone(t.kinds)}
		if len(info.Endpoints) == 0 {
			info.Endpoints = known[t.name].Endpoints
		}
		known[t.name] = info
	}
}

// endpoints returns those that are listed of a node.
func (s *search) endpoints(name string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.targets[name]; t != nil {
		return t.routes.texts()
	}
	return nil
}
