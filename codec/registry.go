package codec

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"
	"unicode"
)

// Registry knows types and errors by name, so that both can be told to another process. Names must be the same in every
// process of a system. The zero Registry is ready to use; all methods may be called from any goroutine. The package's
// functions of the same names use one default Registry.
//
// Always known are the basic types ("string", "bool", "int" and so on), "[]byte", "time.Time", "time.Duration", and
// slices and string-keyed maps of "any", "string" and the common numbers.
type Registry struct {
	mu     sync.RWMutex
	names  map[reflect.Type]string
	types  map[string]reflect.Type
	errors errorTable
	known  early[string] // names, as TypeName has said them
}

var std Registry

// Register makes T known by name to the default Registry: see Registry.Register. Without a name it is
// "<package path>.<Type>".
func Register[T any](name ...string) error {
	if len(name) > 1 {
		return fmt.Errorf("codec: Register takes one name, not %d", len(name))
	}
	return std.Register(reflect.TypeFor[T](), strings.Join(name, ""))
}

// TypeName returns the name of t in the default Registry: see Registry.TypeName.
func TypeName(t reflect.Type) string { return std.TypeName(t) }

// TypeByName returns the type of that name in the default Registry: see Registry.TypeByName.
func TypeByName(name string) (reflect.Type, bool) { return std.TypeByName(name) }

// Register makes t known by name; "" stands for "<package path>.<Type>". The same pair again is fine. A name or a type
// that is taken by another is refused with ErrRegistered, an interface or a type that Msgpack's Check refuses with
// ErrEncode. With T, *T is known too.
func (r *Registry) Register(t reflect.Type, name string) error {
	if t == nil || t.Kind() == reflect.Interface {
		return fmt.Errorf("%w: register the types that an interface holds, not the interface %v", ErrEncode, t)
	}
	if err := Msgpack.Check(t); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.names[t]; name == "" && !ok && t.Kind() == reflect.Pointer {
		name, _ = r.nameOf(t)
	}
	if name == "" {
		name = defaultName(t)
	}
	if err := checkName(name); err != nil {
		return err
	}
	if have, ok := r.typeByName(name); ok {
		if have == t {
			return nil
		}
		return fmt.Errorf("%w: the name %q for %v is that of %v", ErrRegistered, name, t, have)
	}
	if have, ok := r.nameOf(t); ok {
		return fmt.Errorf("%w: %v as %q, not %q", ErrRegistered, t, have, name)
	}
	if r.names == nil {
		r.names, r.types = map[reflect.Type]string{}, map[string]reflect.Type{}
	}
	r.names[t], r.types[name] = name, t
	r.known.clear()
	return nil
}

// TypeName returns the name that t was registered by, and else the one it would get by default, "" for nil.
func (r *Registry) TypeName(t reflect.Type) string {
	if t == nil {
		return ""
	}
	if name, ok := r.known.get(t); ok {
		return name
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	name, ok := r.nameOf(t)
	if !ok {
		name = defaultName(t)
	}
	r.known.put(t, name)
	return name
}

// TypeByName returns the registered or basic type of that name, or the pointer to it if a "*" precedes the name.
func (r *Registry) TypeByName(name string) (reflect.Type, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.typeByName(name)
}

func (r *Registry) typeByName(name string) (reflect.Type, bool) {
	if t, ok := r.types[name]; ok {
		return t, true
	}
	if t, ok := basicTypes[name]; ok {
		return t, true
	}
	if elem, ok := strings.CutPrefix(name, "*"); ok && !strings.HasPrefix(elem, "*") {
		if t, ok := r.typeByName(elem); ok {
			return reflect.PointerTo(t), true
		}
	}
	return nil, false
}

func (r *Registry) nameOf(t reflect.Type) (string, bool) {
	if name, ok := r.names[t]; ok {
		return name, true
	}
	if name, ok := basicNames[t]; ok {
		return name, true
	}
	if t.Kind() == reflect.Pointer && t.Name() == "" && t.Elem().Kind() != reflect.Pointer {
		if name, ok := r.nameOf(t.Elem()); ok {
			return "*" + name, true
		}
	}
	return "", false
}

// defaultNames remembers what defaultName worked out; reflect.Type to string.
var defaultNames sync.Map

// defaultName spells t with the whole path of each package.
func defaultName(t reflect.Type) string {
	if name, ok := defaultNames.Load(t); ok {
		return name.(string)
	}
	name := spell(t)
	defaultNames.Store(t, name)
	return name
}

func spell(t reflect.Type) string {
	if name, ok := basicNames[t]; ok {
		return name
	}
	switch {
	case t.Name() != "" && t.PkgPath() != "":
		return t.PkgPath() + "." + t.Name()
	case t.Name() != "":
		return t.Name()
	}
	switch t.Kind() {
	case reflect.Pointer:
		return "*" + spell(t.Elem())
	case reflect.Slice:
		return "[]" + spell(t.Elem())
	case reflect.Array:
		return fmt.Sprintf("[%d]%s", t.Len(), spell(t.Elem()))
	case reflect.Map:
		return "map[" + spell(t.Key()) + "]" + spell(t.Elem())
	}
	return t.String()
}

// checkName refuses names that are no fit for a message's header or a log line.
func checkName(name string) error {
	if name == "" || len(name) > 255 || strings.ContainsFunc(name, unicode.IsControl) {
		return fmt.Errorf("codec: the name %q must have 1 to 255 bytes and no control characters", name)
	}
	return nil
}

// basicTypes are known to every Registry.
var basicTypes = named(
	reflect.TypeFor[bool](), reflect.TypeFor[string](), reflect.TypeFor[[]byte](),
	reflect.TypeFor[int](), reflect.TypeFor[int8](), reflect.TypeFor[int16](), reflect.TypeFor[int32](), reflect.TypeFor[int64](),
	reflect.TypeFor[uint](), reflect.TypeFor[uint8](), reflect.TypeFor[uint16](), reflect.TypeFor[uint32](), reflect.TypeFor[uint64](),
	reflect.TypeFor[float32](), reflect.TypeFor[float64](),
	reflect.TypeFor[time.Time](), reflect.TypeFor[time.Duration](), reflect.TypeFor[struct{}](),
	reflect.TypeFor[[]any](), reflect.TypeFor[[]string](), reflect.TypeFor[[]int](), reflect.TypeFor[[]int64](), reflect.TypeFor[[]float64](), reflect.TypeFor[[][]byte](),
	reflect.TypeFor[map[string]any](), reflect.TypeFor[map[string]string](), reflect.TypeFor[map[string]int](),
	reflect.TypeFor[map[string]int64](), reflect.TypeFor[map[string]float64](), reflect.TypeFor[map[any]any](),
)

var basicNames = func() map[reflect.Type]string {
	names := make(map[reflect.Type]string, len(basicTypes))
	for name, t := range basicTypes {
		names[t] = name
	}
	return names
}()

// named maps types to the way Go spells them, with []byte and any for []uint8 and interface {}.
func named(types ...reflect.Type) map[string]reflect.Type {
	spelling := strings.NewReplacer("[]uint8", "[]byte", "interface {}", "any", "struct {}", "struct{}")
	m := make(map[string]reflect.Type, len(types))
	for _, t := range types {
		m[spelling.Replace(t.String())] = t
	}
	return m
}
