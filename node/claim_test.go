package node

import "testing"

func TestWhichConnectionBecomesTheLink(t *testing.T) {
	for _, c := range []struct {
		what string
		claim
		want verdict
	}{
		{"nothing there", claim{self: "a", peer: "b"}, accept},
		{"both say HELLO, our name is smaller", claim{self: "a", peer: "b", pending: true}, duplicate},
		{"both say HELLO, its name is smaller", claim{self: "b", peer: "a", pending: true}, accept},
		{"the peer redials its link", claim{self: "a", peer: "b", live: true, same: true, theirs: true}, replace},
		{"the peer redials its link, its name is smaller", claim{self: "b", peer: "a", live: true, same: true, theirs: true}, replace},
		{"the late HELLO of a peer that accepted ours", claim{self: "a", peer: "b", live: true, same: true}, duplicate},
		{"the peer has lost the link that we dialled", claim{self: "b", peer: "a", live: true, same: true}, replace},
		{"another incarnation", claim{self: "a", peer: "b", live: true}, probe},
		{"another incarnation, on the peer's link", claim{self: "b", peer: "a", live: true, theirs: true}, probe},
	} {
		if got := c.decide(); got != c.want {
			t.Errorf("%s: decided %d, want %d", c.what, got, c.want)
		}
	}
}
