package topology

import "testing"

func TestTheGraphAsText(t *testing.T) {
	want := `buyer x3 --prices--> pricer   service of string -> string at tcp://127.0.0.1:7001
auditor --stock--> keeper     service of string -> string at inproc://s
`
	if got := shop().Text(Options{At: map[string]string{"stock": "inproc://s"}}); got != want {
		t.Errorf("got\n%s", got)
	}
}

func TestTheGraphInMermaid(t *testing.T) {
	want := `flowchart LR
  r0["vent"]
  r1["work x4"]
  r2["sink"]
  e0(["tasks<br>inproc://tasks"])
  e1(["results<br>inproc://results"])
  r0 --> e0
  e0 --> r1
  r1 --> e1
  e1 --> r2
`
	if got := draw("vent - tasks", "work tasks results", "sink results -").Mermaid(Options{Instances: map[string]int{"work": 4}}); got != want {
		t.Errorf("got\n%s", got)
	}
}
