package mailbox

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"time"
)

// Sockets that attacks are tried on: those that differ in how they take what comes in.
var (
	some       = []SocketType{Rep, Pull, Pub}
	receivers  = []SocketType{Rep, Router, Dealer, Pull, Sub, XSub, Pair}
	publishers = []SocketType{Pub, XPub}
	asks       = []SocketType{Req, Rep, Pull, Pub}
	dialling   = []SocketType{Dealer, Push, Sub, Req}
	flooded    = []SocketType{Rep, XPub, Sub, Push}
	every      = append(append([]SocketType{Push}, publishers...), receivers...)
)

// command is a command's frame, message a message's.
func command(name, body string) string {
	return "\x06" + string(binary.BigEndian.AppendUint64(nil, uint64(1+len(name)+len(body)))) + string(byte(len(name))) + name + body
}

func message(flags byte, body string) string {
	return string([]byte{flags | 2}) + string(binary.BigEndian.AppendUint64(nil, uint64(len(body)))) + body
}

// says sends p and waits for the end.
func says(p string) func(net.Conn, string) {
	return func(c net.Conn, _ string) { io.WriteString(c, p); discard(c) }
}

// then sends p after a good handshake and waits for the end.
func then(p string) func(net.Conn, string) {
	return func(c net.Conn, hello string) { io.WriteString(c, hello+p); discard(c) }
}

// inTurn does another thing on each connection.
func inTurn(each ...func(net.Conn, string)) func(net.Conn, string) {
	var turn atomic.Int64
	return func(c net.Conn, hello string) { each[int(turn.Add(1))%len(each)](c, hello) }
}

// each is inTurn for things to say after a handshake.
func each(first bool, ps ...string) func(net.Conn, string) {
	var do []func(net.Conn, string)
	for _, p := range ps {
		if first {
			do = append(do, says(p))
		} else {
			do = append(do, then(p))
		}
	}
	return inTurn(do...)
}

// slowly sends p a byte each 10 ms, and waits for the end.
func slowly(c net.Conn, p string) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for i := range len(p) {
		<-tick.C
		if _, err := io.WriteString(c, p[i:i+1]); err != nil {
			return
		}
	}
	discard(c)
}

// forEver sends what next returns for as long as the connection lasts, and reads what comes back, or does not.
func forEver(reads bool, next func(i int) string) func(net.Conn, string) {
	return func(c net.Conn, hello string) {
		if reads {
			go discard(c)
		}
		p := hello
		for i := 0; ; {
			for len(p) < 16<<10 {
				p += next(i)
				i++
			}
			if _, err := io.WriteString(c, p); err != nil {
				return
			}
			p = ""
		}
	}
}

// always is forEver with p.
func always(reads bool, p string) func(net.Conn, string) {
	many := strings.Repeat(p, max(1, 16<<10/len(p)))
	return forEver(reads, func(int) string { return many })
}

// deaf sends p after a handshake, reads nothing, and stays.
func deaf(p string) func(net.Conn, string) {
	return func(c net.Conn, hello string) {
		io.WriteString(c, hello+p)
		for { // a write fails when the connection has ended
			time.Sleep(10 * time.Millisecond)
			if _, err := io.WriteString(c, command("PONG", "")); err != nil {
				return
			}
		}
	}
}

func claims(flags byte) (all []string) {
	for _, n := range []uint64{hostileMem + 1, 1 << 31, 1 << 33, 1 << 40, 1 << 49, 1 << 62, 1<<63 - 1, 1 << 63, 1<<64 - 1} {
		all = append(all, string([]byte{flags | 2})+string(binary.BigEndian.AppendUint64(nil, n))+"x")
	}
	return all
}

func number(i int) string { return string(binary.BigEndian.AppendUint32(nil, uint32(i))) }

var ping = command("PING", "\x00\x00context")

var attacks = []attack{
	// Before and in the handshake.
	{name: "silence", waits: true, on: append(every, Req), do: says(""), ends: true},
	{name: "silence when dialled", waits: true, on: dialling, do: says(""), ends: true, dialled: true},
	{name: "a byte each 10 ms", waits: true, on: every, do: func(c net.Conn, hello string) { slowly(c, hello) }, ends: true},
	{name: "half a greeting", waits: true, on: some, do: says(greeting[:30]), ends: true},
	{name: "half a READY", waits: true, on: some, do: says(greeting + ready(property("Socket-Type", "REQ"))[:12]), ends: true},
	{name: "strangers", on: asks, do: each(true, strangers...), ends: true},
	{name: "strangers when dialled", on: dialling, do: each(true, strangers...), ends: true, dialled: true},
	{name: "wrong order in the handshake", on: asks, ends: true, do: each(true,
		ready("")+greeting,
		greeting+message(0, "good"),
		greeting+message(1, "good"),
		greeting+ping+ping,
		greeting+command("ERROR", "\x02no"),
		greeting+command("SUBSCRIBE", ""),
		greeting+greeting,
		greeting+command("HELLO", strings.Repeat("x", 194)),
	)},
	{name: "claims in the handshake", on: asks, ends: true, do: func() func(net.Conn, string) {
		var all []string
		for _, claim := range claims(4) {
			all = append(all, greeting+claim)
		}
		return each(true, all...)
	}()},
	{name: "endless properties", flood: true, on: some, ends: true, do: func(c net.Conn, _ string) {
		forEver(false, func(i int) string { return property("X-"+fmt.Sprint(i), "x") })(c, greeting+"\x06"+string(binary.BigEndian.AppendUint64(nil, 1<<20))+"\x05READY")
	}},
	{name: "connects and disconnects", flood: true, on: some, storm: true, do: inTurn(
		func(net.Conn, string) {},
		func(c net.Conn, _ string) { io.WriteString(c, greeting) },
		func(c net.Conn, hello string) { io.WriteString(c, hello) },
		func(c net.Conn, hello string) { io.WriteString(c, hello); io.ReadFull(c, make([]byte, 100)) },
	)},

	// After it: what nobody may send.
	{name: "claims", on: every, do: each(false, claims(0)...), ends: true},
	{name: "claims with MORE", on: some, do: each(false, claims(1)...), ends: true},
	{name: "claims of commands", on: some, do: each(false, claims(4)...), ends: true},
	{name: "claims when dialled", on: dialling, do: each(false, claims(0)...), ends: true, dialled: true},
	{name: "commands with MORE", on: some, do: each(false, "\x05\x05\x04PING", "\x07"+ping[1:], "\x05\x0a\x09SUBSCRIBE"), ends: true},
	{name: "commands cut off", on: asks, do: each(false, "\x04\x00", "\x04\x01\x00", "\x04\x02\x09P", "\x04\x05\x04PING", "\x04\x01\xff"), ends: true},
	{name: "reserved flags", on: some, do: each(false, "\x08\x00", "\x80\x00", "\xff\xff"), ends: true},
	{name: "ERROR after READY", on: some, do: each(false, command("ERROR", "\x02no"), command("ERROR", "\xffno"), command("ERROR", "")), ends: true},
	{name: "noise", on: asks, ends: true, do: func(c net.Conn, hello string) { then("\xff"+random(1024))(c, hello) }},

	// What has no end.
	{name: "half a frame", waits: true, on: every, do: then(message(0, "good")[:11])},
	{name: "half a message", waits: true, on: every, do: then(message(1, "good"))},
	{name: "a body that takes its time", waits: true, on: some, do: func(c net.Conn, hello string) {
		slowly(c, hello+"\x02"+string(binary.BigEndian.AppendUint64(nil, hostileMem))+strings.Repeat("x", 1000))
	}},
	{name: "empty frames with MORE", flood: true, on: flooded, do: always(true, "\x01\x00"), ends: true},
	{name: "small frames with MORE", flood: true, on: flooded, do: always(true, "\x01\x01x"), ends: true},
	{name: "large frames with MORE", flood: true, on: flooded, do: always(true, message(1, strings.Repeat("x", 50_000))), ends: true},
	{name: "empty messages, not for a user", flood: true, on: []SocketType{Rep, Pub, Push, Pair}, do: always(true, "\x00\x00")},
	{name: "empty messages", flood: true, on: []SocketType{Router, Dealer, Pull, XPub}, do: always(true, "\x00\x00"), delivers: true},
	{name: "messages to whom does not receive", flood: true, on: []SocketType{Pub, Push}, do: always(true, message(0, "bad"))},
	{name: "messages that nobody subscribed to", flood: true, on: []SocketType{Sub}, do: always(true, message(0, "bad"))},
	{name: "unknown commands", flood: true, on: flooded, do: always(true, command("WHATEVER", strings.Repeat("x", 100)))},
	{name: "large unknown commands", flood: true, on: some, do: always(true, command("WHATEVER", strings.Repeat("x", hostileMem-100)))},
	{name: "PINGs", flood: true, on: flooded, do: always(true, ping)},
	{name: "PINGs without reading the PONGs", flood: true, on: flooded, do: always(false, ping)},
	{name: "PONGs", flood: true, on: some, do: always(false, command("PONG", "context"))},
	{name: "PINGs when dialled", flood: true, on: dialling[:3], do: always(false, ping), dialled: true},

	// Subscriptions.
	{name: "subscriptions, many", flood: true, on: publishers, do: forEver(true, func(i int) string { return "\x00\x05\x01" + number(i) }), ends: true},
	{name: "subscriptions, many, as commands", flood: true, on: publishers, do: forEver(true, func(i int) string { return "\x04\x0e\x09SUBSCRIBE" + number(i) }), ends: true},
	{name: "subscriptions, large", flood: true, on: publishers, do: forEver(true, func(i int) string {
		return message(0, "\x01"+number(i)+strings.Repeat("x", 100_000))
	}), ends: true},
	{name: "subscriptions, each longer by a byte", flood: true, on: publishers, do: forEver(true, func(i int) string {
		return message(0, "\x01"+strings.Repeat("x", i))
	}), ends: true},
	{name: "the same subscription", flood: true, on: publishers, do: always(true, "\x00\x05\x01same")},
	{name: "subscriptions, cancelled", flood: true, on: publishers, do: forEver(true, func(i int) string {
		return "\x00\x05\x01" + number(i) + "\x00\x05\x00" + number(i)
	})},
	{name: "cancels of nothing", flood: true, on: publishers, do: forEver(true, func(i int) string { return "\x00\x05\x00" + number(i) })},
	{name: "cancels of others' subscriptions", flood: true, on: publishers, do: always(true, "\x00\x05\x00good\x00\x01\x00")},
	{name: "subscriptions, to what does not publish", flood: true, on: []SocketType{Rep, Pull, Sub, Push}, do: forEver(true, func(i int) string {
		return "\x04\x0e\x09SUBSCRIBE" + number(i)
	})},

	// Never reading.
	{name: "a ROUTER's messages are not read", on: []SocketType{Router}, do: stuck, answer: func(t *target) {
		send(t.t, t.s, "stuck", big[:100_000])
	}},
	{name: "a REP's replies are not read", flood: true, on: []SocketType{Rep, Router}, delivers: true, do: always(false, "\x01\x00"+message(0, strings.Repeat("x", 50_000)))},
	{name: "a PUB's messages are not read", on: publishers, do: deaf("\x00\x05\x01much"), answer: func(t *target) {
		send(t.t, t.s, "much", big[:100_000])
	}},
	{name: "a PUSH's messages are not read", on: []SocketType{Push}, do: deaf("")},

	// Names.
	{name: "stolen identities", on: []SocketType{Router}, do: named(goodName), ends: true},
	{name: "odd identities", on: []SocketType{Router, Rep, Dealer}, ends: true, do: inTurn(
		named(strings.Repeat("x", 256)), named("\x00abcd"), named(strings.Repeat("x", 4000)))},
}

var strangers = []string{
	"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
	"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + strings.Repeat("\x5a", 508), // TLS
	"\x01\x00", // ZMTP 1.0
	"\xff\x00\x00\x00\x00\x00\x00\x00\x01\x7f\x01\x03\x00\x00", // ZMTP 2.0
	strings.Replace(greeting, "NULL", "CURVE", 1),
	strings.Replace(greeting, "NULL\x00", "PLAIN", 1),
	"SSH-2.0-OpenSSH_9.6\r\n",
	random(1024),
	greeting + "\xff" + random(1024),
	strings.Repeat("\x00", 1024),
	strings.Repeat("\xff", 1024),
	greeting + ready(property("Socket-Type", "NONSENSE")),
	greeting + ready(""),
}

// named makes a connection as a DEALER with an identity.
func named(id string) func(net.Conn, string) {
	return func(c net.Conn, _ string) {
		body := "\x05READY" + property("Socket-Type", "DEALER") + property("Identity", id)
		io.WriteString(c, greeting+"\x06"+string(binary.BigEndian.AppendUint64(nil, uint64(len(body))))+body)
		discard(c)
	}
}

// stuck is a DEALER with a name that reads nothing.
func stuck(c net.Conn, _ string) {
	deaf("")(c, greeting+ready(property("Socket-Type", "DEALER")+property("Identity", "stuck")))
}
