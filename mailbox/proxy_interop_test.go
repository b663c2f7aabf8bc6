package mailbox

import "testing"

// betweenPythons runs test with two pyzmq sockets, over tcp and ipc, that a proxy of ours passes messages between. Theirs
// connect, each to the socket of ours beside it.
func betweenPythons(t *testing.T, left, front, back, right SocketType, test func(t *testing.T, left, right *foreign)) {
	p := startPython(t)
	for _, tr := range transports[1:] {
		t.Run(tr.name, func(t *testing.T) {
			f, b := open(t, front, Config{}), open(t, back, Config{})
			l := p.open(t, left, "connect", bind(t, f, tr.endpoint(t)))
			r := p.open(t, right, "connect", bind(t, b, tr.endpoint(t)))
			proxied(t, f, b, nil, nil)
			test(t, l, r)
		})
	}
}

func TestProxyPassesRequestsBetweenPyzmqSockets(t *testing.T) {
	betweenPythons(t, Req, Router, Dealer, Rep, func(t *testing.T, client, server *foreign) {
		for _, body := range [][]string{{"Hello"}, {""}, {"a", "", "c"}, {big, "x"}} {
			client.send(body...)
			server.expect(body...)
			server.send(append(body, "back")...)
			client.expect(append(body, "back")...)
		}
	})
}

func TestProxyPassesSubscriptionsAndWhatIsPublishedBetweenPyzmqSockets(t *testing.T) {
	betweenPythons(t, XPub, XSub, XPub, Sub, func(t *testing.T, pub, sub *foreign) {
		sub.set("subscribe=a")
		pub.expect("\x01a") // it came all the way
		pub.send("b", "nobody's")
		pub.send("a1", "", big)
		sub.expect("a1", "", big)
		sub.set("unsubscribe=a")
		pub.expect("\x00a")
	})
}

func TestProxyPassesTasksBetweenPyzmqSockets(t *testing.T) {
	betweenPythons(t, Push, Pull, Push, Pull, func(t *testing.T, ventilator, worker *foreign) {
		for _, body := range [][]string{{"one"}, {"two", ""}, {big}} {
			ventilator.send(body...)
			worker.expect(body...)
		}
	})
}
