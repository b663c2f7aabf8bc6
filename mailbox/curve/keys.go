package curve

import (
	"crypto/rand"
	"fmt"
	"io"

	"golang.org/x/crypto/curve25519"
	"golang.org/x/crypto/nacl/box"
)

const keySize = 32

// Key is a public key. It is comparable, so that it can be the key of a map of who is let in.
type Key [keySize]byte

// ParseKey reads a public key from its text form, Z85 (RFC 32): 40 characters, as libzmq's curve_keypair gives it.
func ParseKey(text string) (k Key, err error) {
	err = decodeZ85(k[:], text)
	return k, err
}

// String returns the key's text form, which ParseKey reads.
func (k Key) String() string { return encodeZ85(k[:]) }

// MarshalText returns the key's text form.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads the key's text form.
func (k *Key) UnmarshalText(text []byte) (err error) {
	*k, err = ParseKey(string(text))
	return err
}

// KeyPair is a secret key and its public one. It shows the secret to nobody but who calls Secret: formatted, logged or
// encoded in whatever way, it is its public key at most. The zero value has no keys, and can't be used.
type KeyPair struct {
	public Key
	secret *hidden
}

// hidden keeps a key from package fmt, which looks into unexported fields, and behind one pointer, but not behind two.
type hidden struct{ key *[keySize]byte }

// NewKeyPair returns a new pair, made from the system's source of randomness.
func NewKeyPair() KeyPair {
	public, secret := newKeys()
	return KeyPair{public: *public, secret: &hidden{secret}}
}

// newKeys is box.GenerateKey, which can't fail with the system's randomness.
func newKeys() (public, secret *[keySize]byte) {
	public, secret, err := box.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	return public, secret
}

// ParseSecretKey returns the pair of a secret key, given in the same text form as a public one.
func ParseSecretKey(text string) (KeyPair, error) {
	p := KeyPair{secret: &hidden{new([keySize]byte)}}
	if err := decodeZ85(p.secret.key[:], text); err != nil {
		return KeyPair{}, err
	}
	curve25519.ScalarBaseMult((*[keySize]byte)(&p.public), p.secret.key)
	return p, nil
}

// Public returns the public key.
func (p KeyPair) Public() Key { return p.public }

// Secret returns the text form of the secret key, which ParseSecretKey reads, to be stored where nobody else reads it.
// It is empty for the zero value.
func (p KeyPair) Secret() string {
	if p.secret == nil {
		return ""
	}
	return encodeZ85(p.secret.key[:])
}

// String names the pair by its public key.
func (p KeyPair) String() string {
	if p.secret == nil {
		return "no key pair"
	}
	return "key pair of " + p.public.String()
}

// Format is String, whatever the verb.
func (p KeyPair) Format(f fmt.State, _ rune) { io.WriteString(f, p.String()) }

// check refuses a pair that is none.
func (p KeyPair) check() error {
	if p.secret == nil {
		return fmt.Errorf("curve: Key is not set: NewKeyPair makes one")
	}
	return nil
}
