package actor_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unsafe"

	"github.com/google/uuid"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/codec"
)

func TestPIDsSurviveTheirTextForm(t *testing.T) {
	if size := unsafe.Sizeof(actor.PID{}); size != 16 {
		t.Errorf("a PID has %d bytes", size)
	}
	inc := uuid.MustParse("6ba7b810-9dad-41d1-80b4-00c04fd430c8")
	for text, pid := range map[string]actor.PID{
		"":                actor.PID{},
		"greeter@alpha":   actor.Named("greeter@alpha"),
		"a/b/c@alpha":     actor.Named("a/b/c@alpha"),
		"/00ff/c@alpha":   actor.Named("/00ff/c@alpha"),
		"größe@knoten-ä1": actor.Named("größe@knoten-ä1"),
		"alpha:6ba7b810-9dad-41d1-80b4-00c04fd430c8:00000001000000ff": actor.ExactPID("alpha", inc, 1<<32|255),
	} {
		if pid.String() != text {
			t.Errorf("%q is written %q", text, pid)
		}
		var fromText, fromJSON, fromMsgpack actor.PID
		if err := fromText.UnmarshalText([]byte(text)); err != nil || fromText != pid {
			t.Errorf("text %q: %v, %v", text, fromText, err)
		}
		data, err := json.Marshal(actor.RefTo[int](pid))
		if err == nil {
			err = json.Unmarshal(data, &fromJSON)
		}
		if err != nil || fromJSON != pid {
			t.Errorf("JSON %s: %v, %v", data, fromJSON, err)
		}
		data, err = codec.Msgpack.Append(nil, pid)
		if err == nil {
			err = codec.Msgpack.Decode(data, &fromMsgpack)
		}
		if err != nil || fromMsgpack != pid {
			t.Errorf("msgpack % x: %v, %v", data, fromMsgpack, err)
		}
	}
}

func TestBadPIDsAreRefused(t *testing.T) {
	long := strings.Repeat("x", 256)
	for _, text := range []string{
		"greeter", "@alpha", "greeter@", "a b@alpha", "a@b@c", "a:b@c", "a@b:c", "a@b/c", "a//b@c", "a/@c", "//a@c",
		"a\x00@b", "a\xff@b", long + "@b", "a@" + long, strings.Repeat("x/", 600) + "x@b",
		"alpha:zz:0000000000000001", "alpha:6ba7b810-9dad-41d1-80b4-00c04fd430c8:1",
		"alpha:6ba7b8109dad41d180b400c04fd430c8:0000000000000001",
		"alpha:6ba7b810-9dad-41d1-80b4-00c04fd430c8:000000000000000g", ":6ba7b810-9dad-41d1-80b4-00c04fd430c8:0000000000000001",
	} {
		if pid, err := actor.ParsePID(text); err == nil {
			t.Errorf("%q was read as %v", text, pid)
		} else {
			wantErr(t, err, actor.ErrName)
		}
	}
}

func FuzzParsePID(f *testing.F) {
	f.Add("greeter@alpha")
	f.Add("alpha:6ba7b810-9dad-41d1-80b4-00c04fd430c8:00000001000000ff")
	f.Fuzz(func(t *testing.T, text string) {
		pid, err := actor.ParsePID(text)
		if err != nil {
			return
		}
		again, err := actor.ParsePID(pid.String())
		if err != nil || again != pid {
			t.Fatalf("%q: %v, %v", text, again, err)
		}
	})
}
