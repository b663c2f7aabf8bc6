package codec

import (
	"errors"
	"fmt"
	"reflect"
)

// RegisterError makes a sentinel error known by name to the default Registry: see Registry.RegisterError.
func RegisterError(err error, name string) error { return std.RegisterError(err, name) }

// ErrorName returns the name of err in the default Registry: see Registry.ErrorName.
func ErrorName(err error) string { return std.ErrorName(err) }

// ErrorByName returns an error from its name and text by the default Registry: see Registry.ErrorByName.
func ErrorByName(name, text string) error { return std.ErrorByName(name, text) }

type errorTable struct {
	byName map[string]error
	order  []namedError
}

type namedError struct {
	err  error
	name string
}

// RegisterError makes a sentinel error known by name, so that errors.Is finds it in errors that came from another
// process. The same pair again is fine; a name or an error that is taken by another is refused with ErrRegistered.
func (r *Registry) RegisterError(err error, name string) error {
	if err == nil || !reflect.ValueOf(err).Comparable() {
		return fmt.Errorf("codec: the error %q to register must be a sentinel: neither nil nor incomparable", name)
	}
	if bad := checkName(name); bad != nil {
		return bad
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, have := range r.errors.order {
		switch same := have.err == err; {
		case same && have.name == name:
			return nil
		case same:
			return fmt.Errorf("%w: the error %q as %q, not %q", ErrRegistered, err, have.name, name)
		case have.name == name:
			return fmt.Errorf("%w: the name %q for the error %q is that of %q", ErrRegistered, name, err, have.err)
		}
	}
	if r.errors.byName == nil {
		r.errors.byName = map[string]error{}
	}
	r.errors.byName[name] = err
	r.errors.order = append(r.errors.order, namedError{err, name})
	return nil
}

// ErrorName returns the name of the registered error that err is, as errors.Is has it, and "" if there is none. Of
// several it is the most specific one, the one that is the others too, and else the first registered.
func (r *Registry) ErrorName(err error) string {
	if err == nil {
		return ""
	}
	r.mu.RLock()
	order := r.errors.order
	r.mu.RUnlock()
	var best namedError
	for _, e := range order {
		if errors.Is(err, e.err) && (best.err == nil || errors.Is(e.err, best.err)) {
			best = e
		}
	}
	return best.name
}

// ErrorByName returns an error with that text which is, as errors.Is has it, the error registered by that name. If the
// name is unknown or "", the error has the text only. It is never nil.
func (r *Registry) ErrorByName(name, text string) error {
	r.mu.RLock()
	sentinel := r.errors.byName[name]
	r.mu.RUnlock()
	switch {
	case sentinel == nil:
		return errors.New(text)
	case text == "" || text == sentinel.Error():
		return sentinel
	}
	return &remoteError{text: text, sentinel: sentinel}
}

// remoteError is an error from another process whose sentinel is known here.
type remoteError struct {
	text     string
	sentinel error
}

func (e *remoteError) Error() string { return e.text }
func (e *remoteError) Unwrap() error { return e.sentinel }
