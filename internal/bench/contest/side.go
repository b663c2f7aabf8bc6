package contest

import "errors"

// Side is one of those that are compared.
type Side struct {
	Name string
	// Bind is what a child's worker does that others connect to: it opens what its Spec says, calls Bound, and does its
	// rounds. Connect is the same for the other end. They return only to fail.
	Bind, Connect func(*Worker) error
	// Program is where the program is whose processes are the children, in place of Bind and Connect. Its error may
	// wrap ErrMissing.
	Program func() (string, error)
}

// ErrMissing is wrapped by the errors about something that is not installed: the side is then skipped, unless
// TROUPE_REQUIRE_INTEROP=1.
var ErrMissing = errors.New("not installed")
