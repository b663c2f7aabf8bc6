package curve

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"golang.org/x/crypto/nacl/box"
)

func sealAs(dst, plain []byte, n uint64, c *cipher) []byte {
	return box.SealAfterPrecomputation(dst, plain, nonceShort(c.sendPrefix, n), &c.key)
}

// The vectors of RFC 32, and the test keys of zmq_curve(7).
func TestZ85IsThatOfTheRFC(t *testing.T) {
	hello := []byte{0x86, 0x4F, 0xD2, 0x6F, 0xB5, 0x59, 0xF7, 0x5B}
	if text := encodeZ85(hello); text != "HelloWorld" {
		t.Errorf("%s", text)
	}
	p := make([]byte, 8)
	if err := decodeZ85(p, "HelloWorld"); err != nil || !bytes.Equal(p, hello) {
		t.Errorf("%x %v", p, err)
	}
	for _, k := range []struct{ public, secret string }{
		{"Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID", "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"},
		{"rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7", "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6"},
	} {
		pair, err := ParseSecretKey(k.secret)
		if err != nil || pair.Public().String() != k.public || pair.Secret() != k.secret {
			t.Errorf("%v %v", pair, err)
		}
		key, err := ParseKey(k.public)
		if err != nil || key != pair.Public() {
			t.Error(key, err)
		}
	}
}

func TestTextThatIsNoKeyIsRefused(t *testing.T) {
	good := NewKeyPair().Secret()
	for _, text := range []string{"", "short", good[:39], good + "0", good[:39] + " ", good[:39] + "\"", "\xff" + good[1:], "#####" + good[5:]} {
		if _, err := ParseKey(text); err == nil {
			t.Errorf("%q taken for a key", text)
		}
		_, err := ParseSecretKey(text)
		if err == nil {
			t.Errorf("%q taken for a secret key", text)
		} else if len(text) > 5 && strings.Contains(err.Error(), good[5:20]) {
			t.Errorf("%v tells the secret", err)
		}
	}
}

func TestKeysAreTextInJSON(t *testing.T) {
	type file struct{ Server Key }
	p, err := json.Marshal(file{serverPair.Public()})
	var back file
	if err != nil || json.Unmarshal(p, &back) != nil || back.Server != serverPair.Public() {
		t.Errorf("%s %v", p, err)
	}
	if err := json.Unmarshal([]byte(`{"Server":"nonsense"}`), &back); err == nil {
		t.Error("nonsense taken")
	}
}

func TestEachPairIsNewAndItsPartsFit(t *testing.T) {
	a, b := NewKeyPair(), NewKeyPair()
	if a.Public() == b.Public() || a.Secret() == b.Secret() {
		t.Error("the same pair twice")
	}
	again, err := ParseSecretKey(a.Secret())
	if err != nil || again.Public() != a.Public() {
		t.Error(again, err)
	}
}

func TestSecretKeyIsNotShown(t *testing.T) {
	pair := NewKeyPair()
	type inner struct{ hidden any }
	for _, v := range []any{pair, &pair, Server{Key: pair}, &Client{Key: pair}, inner{Client{Key: pair}}, inner{pair}, &inner{Server{Key: pair}}, []KeyPair{pair}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t"} {
			refuseSecret(t, pair, verb, fmt.Sprintf(verb, v))
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "v", v)
		refuseSecret(t, pair, "slog", log.String())
		if p, err := json.Marshal(v); err == nil {
			refuseSecret(t, pair, "json", string(p))
		}
	}
	if s := pair.String(); !strings.Contains(s, pair.Public().String()) {
		t.Error(s)
	}
	if s := fmt.Sprint(KeyPair{}) + (KeyPair{}).Secret(); s != "no key pair" {
		t.Error(s)
	}
}

// refuseSecret looks for the secret key, or much of it, in text.
func refuseSecret(t *testing.T, pair KeyPair, how, text string) {
	t.Helper()
	s := pair.secret.key[:]
	for _, form := range []string{pair.Secret(), string(s), fmt.Sprintf("%x", s[:8]), fmt.Sprintf("%X", s[:8]),
		strings.Trim(fmt.Sprint(s[:8]), "[]"), strings.Trim(strings.TrimPrefix(fmt.Sprintf("%#v", s[:8]), "[]byte"), "{}")} {
		if strings.Contains(text, form) {
			t.Errorf("%s shows the secret: %s", how, text)
		}
	}
}
