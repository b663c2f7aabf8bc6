package node

import (
	"encoding/binary"
	"fmt"
	"net"
	"reflect"
	"strings"
	"sync"

	"github.com/google/uuid"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/codec"
	"github.com/troupe-go/troupe/internal/zmtp"
)

// villain is a peer that can speak ZMTP and has no good in mind.
type villain struct {
	nc   net.Conn
	conn *zmtp.Conn
	name string // each has its own, and may come again
	at   uint64 // seq of the last message
}

// frame makes one of a header, with the next number if it has a kind that is numbered.
func (v *villain) frame(h header, body ...byte) []byte {
	if h.kind > kindPing && h.seq == 0 {
		v.at++
		h.seq = v.at
	}
	return append(appendHeader(nil, &h), body...)
}

// say writes messages; it reports false when the connection has ended.
func (v *villain) say(frames ...[]byte) bool {
	var batch [][][]byte
	for _, f := range frames {
		batch = append(batch, [][]byte{f})
	}
	_, err := v.conn.Write(batch)
	return err == nil
}

func (v *villain) hello(h hello) []byte {
	h.lowest, h.highest, h.node = 1, 1, v.name
	if h.incarnation == uuid.Nil {
		h.incarnation = uuid.New()
	}
	return v.frame(header{kind: kindHello}, appendHello(nil, &h)...)
}

// greet says HELLO and waits for the answer.
func (v *villain) greet() bool {
	if !v.say(v.hello(hello{})) {
		return false
	}
	msg, err := v.conn.Read()
	if err != nil {
		return false
	}
	var h header
	_, err = split(&h, msg, nil)
	return err == nil && h.kind == kindHello
}

// sends the node to look for others, and answers where they are.
func (v *villain) misleads() {
	if !v.say(v.hello(hello{features: []string{featureResolve}})) {
		return
	}
	var mu sync.Mutex
	say := func(h header, body ...byte) bool {
		mu.Lock()
		defer mu.Unlock()
		return v.say(v.frame(h, body...))
	}
	go func() {
		for i := 0; ; i++ {
			ghost := actor.ExactPID(fmt.Sprintf("%s-%d", v.name, i), uuid.New(), 1)
			m := appendStr(appendStr(appendMap(nil, 1), "Who"), ghost.String())
			if !say(header{kind: kindTell, target: toPolite, typ: codec.TypeName(reflect.TypeFor[meet]())}, m...) {
				return
			}
		}
	}()
	for {
		msg, err := v.conn.Read()
		if err != nil {
			return
		}
		var h header
		body, err := split(&h, msg, nil)
		name, bad := readResolve(body)
		if err != nil || h.kind != kindResolve || bad != nil {
			continue
		}
		p := whereabouts{node: name, endpoints: []string{"tcp://127.0.0.1:1", "tcp://" + v.nc.RemoteAddr().String(), "inproc://nobody", "junk"}}
		if _, body, err = readHeader(appendWhereabouts(nil, h.correlation, &p)); err != nil || !say(header{kind: kindNodeInfo, correlation: h.correlation}, body...) {
			return
		}
	}
}

// listen reads until the connection ends.
func (v *villain) listen() {
	for {
		if _, err := v.conn.Read(); err != nil {
			return
		}
	}
}

// always says what next returns for as long as the connection lasts, after a HELLO; and reads what comes back, or does not.
func always(reads bool, next func(v *villain) []byte) func(*villain) {
	return func(v *villain) {
		if !v.greet() {
			return
		}
		if reads {
			go v.listen()
		}
		for ok := true; ok; {
			var frames [][]byte
			for size := 0; size < 16<<10; {
				f := next(v)
				frames, size = append(frames, f), size+len(f)
			}
			ok = v.say(frames...)
		}
	}
}

// then says something after a HELLO, and waits for the end.
func then(frames func(v *villain) [][]byte) func(*villain) {
	return func(v *villain) {
		if v.greet() && v.say(frames(v)...) {
			v.listen()
		}
	}
}

// inTurn does another thing on each connection.
func inTurn(do ...func(*villain)) func(*villain) {
	var mu sync.Mutex
	turn := 0
	return func(v *villain) {
		mu.Lock()
		turn++
		f := do[turn%len(do)]
		mu.Unlock()
		f(v)
	}
}

var (
	toVictim = address{form: byName, name: "victim"} // answers
	toBusy   = address{form: byName, name: "busy"}   // never does
	toPolite = address{form: byName, name: "polite"} // says something to who it is told of
	me       = address{form: byID, id: 9}
	hi       = appendStr(nil, "x")
	much     = appendStr(nil, strings.Repeat("x", 100_000))
)

// script is what villains do, each on one connection after the other.
type script struct {
	name    string
	do      func(v *villain)
	ends    bool // the node ends the connections
	dialled bool // it is also tried on a node that has dialled
}

var scripts = []script{
	// Before the HELLO is accepted.
	{name: "no HELLO", dialled: true, do: (*villain).listen},
	{name: "half a HELLO", do: func(v *villain) {
		f := v.hello(hello{})
		v.nc.Write(append([]byte{0, byte(len(f))}, f[:len(f)/2]...))
		v.listen()
	}},
	{name: "a HELLO that never ends", dialled: true, ends: true, do: func(v *villain) {
		head := binary.BigEndian.AppendUint64([]byte{2}, hostileMax)
		v.nc.Write(append(head, v.hello(hello{})...))
		v.listen()
	}},
	{name: "endless PINGs in place of HELLO", ends: true, do: func(v *villain) {
		for v.say(v.frame(header{kind: kindPing})) {
		}
	}},
	{name: "HELLO with too much in it", ends: true, do: func(v *villain) {
		many := make([]string, 65)
		h := v.hello(hello{endpoints: many, features: many})
		v.say(h)
		v.listen()
	}},
	{name: "HELLO, and away", do: func(v *villain) { v.say(v.hello(hello{})) }},
	{name: "a link, and away", do: func(v *villain) { v.greet() }},
	{name: "a link under another name each time", do: func(v *villain) {
		v.name = "v-" + uuid.NewString()
		v.greet()
	}},
	{name: "another's name", ends: true, do: func(v *villain) {
		v.name = "alpha"
		v.say(v.hello(hello{}))
		v.listen()
	}},
	{name: "a name that nobody expects", ends: true, dialled: true, do: func(v *villain) {
		v.name = "v-" + uuid.NewString()
		v.say(v.hello(hello{}), v.hello(hello{}))
		v.listen()
	}},
	{name: "the node's own name", ends: true, dialled: true, do: func(v *villain) {
		v.name = "beta"
		v.say(v.hello(hello{}))
		v.listen()
	}},

	// What nobody may send.
	{name: "HELLO twice", dialled: true, ends: true, do: then(func(v *villain) [][]byte { return [][]byte{v.hello(hello{}), v.hello(hello{})} })},
	{name: "no header", dialled: true, ends: true, do: inTurn(
		then(func(*villain) [][]byte { return [][]byte{{}} }),
		then(func(*villain) [][]byte { return [][]byte{{0xdd, 0xff, 0xff, 0xff, 0xff}} }),
		then(func(*villain) [][]byte { return [][]byte{[]byte(strings.Repeat("\x91", 100_000))} }),
		then(func(*villain) [][]byte { return [][]byte{appendArray(nil, 9)} }))},
	{name: "fields that are too long", ends: true, do: inTurn(
		then(func(v *villain) [][]byte {
			return [][]byte{v.frame(header{kind: kindTell, target: address{form: byName, name: strings.Repeat("x", maxPath+1)}})}
		}),
		then(func(v *villain) [][]byte {
			return [][]byte{v.frame(header{kind: kindTell, typ: strings.Repeat("x", maxType+1)})}
		}),
		then(func(v *villain) [][]byte {
			return [][]byte{v.frame(header{kind: kindTell, meta: map[string]string{"x": strings.Repeat("x", maxMeta)}})}
		}))},
	{name: "a kind that must be understood", ends: true, do: then(func(v *villain) [][]byte {
		return [][]byte{v.frame(header{kind: 99, flags: mustUnderstand})}
	})},
	{name: "a message that is too large", ends: true, do: func(v *villain) {
		if v.greet() {
			v.nc.Write(append(binary.BigEndian.AppendUint64([]byte{2}, hostileMax+1), "x"...))
			v.listen()
		}
	}},
	{name: "half a large message", dialled: true, do: func(v *villain) {
		if v.greet() {
			v.nc.Write(append(binary.BigEndian.AppendUint64([]byte{2}, hostileMax), make([]byte, hostileMax/2)...))
			v.listen()
		}
	}},
	{name: "more after BYE", do: func(v *villain) {
		if v.greet() && v.say(v.frame(header{kind: kindBye, typ: byeClosing}), v.frame(header{kind: kindTell, target: toVictim, typ: "string"}, hi...)) {
			v.listen()
		}
	}, ends: true},

	// What has no end.
	{name: "unknown kinds", dialled: true, do: always(true, func(v *villain) []byte { return v.frame(header{kind: 200}, hi...) })},
	{name: "kinds of the runtime", do: always(true, func(v *villain) []byte {
		return v.frame(header{kind: []uint64{5, 6, 7, 32, 33, 34, 35, 36, 48, 49, 50, 64}[v.at%12], target: toVictim, sender: me}, hi...)
	})},
	{name: "questions whose answers are not read", dialled: true, do: always(false, func(v *villain) []byte {
		return v.frame(header{kind: kindResolve, correlation: v.at}, appendStr(nil, []string{"alpha", "nobody", "beta"}[v.at%3])...)
	})},
	{name: "questions and answers that are none", ends: true, do: inTurn(
		then(func(v *villain) [][]byte {
			return [][]byte{v.frame(header{kind: kindResolve}, appendStr(nil, "a b")...)}
		}),
		then(func(v *villain) [][]byte { return [][]byte{v.frame(header{kind: kindNodeInfo}, hi...)} }))},
	{name: "where alpha is, which nobody asked", do: always(true, func(v *villain) []byte {
		p := whereabouts{node: "alpha", endpoints: []string{"tcp://127.0.0.1:1"}}
		_, body, _ := readHeader(appendWhereabouts(nil, v.at, &p))
		return v.frame(header{kind: kindNodeInfo, correlation: v.at}, body...)
	})},
	{name: "PIDs of nodes that are said to be everywhere", dialled: true, do: (*villain).misleads},
	{name: "PINGs whose answers are not read", dialled: true, do: always(false, func(v *villain) []byte { return v.frame(header{kind: kindPing}) })},
	{name: "ACKs", do: always(true, func(v *villain) []byte { return v.frame(header{kind: kindAck, ack: v.at}) })},
	{name: "acks of what was never sent", do: always(true, func(v *villain) []byte {
		v.at += 1 << 40
		return v.frame(header{kind: kindAsk, ack: -v.at, target: toVictim, sender: me, typ: "string"}, hi...)
	})},
	{name: "numbers that jump and fall back", do: always(true, func(v *villain) []byte {
		v.at++
		seq := []uint64{1, 1 << 63, 7, 1<<64 - 1, 0}[v.at%5]
		return v.frame(header{kind: kindAsk, seq: seq, target: toVictim, sender: me, typ: "string"}, hi...)
	})},
	{name: "the same message", do: always(true, func(v *villain) []byte {
		return v.frame(header{kind: kindTell, seq: 1, target: toVictim, typ: "string"}, hi...)
	})},
	{name: "answers nobody asked for", do: always(true, func(v *villain) []byte {
		kind := kindReply + v.at%2
		return v.frame(header{kind: kind, target: address{form: byID, id: v.at}, sender: me, correlation: v.at, typ: "string"}, hi...)
	})},
	{name: "names of the maximal length, each another", do: always(true, func(v *villain) []byte {
		name := fmt.Sprintf("%s%0255d", strings.Repeat(strings.Repeat("x", 255)+"/", 3), v.at)
		return v.frame(header{kind: kindTell, target: address{form: byName, name: name}, sender: address{form: byName, name: name}, typ: name}, hi...)
	})},
	{name: "PIDs of nodes that nobody knows", do: always(true, func(v *villain) []byte {
		pid := address{form: whole, node: fmt.Sprintf("%0255d", v.at), incarnation: uuid.New(), id: v.at}
		return v.frame(header{kind: kindAsk, target: pid, sender: pid, typ: "string"}, hi...)
	})},
	{name: "asks on behalf of another", do: always(true, func(v *villain) []byte {
		return v.frame(header{kind: kindAsk, target: toVictim, sender: address{form: whole, node: "alpha", name: "greeter"}, typ: "string"}, hi...)
	})},
	{name: "asks of nobody, on behalf of another", do: always(true, func(v *villain) []byte {
		return v.frame(header{kind: kindAsk, target: address{form: byName, name: "nobody"}, sender: address{form: whole, node: "alpha", name: "greeter"}}, hi...)
	})},
	{name: "asks whose answers are not read", do: always(false, func(v *villain) []byte {
		return v.frame(header{kind: kindAsk, target: toVictim, sender: me, correlation: v.at, typ: "string"}, hi...)
	})},
	{name: "large asks whose answers are not read", dialled: true, do: always(false, func(v *villain) []byte {
		return v.frame(header{kind: kindAsk, target: toVictim, sender: me, correlation: v.at, typ: "string"}, much...)
	})},
	{name: "bodies that cannot be decoded", do: always(true, func(v *villain) []byte {
		body := []string{"\xdd\xff\xff\xff\xff", strings.Repeat("\x91", 10_000), "\xc6\x40\x00\x00\x00", "", "\xc0", "\x81\x81\xa1x\xc3\xc3"}[v.at%6]
		return v.frame(header{kind: kindAsk, target: toVictim, sender: me, typ: []string{"string", "[]any", "", "no.Such"}[v.at%4]}, []byte(body)...)
	})},
	{name: "more than an actor can handle", do: always(true, func(v *villain) []byte {
		return v.frame(header{kind: kindTell, target: toBusy, typ: "string"}, hi...)
	})},
	{name: "more than an actor can handle, large", do: always(true, func(v *villain) []byte {
		return v.frame(header{kind: kindTell, target: toBusy, typ: "string"}, much...)
	})},
	{name: "meta, much of it", do: always(true, func(v *villain) []byte {
		return v.frame(header{kind: kindTell, target: toVictim, typ: "string", meta: map[string]string{fmt.Sprint(v.at): strings.Repeat("x", 4000)}}, hi...)
	})},
}
