package codec

import (
	"reflect"
	"testing"

	"github.com/vmihailenco/msgpack/v5"
)

func seed(f *testing.F) {
	for _, payload := range hostile {
		if len(payload) < 1<<12 {
			f.Add([]byte(payload))
		}
	}
	for _, payload := range []string{"\x81\x81\xa1x\xc3\xc3", "\x91\xc0", "\x82\xa4Kids\x91\xc0\xa4Next\xc0", "\xd7\xff\xdf\x0f\xff\xff\xff\x00\x00\x00",
		"\x81\xa1M\x81\xa1x\xd6\xff\x00\x00\x00\x01", "\xc7\x0c\xff\x00\x00\x00\x00\xff\xff\xff\xf1\x88\x6e\x09\x00"} {
		f.Add([]byte(payload))
	}
	for _, v := range []any{everything{I: 5, S: "x", PP: new(*int), Raw: msgpack.RawMessage{1}}, tree{Kids: []tree{{}, {}}, Next: &tree{}},
		map[string]any{"a": 1, "b": []any{nil, true, -5, 1.5, "s", []byte{1}, map[int]any{3: 4}}}, []mapper{{map[string]any{"x": 1}}}} {
		b, err := Msgpack.Append(nil, v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
}

// FuzzDecode: nothing panics or bloats, and what was decoded can be encoded and decoded again with the same result.
func FuzzDecode(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		ptrs := targets()
		errs := make([]error, len(ptrs))
		n := allocated(func() {
			for i, ptr := range ptrs {
				errs[i] = Msgpack.Decode(data, ptr)
			}
		})
		if n > 8<<20+uint64(len(ptrs)*512*len(data)) {
			t.Errorf("%x: %d bytes allocated", data, n)
		}
		for i, ptr := range ptrs {
			v := reflect.ValueOf(ptr).Elem()
			if err := errs[i]; err != nil {
				if !v.IsZero() {
					t.Errorf("%x into %T: %v, but the value is %v", data, ptr, err, v)
				}
				continue
			}
			again, err := Msgpack.Append(nil, ptrs[i])
			if err != nil {
				t.Errorf("%x into %T: %#v, which can't be encoded: %v", data, ptr, v, err)
				continue
			}
			second := reflect.New(v.Type())
			if err := Msgpack.Decode(again, second.Interface()); err != nil {
				t.Errorf("%x into %T: %#v became %x, which can't be decoded: %v", data, ptr, v, again, err)
			}
		}
	})
}

// FuzzScan: what scan takes, msgpack/v5 can skip to the very end, and what it refuses for its length is short there too.
func FuzzScan(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		if scan(data) != nil {
			return
		}
		s := &stream{b: data}
		if err := msgpack.NewDecoder(s).Skip(); err != nil || s.pos != len(data) {
			t.Errorf("%x: %v at %d", data, err, s.pos)
		}
		for cut := range min(len(data), 64) {
			if scan(data[:cut]) == nil {
				t.Errorf("%x is whole already after %d bytes", data, cut)
			}
		}
	})
}
