package mailbox

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
)

// whole is how many bytes a word has at most.
const whole = 7

// word is up to seven bytes of a topic, the first highest, and in the lowest byte how many they are. Words are in order
// as their bytes are.
type word uint64

// Nobody else can choose words whose hashes are alike, not knowing these.
var secret, multiplier = rand.Uint64(), rand.Uint64() | 1

// newWord returns the word that b starts with: a whole one, unless b is shorter.
func newWord(b []byte) word {
	if len(b) > whole {
		return word(binary.BigEndian.Uint64(b)).cut(whole)
	}
	var w [whole + 1]byte
	w[whole] = byte(copy(w[:], b))
	return word(binary.BigEndian.Uint64(w[:]))
}

// size returns how many bytes w has.
func (w word) size() int {
	return int(w & 0xff)
}

// cut returns the word of w's first bytes.
func (w word) cut(size int) word {
	return w&^(1<<(64-8*size)-1) | word(size)
}

// append returns b with w's bytes after it.
func (w word) append(b []byte) []byte {
	for i := range w.size() {
		b = append(b, byte(w>>(56-8*i)))
	}
	return b
}

// hash spreads words, alike as they may be: a single multiplication would leave some in rows.
func (w word) hash() uint64 {
	h := uint64(w) ^ secret
	for range 2 {
		high, low := bits.Mul64(h, multiplier)
		h = high ^ low
	}
	return h
}
