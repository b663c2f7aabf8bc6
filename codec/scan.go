package codec

import "fmt"

// MaxDepth is how deep arrays and maps may be nested in an encoded value; a struct is a map.
const MaxDepth = 128

// scan checks, almost without allocating, that data is exactly one value: complete, no deeper than MaxDepth, of known codes
// only. Since each element has at least one byte, no length in data then claims more than len(data).
func scan(data []byte) error {
	end, err := skip(data, 0, nil)
	if err == nil && end < len(data) {
		err = fmt.Errorf("%d bytes follow the value's %d", len(data)-end, end)
	}
	return err
}

// skip checks the value that begins at b[pos] and returns where it ends. If exts is not nil, the places where the
// contents of extensions begin are appended to it.
func skip(b []byte, pos int, exts *[]int) (end int, err error) {
	var few [8]uint64
	left := few[:0] // values that each open array or map still lacks
	for {
		k, n, next := head(b, pos)
		switch k {
		case kindShort:
			return pos, fmt.Errorf("the data ends after %d bytes, within a value", len(b))
		case kindReserved:
			return pos, fmt.Errorf("the reserved code 0xc1 at byte %d", pos)
		case kindString, kindBytes, kindExt:
			if n > uint64(len(b)-next) {
				return pos, fmt.Errorf("a length of %d bytes at byte %d, where %d follow", n, pos, len(b)-next)
			}
			if k == kindExt && exts != nil {
				*exts = append(*exts, next)
			}
			next += int(n)
		case kindArray, kindMap:
			if k == kindMap {
				n *= 2
			}
			if n > uint64(len(b)-next) {
				return pos, fmt.Errorf("%d values announced at byte %d, where %d bytes follow", n, pos, len(b)-next)
			}
			if len(left) == MaxDepth {
				return pos, fmt.Errorf("%w: nested more than %d deep at byte %d", ErrLimit, MaxDepth, pos)
			}
			if n > 0 {
				left = append(left, n)
				pos = next
				continue
			}
		}
		pos = next
		for len(left) > 0 {
			last := len(left) - 1
			if left[last]--; left[last] > 0 {
				break
			}
			left = left[:last]
		}
		if len(left) == 0 {
			return pos, nil
		}
	}
}
