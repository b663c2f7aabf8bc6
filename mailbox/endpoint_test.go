package mailbox

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestEndpointsAreRead(t *testing.T) {
	for s, want := range map[string]Endpoint{
		"inproc://name":              {"inproc", "name"},
		"inproc://a/b c":             {"inproc", "a/b c"},
		"ipc:///run/app.sock":        {"unix", "/run/app.sock"},
		"ipc://app.sock":             {"unix", "app.sock"},
		"tcp://localhost:5555":       {"tcp", "localhost:5555"},
		"tcp://db-1.example.org:80":  {"tcp", "db-1.example.org:80"},
		"tcp://10.0.0.7:05555":       {"tcp", "10.0.0.7:5555"},
		"tcp://*:5555":               {"tcp", "0.0.0.0:5555"},
		"tcp://*:*":                  {"tcp", "0.0.0.0:0"},
		"tcp://127.0.0.1:0":          {"tcp", "127.0.0.1:0"},
		"tcp://[::1]:5555":           {"tcp", "[::1]:5555"},
		"tcp://[0:0:0:0:0:0:0:1]:1":  {"tcp", "[::1]:1"},
		"tcp://[fe80::1%eth0]:65535": {"tcp", "[fe80::1%eth0]:65535"},
		"tcp://ethan:5555":           {"tcp", "ethan:5555"},
		"tcp://encodes:5555":         {"tcp", "encodes:5555"},
	} {
		got, err := ParseEndpoint(s)
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", s, got, err, want)
		}
		if again, err := ParseEndpoint(got.String()); again != got || err != nil {
			t.Errorf("%s is printed as %s, which is read as %+v, %v", s, got, again, err)
		}
	}
}

func TestEndpointsThatAreRefusedSayWhatToWriteInstead(t *testing.T) {
	for s, hint := range map[string]string{
		"":                          "write inproc://name",
		"localhost:5555":            "tcp://host:port",
		"TCP://localhost:5555":      "lower case: tcp://",
		"inproc://":                 "inproc://name",
		"ipc://":                    "ipc:///path",
		"ipc://@":                   "ipc://@name",
		"ipc://*":                   "write ipc:///path",
		"ipc://a\x00b":              "zero byte",
		"ipc:///" + long(200):       "201 bytes long and a Unix socket's may have 10", // 107, or 103 on BSD
		"ipc://@" + long(200):       "",
		"udp://10.0.0.1:5555":       "transport udp is not supported: between machines write tcp://",
		"pgm://eth0;239.1.1.1:5555": "transport pgm",
		"epgm://239.1.1.1:5555":     "transport epgm",
		"vmci://1:5555":             "transport vmci",
		"ws://localhost:80":         "transport ws",
		"http://localhost:80":       `unknown transport "http"`,
		"tcp://localhost":           "the port is missing: tcp://localhost:5555",
		"tcp://::1":                 "the port is missing: tcp://[::1]:5555",
		"tcp://[::1]":               "the port is missing: tcp://[::1]:5555",
		"tcp://fe80::1:5555":        "in brackets: tcp://[fe80::1]:5555",
		"tcp://1:2:3:4:5:6:7:8:99":  "in brackets: tcp://[1:2:3:4:5:6:7:8]:99",
		"tcp://:5555":               "the host is missing: tcp://*:5555",
		"tcp://localhost:":          "the port is a number",
		"tcp://localhost:65536":     "the port is a number",
		"tcp://localhost:-1":        "the port is a number",
		"tcp://localhost:http":      "the port is a number",
		"tcp://localhost:80/x":      "the port is a number",
		"tcp://eth0:5555":           "write the address of eth0, or *",
		"tcp://lo:5555":             "write the address of lo, or *",
		"tcp://enp3s0:5555":         "write the address of enp3s0, or *",
		"tcp://wlp2s0:*":            "write the address of wlp2s0, or *",
		"tcp://10.0.0.1:0;peer:1":   "write tcp://peer:1",
		"tcp://[10.0.0.1]:80":       "no IPv6 address",
		"tcp://[*]:80":              "no IPv6 address",
		"tcp://a b:80":              "neither a host's name nor an address",
		"tcp://user@host:80":        "neither a host's name nor an address",
	} {
		if s == "ipc://@"+long(200) && runtime.GOOS == "linux" {
			hint = "107"
		}
		e, err := ParseEndpoint(s)
		if !errors.Is(err, ErrEndpoint) || !strings.Contains(err.Error(), hint) {
			t.Errorf("%q: %+v, %v; want an error with %q", s, e, err, hint)
		}
	}
}

func long(n int) string { return strings.Repeat("x", n) }

func FuzzParseEndpoint(f *testing.F) {
	for _, s := range []string{"tcp://*:*", "tcp://[fe80::1%eth0]:5555", "ipc://@a", "ipc:///a", "inproc://a", "udp://x", "tcp://a;b", "tcp://lo:1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := ParseEndpoint(s)
		if err != nil {
			if !errors.Is(err, ErrEndpoint) || e != (Endpoint{}) {
				t.Fatalf("%+v, %v", e, err)
			}
			return
		}
		again, err := ParseEndpoint(e.String())
		if err != nil || again != e {
			t.Fatalf("%q is %+v, printed as %q, which is %+v, %v", s, e, e, again, err)
		}
		if e.Network == "tcp" {
			if _, _, err := net.SplitHostPort(e.Address); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestConnectRefusesWhatIsForBind(t *testing.T) {
	s := open(t, Req, Config{})
	for e, hint := range map[string]string{"tcp://*:5555": "tcp://localhost:5555", "tcp://localhost:*": "write the peer's", "tcp://localhost:0": "write the peer's"} {
		if err := s.Connect(e); !errors.Is(err, ErrEndpoint) || !strings.Contains(err.Error(), hint) {
			t.Errorf("%s: %v", e, err)
		}
	}
}

func TestBoundEndpointsCanBePasted(t *testing.T) {
	for _, at := range []string{"tcp://*:*", "tcp://0.0.0.0:0", "tcp://127.0.0.1:*", "tcp://[::1]:0", "tcp://[::]:*", "tcp://localhost:0"} {
		t.Run(at, func(t *testing.T) {
			server, client := open(t, Rep, Config{}), open(t, Req, Config{})
			e, err := server.Bind(within(t, time.Second), at)
			if err != nil && strings.Contains(at, "[") {
				t.Skip("no IPv6 here: ", err)
			}
			if err != nil || strings.HasSuffix(e.Address, ":0") {
				t.Fatal(e, err)
			}
			connect(t, client, e.String())
			send(t, client, "x")
			expect(t, server, "x")
		})
	}
}

func TestBindTellsInterfacesFromHosts(t *testing.T) {
	interfaces, err := net.Interfaces()
	if err != nil || len(interfaces) == 0 {
		t.Skip("no interfaces: ", err)
	}
	s := open(t, Rep, Config{})
	if _, err := s.Bind(within(t, 10*time.Second), "tcp://"+interfaces[0].Name+":5555"); !errors.Is(err, ErrEndpoint) {
		t.Errorf("bind to %s: %v", interfaces[0].Name, err)
	}
}

func TestTakenEndpointsAreRespected(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		first, second, client := open(t, Rep, Config{}), open(t, Rep, Config{}), open(t, Req, Config{})
		bind(t, first, at)
		go echo(first, "first")
		if e, err := second.Bind(within(t, 10*time.Second), at); err == nil {
			t.Fatalf("bound a second time at %s", e)
		}
		shut(t, second)
		connect(t, client, at)
		send(t, client, "x")
		expect(t, client, "first", "x")
	})
}

func TestIpcFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	dead, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	dead.(*net.UnixListener).SetUnlinkOnClose(false)
	dead.Close() // as a killed process leaves it
	server := open(t, Rep, Config{})
	bind(t, server, "ipc://"+path)
	shut(t, server)
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file is still there after Close: %v", err)
	}

	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, Rep, Config{}).Bind(within(t, time.Second), "ipc://"+path); err == nil {
		t.Error("bound over a file that is no socket")
	}
	if data, err := os.ReadFile(path); string(data) != "precious" {
		t.Errorf("a file that is no socket was touched: %q, %v", data, err)
	}
}

func TestAbstractIpcLeavesNoFile(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("Linux only")
	}
	server, client := open(t, Rep, Config{}), open(t, Req, Config{})
	at := bind(t, server, "ipc://@troupe-"+t.Name())
	connect(t, client, at)
	send(t, client, "x")
	expect(t, server, "x")
}

func TestBindStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errors.New("enough"))
	if _, err := open(t, Rep, Config{}).Bind(ctx, "inproc://"+t.Name()); err == nil {
		t.Error("bound with a context that had ended")
	}
}
