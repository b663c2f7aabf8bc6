package node

import "fmt"

// Reasons in a BYE; see PROTOCOL.md.
const (
	byeClosing    = "closing"
	byeDuplicate  = "duplicate"
	byeNameTaken  = "name taken"
	byeNotAllowed = "not allowed"
	byeSelf       = "self"
	byeVersion    = "version"
	byeWrongNode  = "wrong node"
	byeUnknown    = "unknown kind"
	byeProtocol   = "protocol"
)

// byeError is the BYE of the peer.
type byeError struct{ reason, text string }

func (e byeError) Error() string {
	if e.text == "" {
		return fmt.Sprintf("node: the peer said BYE: %q", e.reason)
	}
	return fmt.Sprintf("node: the peer said BYE: %q: %q", e.reason, e.text)
}

func readBye(h *header, body []byte) byeError {
	u := unpacker{b: body}
	return byeError{h.typ, u.str(maxHello)} // no text is as good as one that cannot be read
}
