package zmtp

import (
	"bytes"
	"errors"
	"math"
	"testing"
)

func TestHeaderSurvivesTheWire(t *testing.T) {
	for _, size := range []int{0, 1, 255, 256, 65536, math.MaxInt32} {
		for _, flags := range []byte{0, flagMore, flagCommand} {
			p := appendHeader(nil, flags, size)
			for cut := range p {
				if _, n, err := decodeHeader(p[:cut]); n != 0 || err != nil {
					t.Errorf("%d of %x: %d %v", cut, p, n, err)
				}
			}
			h, n, err := decodeHeader(append(p, 1, 2, 3))
			if err != nil || n != len(p) || h.size != uint64(size) || h.flags&^flagLong != flags {
				t.Errorf("%x: %+v %d %v", p, h, n, err)
			}
		}
	}
}

func TestHeaderNobodyMaySendIsRefusedAsEarlyAsPossible(t *testing.T) {
	for _, p := range [][]byte{{0x80}, {8}, {flagMore | flagCommand}, {flagMore | flagCommand | flagLong}, claim(0, 1<<63), claim(0, math.MaxUint64)} {
		if _, _, err := decodeHeader(p); !errors.Is(err, ErrProtocol) {
			t.Errorf("%x: %v", p, err)
		}
	}
}

func TestWireSizeIsTheSizeOnTheWire(t *testing.T) {
	for _, msg := range [][][]byte{nil, {{}}, text("x"), {{}, make([]byte, 255)}, {make([]byte, 256), make([]byte, 70000), {}}} {
		if n := len(appendMessage(nil, msg)); n != wireSize(msg, 0) {
			t.Errorf("%d frames: %d, not %d", len(msg), n, wireSize(msg, 0))
		}
	}
}

func TestCommandSurvivesTheWire(t *testing.T) {
	p := appendCommand(nil, "PING", []byte{0, 1, 'x'})
	h, n, err := decodeHeader(p)
	if err != nil || !h.command() || int(h.size) != len(p)-n {
		t.Fatalf("%+v %d %v", h, n, err)
	}
	name, body, err := splitCommand(p[n:])
	if name != "PING" || !bytes.Equal(body, []byte{0, 1, 'x'}) || err != nil {
		t.Errorf("%q %q %v", name, body, err)
	}
	for _, p := range []string{"", "\x00", "\x02A"} {
		if _, _, err := splitCommand([]byte(p)); !errors.Is(err, ErrProtocol) {
			t.Errorf("%q: %v", p, err)
		}
	}
	for p, reason := range map[string]string{"": "", "\x05no": "", "\x02no": "no"} {
		if r := splitError([]byte(p)); r != reason {
			t.Errorf("%q: %q", p, r)
		}
	}
}
