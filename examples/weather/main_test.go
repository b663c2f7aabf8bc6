package main

import (
	"fmt"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/troupe-go/troupe/internal/program"
	"github.com/troupe-go/troupe/internal/pyzmq"
)

func TestMain(m *testing.M) { program.Main(m) }

// averages waits for the end of a program with clients, and checks that each has averaged n updates of its zip code.
func averages(t *testing.T, p *program.Process, n int, zips ...string) {
	t.Helper()
	p.Ends(0, time.Minute)
	lines := strings.Split(strings.TrimSpace(p.Out.String()), "\n")
	if len(lines) != len(zips) {
		t.Fatalf("%d lines of %d", len(lines), len(zips))
	}
	for i, zip := range zips {
		if ok, _ := regexp.MatchString(fmt.Sprintf(`^zip=%s updates=%d average_temperature=-?\d+\.\d$`, zip, n), lines[i]); !ok {
			t.Errorf("it prints %q", lines[i])
		}
	}
}

func TestAHundredUpdatesInOneProcess(t *testing.T) {
	averages(t, program.Start(t), 100, "10001")
}

func TestFiveClientsAsProcesses(t *testing.T) {
	averages(t, program.Start(t, "-processes", "-n", "client=5", "-zip", "54321", "-updates", "20"), 20, "54321", "54321", "54321", "54321", "54321")
}

// C60: a client that comes before its server gets everything, and goes on when the server was killed and is back.
func TestClientsOutliveTheServer(t *testing.T) {
	at := "updates=tcp://" + program.FreeAddress(t)
	first := program.Start(t, "-run", "client", "-updates", "20", "-at", at)
	server := program.Start(t, "-run", "server", "-at", at)
	averages(t, first, 20, "10001")
	zips := []string{"10001", "00000", "99999"}
	var clients []*program.Process
	for _, zip := range zips {
		clients = append(clients, program.Start(t, "-run", "client", "-zip", zip, "-updates", "20", "-at", at))
	}
	server.SignalAll(syscall.SIGKILL)
	<-server.Exited
	again := program.Start(t, "-run", "server", "-at", at)
	for i, c := range clients {
		averages(t, c, 20, zips[i])
	}
	again.Signal(syscall.SIGTERM)
	again.Ends(0, 5*time.Second)
}

func TestAForeignClientOfThePlainServer(t *testing.T) {
	at := "tcp://" + program.FreeAddress(t)
	server := program.Start(t, "-plain", "-run", "server", "-at", "updates="+at)
	out, err := pyzmq.Command(t, `
import sys, zmq
s = zmq.Context().socket(zmq.SUB)
s.connect(sys.argv[1])
s.setsockopt_string(zmq.SUBSCRIBE, "10001 ")
total = 0
for n in range(20):
    zipcode, temperature, humidity = s.recv_string().split()
    assert zipcode == "10001", zipcode
    total += int(temperature)
print("average", total / 20)
`, at).Output()
	if err != nil || !strings.HasPrefix(string(out), "average ") {
		t.Errorf("%v\n%s", err, out)
	}
	server.Signal(syscall.SIGINT)
	server.Ends(0, 5*time.Second)
}

func TestAForeignServerOfThePlainClient(t *testing.T) {
	at := "tcp://" + program.FreeAddress(t)
	client := program.Start(t, "-plain", "-run", "client", "-at", "updates="+at)
	server := pyzmq.Command(t, `
import sys, zmq
s = zmq.Context().socket(zmq.PUB)
s.bind(sys.argv[1])
n = 0
while True:
    s.send_string("10001 %i 50" % (n % 2 * 20))
    s.send_string("100012 500 50")
    n += 1
`, at)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	client.Ends(0, time.Minute)
	if want := "zip=10001 updates=100 average_temperature=10.0"; strings.TrimSpace(client.Out.String()) != want {
		t.Errorf("it prints %q, want %q", client.Out.String(), want)
	}
	server.Process.Kill()
	server.Wait()
}

func TestThePlainFormIsTheGuides(t *testing.T) {
	b, err := guide{}.Append(nil, Update{7, -20, 45})
	if string(b) != "00007 -20 45" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
	for _, text := range []string{"", "x", "1 2", "1 2 3 4", "1  2 3", "1 2 x"} {
		u := Update{1, 2, 3}
		if err := (guide{}).Decode([]byte(text), &u); err == nil || u != (Update{}) {
			t.Errorf("%q is read as %+v", text, u)
		}
	}
	var u Update
	if err := (guide{}).Decode(b, &u); err != nil || u != (Update{7, -20, 45}) {
		t.Errorf("it is read as %+v, %v", u, err)
	}
}
