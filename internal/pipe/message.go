package pipe

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Protocol is the name and version of what is specified in topology/PIPE.md.
const Protocol = "troupe-pipe/1"

// The commands: the first frame of every message.
const (
	cmdHello  = "HELLO"
	cmdTask   = "TASK"
	cmdCredit = "CREDIT"
	cmdDone   = "DONE"
	cmdBack   = "BACK"
	cmdFail   = "FAIL"
	cmdEnd    = "END"
	cmdGone   = "GONE"
	cmdBye    = "BYE"
)

// Sides are which way tasks go.
const (
	sideGives = "gives"
	sideTakes = "takes"
)

const (
	maxName   = 255  // bytes of an edge's, role's or worker's name
	maxText   = 4096 // bytes of a reason; what is longer is cut
	maxNumber = 1 << 53
)

// message is a message of the protocol, checked. What is in it shares memory with the frames.
type message struct {
	command  string
	protocol string // of HELLO
	edge     string
	side     string
	name     string     // and of END: a role's
	limit    int64      // of CREDIT
	ids      []ID       // of DONE, BACK, FAIL (one), END and GONE
	tasks    []wireTask // of TASK
	text     string     // of FAIL and BYE
}

type wireTask struct {
	id      ID
	attempt int
	body    []byte
}

// errUnknown is returned for commands of later versions, which are ignored.
var errUnknown = errors.New("unknown command")

// parse reads a message into m, whose slices it uses again.
func (m *message) parse(frames [][]byte) error {
	*m = message{ids: again(m.ids), tasks: again(m.tasks)}
	if len(frames) == 0 {
		return errors.New("a message without frames")
	}
	args := frames[1:]
	switch string(frames[0]) {
	case cmdTask:
		m.command = cmdTask
		return m.parseTask(args)
	case cmdDone:
		m.command = cmdDone
		return m.parseIDs(args)
	case cmdCredit:
		m.command = cmdCredit
		return m.parseCredit(args)
	case cmdBack:
		m.command = cmdBack
		return m.parseIDs(args)
	case cmdFail:
		m.command = cmdFail
		return m.parseFail(args)
	case cmdEnd:
		m.command = cmdEnd
		return m.parseEnd(args)
	case cmdGone:
		m.command = cmdGone
		return m.parseGone(args)
	case cmdHello:
		m.command = cmdHello
		return m.parseHello(args)
	case cmdBye:
		m.command = cmdBye
		if len(args) != 1 {
			return want(cmdBye, "a text", args)
		}
		m.text = clip(args[0])
		return nil
	}
	return errUnknown
}

// again returns the memory of a slice to be used again, unless that is of an unusually large message.
func again[E any](s []E) []E {
	if cap(s) > 2*maxCredit {
		return nil
	}
	return s[:0]
}

func want(command, what string, args [][]byte) error {
	return fmt.Errorf("%s takes %s, not %d frames", command, what, len(args))
}

func (m *message) parseHello(args [][]byte) error {
	if len(args) < 4 {
		return want(cmdHello, "protocol, edge, side and name", args)
	}
	for _, arg := range args[:4] {
		if len(arg) > maxName || !utf8.Valid(arg) {
			return fmt.Errorf("a frame of HELLO is longer than %d bytes or no UTF-8", maxName)
		}
	}
	m.protocol, m.edge, m.side, m.name = string(args[0]), string(args[1]), string(args[2]), string(args[3])
	return nil
}

func (m *message) parseTask(args [][]byte) error {
	if len(args) == 0 || len(args)%3 != 0 {
		return want(cmdTask, "id, attempt and body for each", args)
	}
	for ; len(args) > 0; args = args[3:] {
		if len(args[0]) != idSize {
			return fmt.Errorf("an id of %d bytes, not %d", len(args[0]), idSize)
		}
		attempt, err := number(args[1])
		if err != nil {
			return err
		}
		m.tasks = append(m.tasks, wireTask{idFrom(args[0]), int(attempt), args[2]})
	}
	return nil
}

func (m *message) parseIDs(args [][]byte) error {
	if len(args) != 1 || len(args[0])%idSize != 0 {
		return fmt.Errorf("%s takes one frame of %d bytes for each id", m.command, idSize)
	}
	for b := args[0]; len(b) > 0; b = b[idSize:] {
		m.ids = append(m.ids, idFrom(b))
	}
	return nil
}

func (m *message) parseCredit(args [][]byte) (err error) {
	if len(args) != 1 {
		return want(cmdCredit, "a number", args)
	}
	m.limit, err = number(args[0])
	return err
}

func (m *message) parseFail(args [][]byte) error {
	if len(args) != 2 || len(args[0]) != idSize {
		return want(cmdFail, "an id and a text", args)
	}
	m.ids = append(m.ids, idFrom(args[0]))
	m.text = clip(args[1])
	return nil
}

func (m *message) parseEnd(args [][]byte) error {
	if len(args) != 2 || len(args[0]) != idSize || len(args[1]) > maxName || !utf8.Valid(args[1]) {
		return want(cmdEnd, "an id and a role", args)
	}
	m.ids = append(m.ids, idFrom(args[0]))
	m.name = string(args[1])
	if m.ids[0].Number != endNumber {
		return errors.New("an END with the id of a task")
	}
	return nil
}

func (m *message) parseGone(args [][]byte) error {
	if len(args) != 1 || len(args[0]) != idSize {
		return want(cmdGone, "an id", args)
	}
	m.ids = append(m.ids, idFrom(args[0]))
	return nil
}

// number reads a decimal number.
func number(b []byte) (int64, error) {
	if len(b) == 1 && '0' <= b[0] && b[0] <= '9' {
		return int64(b[0] - '0'), nil
	}
	n, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil || n < 0 || n > maxNumber {
		return 0, errors.New("a number that is none, or too large")
	}
	return n, nil
}

// clip returns a text from a peer as it may be logged.
func clip(b []byte) string {
	if len(b) > maxText {
		b = b[:maxText]
	}
	return strings.ToValidUTF8(string(b), "?")
}
