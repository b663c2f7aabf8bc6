package topology

import (
	"fmt"
	"os"
	"strings"
)

// draw prints the graph to standard output, as -graph has it.
func (t *Topology) draw(o Options) error {
	o = o.withDefaults()
	t.settle()
	err := t.complete(&o)
	if err == nil {
		_, err = t.plan(o, os.TempDir())
	}
	if err != nil {
		return err
	}
	text := t.Text(o)
	if o.drawing == "mermaid" {
		text = t.Mermaid(o)
	}
	_, err = fmt.Print(text)
	return err
}

// Text draws the graph as text: one line for each edge, with the roles that send on its left, those that receive on its
// right, and where it is if the topology is run as o says.
func (t *Topology) Text(o Options) string {
	var b strings.Builder
	width := 0
	for _, e := range t.edges {
		width = max(width, len([]rune(t.row(e, o))))
	}
	for _, e := range t.edges {
		row := t.row(e, o)
		fmt.Fprintf(&b, "%s%s   %s of %s at %s\n", row, strings.Repeat(" ", width-len([]rune(row))), e.kind, e.carries, t.where(e, o))
	}
	return b.String()
}

// row is an edge between its roles. A call goes from the client to the server.
func (t *Topology) row(e *edge, o Options) string {
	from, to := t.ordered(e)
	return fmt.Sprintf("%s --%s--> %s", t.crowd(from, o), e.name, t.crowd(to, o))
}

// ordered returns an edge's roles in the direction in which its messages, or requests, go.
func (t *Topology) ordered(e *edge) (from, to []*role) {
	if e.kind == service {
		return t.on(e, takes), t.on(e, gives)
	}
	return t.on(e, gives), t.on(e, takes)
}

// crowd names roles and how many instances of each there are. Without any, the other end is a foreign program.
func (t *Topology) crowd(roles []*role, o Options) string {
	if len(roles) == 0 {
		return "(foreign)"
	}
	var all []string
	for _, r := range roles {
		all = append(all, title(r, o))
	}
	return strings.Join(all, ", ")
}

func title(r *role, o Options) string {
	if n := o.instances(r); n > 1 {
		return fmt.Sprintf("%s x%d", r.name, n)
	}
	return r.name
}

// where is the endpoint at which an edge has its sockets, if it has any.
func (t *Topology) where(e *edge, o Options) string {
	if at, ok := o.At[e.name]; ok {
		return at
	}
	return e.endpoint
}

// Mermaid draws the graph in the language of Mermaid, which Markdown viewers show as a picture: roles are boxes, edges
// are rounded.
func (t *Topology) Mermaid(o Options) string {
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	for i, r := range t.roles {
		if r.front == nil { // a front is the service itself
			fmt.Fprintf(&b, "  r%d[\"%s\"]\n", i, title(r, o))
		}
	}
	for i, e := range t.edges {
		fmt.Fprintf(&b, "  e%d([\"%s<br>%s\"])\n", i, e.name, strings.ReplaceAll(t.where(e, o), `"`, "#quot;"))
	}
	for i, e := range t.edges {
		from, to := t.ordered(e)
		for j, r := range t.roles {
			for _, other := range from {
				if other == r {
					fmt.Fprintf(&b, "  r%d --> e%d\n", j, i)
				}
			}
			for _, other := range to {
				if other == r {
					fmt.Fprintf(&b, "  e%d --> r%d\n", i, j)
				}
			}
		}
	}
	return b.String()
}
