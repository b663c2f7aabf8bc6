package actor

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write what came out into the transcripts")

// The transcripts say what happens to the children of a supervisor, and below each line, indented, what it does about it.
func TestTranscriptsOfSupervision(t *testing.T) {
	files, err := filepath.Glob("testdata/supervision/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := transcribe(t, string(want))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if got != string(want) {
				t.Fatalf("got:\n%s", got)
			}
		})
	}
}

// play is a supervisor, its children, and what was decided about them.
type play struct {
	rules  Supervision
	ledger ledger
	names  []string
	types  []RestartType
}

var (
	strategies   = map[string]Strategy{"one_for_one": OneForOne, "one_for_all": OneForAll, "rest_for_one": RestForOne}
	restartTypes = map[string]RestartType{"permanent": Permanent, "transient": Transient, "temporary": Temporary}
	decisions    = map[string]Decision{"resume": DecideResume, "restart": DecideRestart, "stop": DecideStop, "escalate": DecideEscalate}
)

func transcribe(t *testing.T, script string) string {
	var out strings.Builder
	p := new(play)
	for line := range strings.Lines(script) {
		if strings.HasPrefix(line, "  ") {
			continue
		}
		out.WriteString(line)
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || words[0] == "#":
		case words[0] == "supervisor":
			p.rules = supervisor(t, words[1:])
		case words[0] == "child":
			p.names, p.types = append(p.names, words[1]), append(p.types, restartTypes[words[2]])
		default:
			fmt.Fprintf(&out, "  %s\n", p.happens(t, words))
		}
	}
	return out.String()
}

func supervisor(t *testing.T, words []string) (s Supervision) {
	s.Strategy = strategies[words[0]]
	decided := map[string]Decision{}
	for _, word := range words[1:] {
		key, value, _ := strings.Cut(word, "=")
		var err error
		switch key {
		case "intensity":
			s.Intensity, err = strconv.Atoi(value)
		case "period":
			s.Period, err = time.ParseDuration(value)
		case "backoff":
			s.Backoff, err = time.ParseDuration(value)
		case "max":
			s.MaxBackoff, err = time.ParseDuration(value)
		default:
			decided[key] = decisions[value]
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	s.Decide = func(err error) Decision { return decided[err.Error()] }
	s, err := s.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// happens is "2s reader fails boom", "2s reader can't start boom", or "2s reader stops".
func (p *play) happens(t *testing.T, words []string) string {
	at, err := time.ParseDuration(words[0])
	if err != nil {
		t.Fatal(err)
	}
	f := failure{among: p.types, running: words[2] == "fails"}
	for i, name := range p.names {
		if name == words[1] {
			f.child = i
		}
	}
	if words[2] != "stops" {
		f.err = errors.New(words[len(words)-1])
	}
	f.wish = p.rules.decide(f.err)
	now := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(at)
	v := p.rules.judge(&p.ledger, now, f, 0)
	switch v.what {
	case DecideResume:
		return "resume"
	case DecideStop:
		return "stop"
	case DecideEscalate:
		return "escalate"
	}
	text := fmt.Sprintf("restart after %v: %s", v.pause, p.list(v.again))
	if len(v.gone) > 0 {
		text += "; for good stops: " + p.list(v.gone)
	}
	return text
}

func (p *play) list(places []int) string {
	var names []string
	for _, i := range places {
		names = append(names, p.names[i])
	}
	return strings.Join(names, " ")
}

func TestAPauseIsShortenedByUpToHalf(t *testing.T) {
	s := Supervision{Backoff: time.Second, MaxBackoff: time.Minute}
	for random, want := range map[float64]time.Duration{0: 4 * time.Second, 0.5: 3 * time.Second, 0.999: 2002 * time.Millisecond} {
		if got := s.pause(2, random); got != want {
			t.Errorf("%v: %v", random, got)
		}
	}
}

func TestADecisionThatPanicsIsARestart(t *testing.T) {
	s := Supervision{Decide: func(error) Decision { panic("decide") }}
	if got := s.decide(errGoexit); got != DecideRestart {
		t.Fatal(got)
	}
	s.Decide = func(error) Decision { runtime.Goexit(); return DecideStop }
	if got := s.decide(errGoexit); got != DecideRestart {
		t.Fatal(got)
	}
	s.Decide = func(error) Decision { return 99 }
	if got := s.decide(errGoexit); got != DecideRestart {
		t.Fatal(got)
	}
}
