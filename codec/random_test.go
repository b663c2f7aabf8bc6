package codec

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/vmihailenco/msgpack/v5"
)

// leaves are types that are not made of others, or have an encoding of their own.
var leaves = []reflect.Type{
	reflect.TypeFor[bool](), reflect.TypeFor[int](), reflect.TypeFor[int8](), reflect.TypeFor[int16](), reflect.TypeFor[int32](),
	reflect.TypeFor[int64](), reflect.TypeFor[uint](), reflect.TypeFor[uint8](), reflect.TypeFor[uint16](), reflect.TypeFor[uint32](),
	reflect.TypeFor[uint64](), reflect.TypeFor[float32](), reflect.TypeFor[float64](), reflect.TypeFor[string](), reflect.TypeFor[[]byte](),
	reflect.TypeFor[[5]byte](), reflect.TypeFor[time.Time](), reflect.TypeFor[time.Duration](), reflect.TypeFor[any](), reflect.TypeFor[error](),
	reflect.TypeFor[netip.Addr](), reflect.TypeFor[custom](), reflect.TypeFor[name](), reflect.TypeFor[base](),
}

type name string

// randomType makes a type at most so deep.
func randomType(r *rand.Rand, depth int) reflect.Type {
	if depth == 0 || r.IntN(3) == 0 {
		return leaves[r.IntN(len(leaves))]
	}
	switch r.IntN(6) {
	case 0:
		return reflect.PointerTo(randomType(r, depth-1))
	case 1:
		return reflect.SliceOf(randomType(r, depth-1))
	case 2:
		return reflect.ArrayOf(r.IntN(4), randomType(r, depth-1))
	case 3:
		keys := []reflect.Type{reflect.TypeFor[string](), reflect.TypeFor[int16](), reflect.TypeFor[uint64](), reflect.TypeFor[name](), reflect.TypeFor[[2]byte]()}
		return reflect.MapOf(keys[r.IntN(len(keys))], randomType(r, depth-1))
	}
	var fields []reflect.StructField
	if r.IntN(4) == 0 {
		tag := []reflect.StructTag{`msgpack:",as_array"`, `msgpack:",omitempty"`}[r.IntN(2)]
		fields = append(fields, reflect.StructField{Name: "_msgpack", PkgPath: "codec", Type: reflect.TypeFor[struct{}](), Tag: tag})
	}
	for i := range r.IntN(20) {
		f := reflect.StructField{Name: fmt.Sprintf("F%d", i), Type: randomType(r, depth-1)}
		f.Tag = []reflect.StructTag{"", "", `msgpack:",omitempty"`, reflect.StructTag(fmt.Sprintf(`msgpack:"%s%d"`, strings.Repeat("n", r.IntN(40)), i))}[r.IntN(4)]
		fields = append(fields, f)
	}
	return reflect.StructOf(fields)
}

func randomNumber(r *rand.Rand) uint64 { return r.Uint64() >> r.IntN(64) }

func randomText(r *rand.Rand) string {
	n := []int{0, 1, 20, 40, 300, 70_000}[min(r.IntN(12), r.IntN(6))]
	return strings.Repeat(string(rune('a'+r.IntN(500))), n)
}

// fill gives v a random value, in which maps have no more than one key: their order is random, too.
func fill(r *rand.Rand, v reflect.Value, depth int) {
	if r.IntN(6) == 0 {
		return
	}
	switch p := v.Addr().Interface().(type) {
	case *time.Time:
		*p = time.Unix(int64(randomNumber(r))>>r.IntN(64), int64(r.IntN(2))*r.Int64N(1e9))
		return
	case *netip.Addr:
		*p = netip.AddrFrom4([4]byte{1, 2, 3, byte(r.Uint32())})
		return
	case *error:
		*p = errors.New(randomText(r))
		return
	case *any:
		if depth > 0 {
			x := reflect.New(randomType(r, depth-1)).Elem()
			fill(r, x, depth-1)
			if how, _, _ := formOf(x.Type()); x.Kind() == reflect.Struct && how > formTime { // it may be left out there
				return
			}
			if *p = x.Interface(); walk(*p, 1) != nil {
				*p = nil
			}
		}
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(randomNumber(r)) * int64(1-2*r.IntN(2)))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(randomNumber(r))
	case reflect.Float32, reflect.Float64:
		v.SetFloat([]float64{math.Inf(1), math.NaN(), math.Pi, -1, math.Copysign(0, -1)}[r.IntN(5)])
	case reflect.String:
		v.SetString(randomText(r))
	case reflect.Pointer:
		elem := reflect.New(v.Type().Elem())
		fill(r, elem.Elem(), depth-1)
		if b, err := Msgpack.Append(nil, elem.Interface()); err == nil && b[0] != 0xc0 { // a pointer to a nil is a nil, too
			v.Set(elem)
		}
	case reflect.Slice:
		n := []int{0, 1, 3, 17}[r.IntN(4)]
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		fallthrough
	case reflect.Array:
		for i := range v.Len() {
			fill(r, v.Index(i), depth-1)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		if r.IntN(3) > 0 {
			key, elem := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(r, key, depth-1)
			fill(r, elem, depth-1)
			v.SetMapIndex(key, elem)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(r, v.Field(i), depth-1)
			}
		}
	}
}

// Values of types of all kinds are encoded as msgpack/v5 does, and come back as what they were.
func TestRandomTypesAreEncodedAsMsgpackV5(t *testing.T) {
	good := 0
	for seed := range uint64(1000) {
		r := rand.New(rand.NewPCG(seed, 7))
		typ := randomType(r, 4)
		if typ.Kind() == reflect.Interface || Msgpack.Check(typ) != nil {
			continue
		}
		p := reflect.New(typ)
		fill(r, p.Elem(), 4)
		have, err := Msgpack.Append(nil, p.Elem().Interface())
		if err != nil {
			t.Errorf("seed %d: %v", seed, err)
			continue
		}
		good++
		var want bytes.Buffer
		e := msgpack.NewEncoder(&want)
		e.UseCompactInts(true)
		if err := e.Encode(p.Interface()); err != nil {
			t.Errorf("seed %d: msgpack/v5: %v", seed, err)
		} else if !bytes.Equal(have, want.Bytes()) {
			t.Errorf("seed %d: %.200v is %.200x, msgpack/v5 makes it %.200x", seed, typ, have, want.Bytes())
		}
		if infoOf(typ).dynamic { // what an any holds comes back as untyped
			continue
		}
		back := reflect.New(typ)
		data := bytes.Clone(have)
		if err := Msgpack.Decode(data, back.Interface()); err != nil {
			t.Errorf("seed %d: %.200v does not come back: %v", seed, typ, err)
			continue
		}
		clear(data) // it keeps none of it
		if again, err := Msgpack.Append(nil, back.Elem().Interface()); err != nil || !bytes.Equal(have, again) {
			t.Errorf("seed %d: %.300v was %.200x and comes back as %.200x, %v", seed, typ, have, again, err)
		}
	}
	if good < 400 {
		t.Errorf("%d values were tried, too few", good)
	}
}
