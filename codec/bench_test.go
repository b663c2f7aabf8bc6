package codec

import (
	"strings"
	"testing"
	"time"
)

type order struct {
	ID    int
	Name  string
	Price float64
}

var sample = order{70000, strings.Repeat("x", 75), 9.99}

func BenchmarkAppend(b *testing.B) {
	buf := make([]byte, 0, 256)
	v := any(sample)
	b.ReportAllocs()
	for b.Loop() {
		out, err := Msgpack.Append(buf, v)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(out)))
	}
}

func BenchmarkDecode(b *testing.B) {
	data := encode(b, sample)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	var v order
	for b.Loop() {
		if err := Msgpack.Decode(data, &v); err != nil {
			b.Fatal(err)
		}
	}
}

var untyped = map[string]any{"id": 70000, "name": strings.Repeat("x", 50), "tags": []any{"a", "b"}, "at": time.Unix(1, 0)}

func BenchmarkAppendUntyped(b *testing.B) {
	buf := make([]byte, 0, 256)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Msgpack.Append(buf, untyped); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeUntyped(b *testing.B) {
	data := encode(b, untyped)
	b.ReportAllocs()
	var v any
	for b.Loop() {
		if err := Msgpack.Decode(data, &v); err != nil {
			b.Fatal(err)
		}
	}
}
