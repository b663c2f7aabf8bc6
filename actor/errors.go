package actor

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/troupe-go/troupe/codec"
)

// The errors of this package. Those that an Ask can get keep their identity on the way from another node.
var (
	// ErrFull: the mailbox held its limit for as long as the sender may wait.
	ErrFull = errors.New("actor: mailbox full")
	// ErrNoActor: no actor has that PID or name, or it stopped before it handled the message.
	ErrNoActor = errors.New("actor: no such actor")
	// ErrNameTaken: an actor of that name lives in this scope.
	ErrNameTaken = errors.New("actor: name taken")
	// ErrName: not the name of an actor or a node, or not the text form of a PID.
	ErrName = errors.New("actor: invalid name")
	// ErrClosed: the system, or the actor in whose scope it was tried, is stopping or has stopped.
	ErrClosed = errors.New("actor: closed")
	// ErrNotAsked: Reply without an asker, or a second time.
	ErrNotAsked = errors.New("actor: nobody waits for a reply")
	// ErrDeadlock: an actor asks or stops itself in a way that would wait for ever.
	ErrDeadlock = errors.New("actor: would deadlock")
	// ErrUnreachable: the other node is known but did not take the message, or is gone.
	ErrUnreachable = errors.New("actor: node unreachable")
	// ErrNoNode: no node of that name is known.
	ErrNoNode = errors.New("actor: no such node")
	// ErrNoKind: the node has not registered that kind of actor.
	ErrNoKind = errors.New("actor: no such kind")
	// ErrFailed: the handler of the message returned an error or panicked.
	ErrFailed = errors.New("actor: handler failed")
	// ErrEscalated: the failure of an actor whose child's failure was escalated, which it also wraps.
	ErrEscalated = errors.New("actor: a child's failure was escalated")
	// ErrLinked: the failure of an actor that is linked to one that failed and is gone.
	ErrLinked = errors.New("actor: a linked actor failed")
	// ErrType: the message, or the reply, is not of a type that its receiver takes.
	ErrType = errors.New("actor: wrong type")
	// ErrNoReply: the handler of an Ask returned nil without a Reply.
	ErrNoReply = errors.New("actor: no reply")
	// ErrUsage: a call that no program means: a nil function, a nil Scope, an option out of range.
	ErrUsage = errors.New("actor: wrong use")
)

// register names the errors, and PID, on the wire. It is run by the first NewSystem.
var register = sync.OnceValue(func() error {
	failed := []error{codec.Register[PID]("actor.PID")}
	for _, known := range []struct {
		name string
		err  error
	}{
		{"actor.full", ErrFull},
		{"actor.no-actor", ErrNoActor},
		{"actor.name-taken", ErrNameTaken},
		{"actor.name", ErrName},
		{"actor.closed", ErrClosed},
		{"actor.not-asked", ErrNotAsked},
		{"actor.deadlock", ErrDeadlock},
		{"actor.unreachable", ErrUnreachable},
		{"actor.no-node", ErrNoNode},
		{"actor.no-kind", ErrNoKind},
		{"actor.failed", ErrFailed},
		{"actor.escalated", ErrEscalated},
		{"actor.linked", ErrLinked},
		{"actor.type", ErrType},
		{"actor.no-reply", ErrNoReply},
		{"context.deadline", context.DeadlineExceeded},
		{"context.canceled", context.Canceled},
	} {
		failed = append(failed, codec.RegisterError(known.err, known.name))
	}
	return errors.Join(failed...)
})

// failedError is what the asker of a message gets when its handler failed: ErrFailed, and the handler's own error.
type failedError struct{ cause error }

func (e *failedError) Error() string   { return ErrFailed.Error() + ": " + e.cause.Error() }
func (e *failedError) Unwrap() []error { return []error{ErrFailed, e.cause} }

// about is a sentinel and what it is about: its text is made only if somebody wants it, for errors that may be many.
type about struct {
	error
	what any
	more string
}

func (e *about) Error() string { return fmt.Sprint(e.error, ": ", e.what, e.more) }
func (e *about) Unwrap() error { return e.error }

// panicked is the error that a panic stands for.
func panicked(value any) error {
	if err, ok := value.(error); ok {
		return &panicError{fmt.Errorf("panic: %w", err), debug.Stack()}
	}
	return &panicError{fmt.Errorf("panic: %v", value), debug.Stack()}
}

// sane returns err, or an error in its place if one of its methods panics, as those of a nil pointer may: the runtime
// calls them where no panic may come.
func sane(err error) (safe error) {
	if err == nil {
		return nil
	}
	defer func() {
		if r := recover(); r != nil {
			safe = fmt.Errorf("an error of type %T whose methods panic: %v", err, r)
		}
	}()
	_ = err.Error()
	_ = errors.Is(err, ErrNotAsked)
	_ = errors.As(err, new(*panicError))
	return err
}

// onlyTold reports whether err says nothing but that a Tell was replied to.
func onlyTold(err error) bool {
	switch wraps := err.(type) {
	case interface{ Unwrap() []error }:
		all := wraps.Unwrap()
		return len(all) > 0 && !slices.ContainsFunc(all, func(err error) bool { return !onlyTold(err) })
	case interface{ Unwrap() error }:
		return err == errTold || onlyTold(wraps.Unwrap())
	}
	return err == errTold
}

// panicError keeps the stack for the log.
type panicError struct {
	error
	stack []byte
}

func (e *panicError) Unwrap() error { return e.error }

// errGoexit is the failure of a handler or hook that ended its goroutine instead of returning.
var errGoexit = errors.New("runtime.Goexit in a handler or hook")

// errKilled is why an instance that was to start did not.
var errKilled = errors.New("stopped at once")

// timeout is the error of an Ask, of target, whose ctx ended.
func timeout(ctx context.Context, target PID) error { return endedBy(ctx, "ask of "+target.String()) }

// endedBy is the error of what took too long for ctx.
func endedBy(ctx context.Context, what string) error {
	if cause := context.Cause(ctx); !errors.Is(cause, ctx.Err()) {
		return fmt.Errorf("actor: %s: %w: %w", what, ctx.Err(), cause)
	}
	return fmt.Errorf("actor: %s: %w", what, context.Cause(ctx))
}
