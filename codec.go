package targon

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// ErrEncoding is the root of every failure to decode a noun.
var ErrEncoding = errors.New("malformed encoding")

// A writer builds a canonical encoding: integers little-endian, byte strings and
// lists prefixed by their length as u32. It never fails.
type writer struct{ b []byte }

// newWriter starts an encoding with its domain label, itself length-prefixed.
func newWriter(domain string) *writer {
	w := &writer{b: make([]byte, 0, 256)}
	w.str(domain)
	return w
}

func (w *writer) u8(v uint8)     { w.b = append(w.b, v) }
func (w *writer) u16(v uint16)   { w.b = binary.LittleEndian.AppendUint16(w.b, v) }
func (w *writer) u32(v uint32)   { w.b = binary.LittleEndian.AppendUint32(w.b, v) }
func (w *writer) u64(v uint64)   { w.b = binary.LittleEndian.AppendUint64(w.b, v) }
func (w *writer) f64(v float64)  { w.u64(math.Float64bits(v)) }
func (w *writer) fixed(v []byte) { w.b = append(w.b, v...) }
func (w *writer) str(v string)   { w.u32(uint32(len(v))); w.b = append(w.b, v...) }
func (w *writer) bytes(v []byte) { w.u32(uint32(len(v))); w.b = append(w.b, v...) }
func (w *writer) bool(v bool)    { w.u8(map[bool]uint8{true: 1}[v]) }
func (w *writer) digest() Digest { return sha256.Sum256(w.b) }
func (w *writer) ids(v []TokenID) {
	w.u32(uint32(len(v)))
	for _, id := range v {
		w.u32(uint32(id))
	}
}

// A reader takes a canonical encoding apart. The first failure sticks; every
// later read returns zero, so callers check once, with done.
type reader struct {
	b   []byte
	err error
}

func newReader(b []byte, domain string) *reader {
	r := &reader{b: b}
	if got := r.str(len(domain)); r.err != nil || got != domain {
		r.fail("want %s", domain)
	}
	return r
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", ErrEncoding, fmt.Sprintf(format, args...))
	}
	r.b = nil
}

func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.fail("ends %d bytes early", n-len(r.b))
		return nil
	}
	out := r.b[:n:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) u8() uint8 {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) u16() uint16 {
	if b := r.take(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (r *reader) u32() uint32 {
	if b := r.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (r *reader) u64() uint64 {
	if b := r.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (r *reader) f64() float64 { return math.Float64frombits(r.u64()) }

// bool accepts 0 and 1 only, so that each value has one encoding.
func (r *reader) bool() bool {
	v := r.u8()
	if v > 1 {
		r.fail("flag of value %d", v)
	}
	return v == 1
}

func (r *reader) fixed(dst []byte) { copy(dst, r.take(len(dst))) }

// bytes reads a length-prefixed string of at most limit bytes.
func (r *reader) bytes(limit int) []byte {
	n := r.u32()
	if uint64(n) > uint64(limit) {
		r.fail("field of %d bytes, limit %d", n, limit)
		return nil
	}
	return r.take(int(n))
}

func (r *reader) str(limit int) string { return string(r.bytes(limit)) }

func (r *reader) ids(limit int) []TokenID {
	n := r.u32()
	if uint64(n) > uint64(limit) {
		r.fail("list of %d ids, limit %d", n, limit)
		return nil
	}
	raw := r.take(int(n) * 4)
	if raw == nil || n == 0 {
		return nil
	}
	out := make([]TokenID, n)
	for i := range out {
		out[i] = TokenID(binary.LittleEndian.Uint32(raw[i*4:]))
	}
	return out
}

// done reports the first failure, or that bytes are left over.
func (r *reader) done() error {
	if r.err == nil && len(r.b) != 0 {
		r.fail("%d bytes left over", len(r.b))
	}
	return r.err
}
