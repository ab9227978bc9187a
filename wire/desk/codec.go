package desk

import (
	"encoding/binary"
	"fmt"
	"math"
)

// A writer builds an encoding by the conventions of docs/PROTOCOL.md.
type writer struct{ b []byte }

func newWriter(label string) *writer {
	w := &writer{}
	w.bytes([]byte(label))
	return w
}

func (w *writer) u8(v uint8)     { w.b = append(w.b, v) }
func (w *writer) u16(v uint16)   { w.b = binary.LittleEndian.AppendUint16(w.b, v) }
func (w *writer) u32(v uint32)   { w.b = binary.LittleEndian.AppendUint32(w.b, v) }
func (w *writer) u64(v uint64)   { w.b = binary.LittleEndian.AppendUint64(w.b, v) }
func (w *writer) f64(v float64)  { w.u64(math.Float64bits(v)) }
func (w *writer) fixed(v []byte) { w.b = append(w.b, v...) }
func (w *writer) bytes(v []byte) { w.u32(uint32(len(v))); w.fixed(v) }

func (w *writer) bool(v bool) {
	if v {
		w.u8(1)
		return
	}
	w.u8(0)
}

// A reader takes an encoding apart. The first failure sticks; later reads give zeros.
type reader struct {
	b   []byte
	err error
}

func newReader(b []byte, label string) *reader {
	r := &reader{b: b}
	if got := r.bytes(len(label)); string(got) != label {
		r.fail("want %s", label)
	}
	return r
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
	}
	r.b = nil
}

func (r *reader) take(n int) []byte {
	if n > len(r.b) {
		r.fail("ends %d bytes early", n-len(r.b))
		return make([]byte, min(n, 8)) // zeros for whoever reads a number
	}
	out := r.b[:n:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) u8() uint8        { return r.take(1)[0] }
func (r *reader) u16() uint16      { return binary.LittleEndian.Uint16(r.take(2)) }
func (r *reader) u32() uint32      { return binary.LittleEndian.Uint32(r.take(4)) }
func (r *reader) u64() uint64      { return binary.LittleEndian.Uint64(r.take(8)) }
func (r *reader) f64() float64     { return math.Float64frombits(r.u64()) }
func (r *reader) fixed(dst []byte) { copy(dst, r.take(len(dst))) }

func (r *reader) bool() bool {
	v := r.u8()
	if v > 1 {
		r.fail("flag of value %d", v)
	}
	return v == 1
}

// bytes reads a length-prefixed field of at most limit bytes.
func (r *reader) bytes(limit int) []byte {
	n := r.u32()
	if uint64(n) > uint64(limit) {
		r.fail("field of %d bytes, limit %d", n, limit)
		return nil
	}
	return r.take(int(n))
}

// count reads how many elements of at least size bytes follow, at most limit.
func (r *reader) count(limit, size int) int {
	n := r.u32()
	if uint64(n) > uint64(limit) || int(n)*size > len(r.b) {
		r.fail("list of %d", n)
		return 0
	}
	return int(n)
}

func (r *reader) done() error {
	if r.err == nil && len(r.b) != 0 {
		r.fail("%d bytes left over", len(r.b))
	}
	return r.err
}
