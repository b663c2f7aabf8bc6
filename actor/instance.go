package actor

import (
	"fmt"
	"reflect"
)

// construct makes an instance and runs its start hook.
func (b *inbox[M]) construct(c *Context) error {
	b.putBack()
	if b.create == nil && len(b.set.around) == 0 {
		b.become(nil)
		return nil
	}
	return apart(func() error {
		if b.create == nil {
			b.become(nil)
			return nil
		}
		b.inst = b.create()
		if v := reflect.ValueOf(b.inst); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
			return fmt.Errorf("%w: create returned nil", ErrUsage)
		}
		b.become(nil)
		if hook, ok := b.inst.(interface{ Start(*Context) error }); ok {
			return hook.Start(c)
		}
		return nil
	})
}

// destruct runs the stop hook, if the instance has started.
func (b *inbox[M]) destruct(c *Context, started bool) error {
	inst := b.inst
	if b.receive = nil; b.create != nil {
		b.inst = nil
	}
	if hook, ok := inst.(interface{ Stop(*Context) error }); ok && started {
		return apart(func() error { return hook.Stop(c) })
	}
	return nil
}

// apart runs a hook in a goroutine of its own, which it may end (runtime.Goexit, as by t.FailNow), and makes a panic an
// error.
func apart(hook func() error) (err error) {
	done := make(chan struct{})
	err = errGoexit
	go func() {
		defer close(done)
		defer func() {
			if r := recover(); r != nil {
				err = sane(panicked(r))
			}
		}()
		err = sane(hook())
	}()
	<-done
	return err
}
