package curve

import "fmt"

// z85Digits is the alphabet of RFC 32.
const z85Digits = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"

// encodeZ85 returns the text form of p, whose length is a multiple of 4.
func encodeZ85(p []byte) string {
	text := make([]byte, 0, len(p)/4*5)
	for ; len(p) > 0; p = p[4:] {
		v := uint32(p[0])<<24 | uint32(p[1])<<16 | uint32(p[2])<<8 | uint32(p[3])
		for _, unit := range [...]uint32{85 * 85 * 85 * 85, 85 * 85 * 85, 85 * 85, 85, 1} {
			text = append(text, z85Digits[v/unit%85])
		}
	}
	return string(text)
}

// decodeZ85 fills dst from text. Its errors don't quote the text, which may be a secret.
func decodeZ85(dst []byte, text string) error {
	if len(text) != len(dst)/4*5 {
		return fmt.Errorf("curve: key of %d characters, Z85 text of one has %d", len(text), len(dst)/4*5)
	}
	for i := 0; i < len(text); i += 5 {
		v := uint64(0)
		for j := i; j < i+5; j++ {
			digit := z85Value[text[j]]
			if digit == 0 {
				return fmt.Errorf("curve: character %d of the key is not one of Z85", j+1)
			}
			v = 85*v + uint64(digit-1)
		}
		if v > 1<<32-1 {
			return fmt.Errorf("curve: characters %d to %d of the key are no Z85", i+1, i+5)
		}
		dst[0], dst[1], dst[2], dst[3] = byte(v>>24), byte(v>>16), byte(v>>8), byte(v)
		dst = dst[4:]
	}
	return nil
}

// z85Value has one more than the value of each digit, 0 for other bytes.
var z85Value = func() (value [256]byte) {
	for i := range len(z85Digits) {
		value[z85Digits[i]] = byte(i + 1)
	}
	return value
}()
