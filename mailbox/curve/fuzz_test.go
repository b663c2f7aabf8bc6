package curve

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/go-zeromq/zmq4"
	"golang.org/x/crypto/nacl/box"

	"github.com/troupe-go/troupe/internal/memnet"
	"github.com/troupe-go/troupe/internal/zmtp"
)

// greeting is what a ZMTP 3.1 peer sends first.
func greeting() []byte {
	p := make([]byte, 64)
	p[0], p[8], p[9], p[10], p[11] = 0xff, 1, 0x7f, 3, 1
	copy(p[12:], mechanism)
	return p
}

// seed adds a greeting and the frames, whole and cut off in many places.
func seed(f *testing.F, frames [][]byte) {
	p := append(greeting(), bytes.Join(frames, nil)...)
	f.Add(p)
	for n := 60; n < len(p); n += 37 {
		f.Add(p[:n])
	}
	f.Add(append(greeting(), "\x04\x0a\x05ERROR\x03400"...))
	f.Add(append(greeting(), "\x04\x07\x05ERROR\x09"...))
	f.Add(append(greeting(), "\x04\x06\x05HELLO\x04\x08\x07WELCOME\x04\x09\x08INITIATE\x04\x06\x05READY"...))
}

// feed opens a connection to a peer that sends p and nothing more.
func feed(p []byte, t zmq4.SocketType, s zmtp.Security) error {
	a, b := memnet.Pipe()
	defer a.Close()
	a.Write(p)
	a.(interface{ CloseWrite() error }).CloseWrite()
	c, err := zmtp.Open(context.Background(), b, config(t, s), true)
	if err == nil {
		c.Close()
	}
	return err
}

// FuzzServerHandshake sends any bytes to a server: nobody who can't react to its WELCOME comes in.
func FuzzServerHandshake(f *testing.F) {
	toServer, _ := recorded(f)
	seed(f, toServer)
	f.Fuzz(func(t *testing.T, p []byte) {
		if len(p) > 60<<10 {
			return
		}
		if feed(p, zmq4.Router, goodServer) == nil {
			t.Error("let in")
		}
	})
}

// FuzzClientHandshake sends any bytes to a client: it takes nobody for its server who does not answer its HELLO.
func FuzzClientHandshake(f *testing.F) {
	_, toClient := recorded(f)
	seed(f, toClient)
	f.Fuzz(func(t *testing.T, p []byte) {
		if len(p) > 60<<10 {
			return
		}
		if feed(p, zmq4.Dealer, goodClient) == nil {
			t.Error("taken for the server")
		}
	})
}

// FuzzInitiate gives a server an INITIATE that is sealed as it should be, with anything in it.
func FuzzInitiate(f *testing.F) {
	f.Add([]byte{})
	f.Add(make([]byte, keySize))
	f.Add(make([]byte, keySize+16+vouchBox))
	f.Add(append(clientPair.public[:], make([]byte, 16+vouchBox)...))
	s := &server{cfg: goodServer}
	public, secret := newKeys()
	cookieKey := [keySize]byte{1}
	w, err := openWelcome(s.welcome(*public, &cookieKey), (*[keySize]byte)(&serverPair.public), secret)
	if err != nil {
		f.Fatal(err)
	}
	var shared [keySize]byte
	box.Precompute(&shared, &w.public, secret)
	f.Fuzz(func(t *testing.T, inner []byte) {
		body := appendShort(append([]byte(nil), w.cookie...), 1)
		body = box.SealAfterPrecomputation(body, inner, nonceShort("CurveZMQINITIATE", 1), &shared)
		var heard counter
		if _, claim, _, err := s.openInitiate(body, &heard, &cookieKey); err == nil || !errors.Is(err, zmtp.ErrProtocol) {
			t.Errorf("%v: %v", claim, err)
		}
	})
}

// FuzzTraffic sends any bytes as frames of an open connection, as they are and sealed: what is opened is what was sealed.
func FuzzTraffic(f *testing.F) {
	f.Add([]byte{}, []byte{})
	x := &cipher{sendPrefix: fromClient}
	for _, body := range []string{"", "x", "\x04PING\x00\x00context", "\x09SUBSCRIBEx"} {
		sealed := x.Seal(nil, false, body != "", []byte(body))
		f.Add(sealed, []byte("\x02"+body))
		for n := range len(sealed) {
			f.Add(sealed[:n], []byte{byte(n)})
		}
	}
	f.Fuzz(func(t *testing.T, sealed, plain []byte) {
		x, y := &cipher{sendPrefix: fromClient}, &cipher{recvPrefix: fromClient}
		if _, _, body, err := y.Open(sealed); err != nil && (body != nil || !errors.Is(err, zmtp.ErrProtocol)) {
			t.Errorf("%q %v", body, err)
		}
		y.heard = 0
		n := x.sent.next()
		again := sealAs(appendShort([]byte(messageName), n), plain, n, x)
		more, command, body, err := y.Open(again)
		switch {
		case err != nil && len(plain) > 0 && plain[0] <= 3, err == nil && (len(plain) == 0 || plain[0] > 3):
			t.Errorf("%q: %v", plain, err)
		case err == nil && (!bytes.Equal(body, plain[1:]) || more != (plain[0]&1 != 0) || command != (plain[0]&2 != 0)):
			t.Errorf("%q became %v %v %q", plain, more, command, body)
		}
	})
}
