package zmtp

import "sync"

const (
	smallParcel = 4 << 10        // the first one of an outbox: of many peers, few have much to be sent
	largeParcel = 64<<10 + 1<<10 // those behind it
)

// parcel is what an outbox writes in one go.
type parcel struct {
	Batch
	halfOn *Conn // wrote some bytes of the first message, and has the rest of all
}

var (
	smallParcels = sync.Pool{New: func() any { return &parcel{Batch: Batch{buf: make([]byte, 0, smallParcel)}} }}
	largeParcels = sync.Pool{New: func() any { return &parcel{Batch: Batch{buf: make([]byte, 0, largeParcel)}} }}
)

// newParcel returns an empty parcel with room for size bytes.
func newParcel(size int, first bool) *parcel {
	switch {
	case first && size <= smallParcel:
		return smallParcels.Get().(*parcel)
	case size <= largeParcel:
		return largeParcels.Get().(*parcel)
	}
	return &parcel{Batch: Batch{buf: make([]byte, 0, size)}}
}

// free lets others use b's memory.
func (b *parcel) free() {
	*b = parcel{Batch: Batch{buf: b.buf[:0]}}
	switch cap(b.buf) {
	case smallParcel:
		smallParcels.Put(b)
	case largeParcel:
		largeParcels.Put(b)
	}
}
