package codec

import (
	"reflect"
	"sync/atomic"
)

// recent knows something of the types that it was asked about lately, and tells it in less time than a map would.
type recent[V any] [64]atomic.Pointer[about[V]]

type about[V any] struct {
	typ   reflect.Type
	value V
}

func (r *recent[V]) place(t reflect.Type) *atomic.Pointer[about[V]] {
	p := reflect.ValueOf(t).Pointer() // types lie in memory one after another
	return &r[(p>>5^p>>11)%uintptr(len(r))]
}

func (r *recent[V]) get(t reflect.Type) (v V, ok bool) {
	if a := r.place(t).Load(); a != nil && a.typ == t {
		return a.value, true
	}
	return v, false
}

func (r *recent[V]) put(t reflect.Type, v V) { r.place(t).Store(&about[V]{t, v}) }

func (r *recent[V]) clear() {
	for i := range r {
		r[i].Store(nil)
	}
}
