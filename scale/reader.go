package scale

import (
	"encoding/binary"
	"fmt"
	"math/big"
)

// A Reader takes an encoding apart. The first failure sticks and every later read
// returns zero, so callers check once, with Done or Err.
type Reader struct {
	b   []byte
	at  int
	err error
}

// NewReader reads b, which it never changes.
func NewReader(b []byte) *Reader { return &Reader{b: b} }

// Err returns the first failure.
func (r *Reader) Err() error { return r.err }

// Done returns the first failure, or one if bytes are left over.
func (r *Reader) Done() error {
	if n := r.Remaining(); r.err == nil && n != 0 {
		r.Fail("%d bytes left over", n)
	}
	return r.err
}

// Offset returns how many bytes were read.
func (r *Reader) Offset() int { return r.at }

// Remaining returns how many bytes are left.
func (r *Reader) Remaining() int { return len(r.b) - r.at }

// Since returns the bytes between an earlier offset and now, not copied.
func (r *Reader) Since(offset int) []byte { return r.b[offset:r.at:r.at] }

// Fail makes the reader fail, for rules that only its user knows.
func (r *Reader) Fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: byte %d: %s", ErrFormat, r.at, fmt.Sprintf(format, args...))
	}
	r.at = len(r.b)
}

// Raw returns the next n bytes, not copied.
func (r *Reader) Raw(n int) []byte {
	if n < 0 || n > r.Remaining() {
		if r.err == nil {
			r.err = fmt.Errorf("%w: byte %d: want %d more, %d are left", ErrShort, r.at, n, r.Remaining())
		}
		r.at = len(r.b)
		return nil
	}
	out := r.b[r.at : r.at+n : r.at+n]
	r.at += n
	return out
}

// Fixed fills dst, a fixed array.
func (r *Reader) Fixed(dst []byte) { copy(dst, r.Raw(len(dst))) }

// Bool reads 0 or 1.
func (r *Reader) Bool() bool {
	v := r.U8()
	if v > 1 {
		r.Fail("flag of value %d", v)
	}
	return v == 1
}

// U8 reads an integer of one byte.
func (r *Reader) U8() uint8 {
	if b := r.Raw(1); b != nil {
		return b[0]
	}
	return 0
}

// U16 reads an integer of two bytes.
func (r *Reader) U16() uint16 {
	if b := r.Raw(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

// U32 reads an integer of four bytes.
func (r *Reader) U32() uint32 {
	if b := r.Raw(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

// U64 reads an integer of eight bytes.
func (r *Reader) U64() uint64 {
	if b := r.Raw(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// I8 reads a signed integer of one byte.
func (r *Reader) I8() int8 { return int8(r.U8()) }

// I16 reads a signed integer of two bytes.
func (r *Reader) I16() int16 { return int16(r.U16()) }

// I32 reads a signed integer of four bytes.
func (r *Reader) I32() int32 { return int32(r.U32()) }

// I64 reads a signed integer of eight bytes.
func (r *Reader) I64() int64 { return int64(r.U64()) }

// BigUint reads an unsigned integer of size bytes: u128 and u256.
func (r *Reader) BigUint(size int) *big.Int {
	b := append([]byte(nil), r.Raw(size)...)
	reverse(b)
	return new(big.Int).SetBytes(b)
}

// BigInt reads a signed integer of size bytes: i128 and i256.
func (r *Reader) BigInt(size int) *big.Int {
	v := r.BigUint(size)
	if v.BitLen() == 8*size { // the sign bit
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(8*size)))
	}
	return v
}

// Compact reads a compact integer of at most 64 bits.
func (r *Reader) Compact() uint64 {
	first := r.U8()
	rest := uint64(first) >> 2
	switch first & 3 {
	case 0:
		return rest
	case 1:
		return r.canonical(rest|uint64(r.U8())<<6, 1<<6)
	case 2:
		rest |= uint64(r.U8()) << 6
		return r.canonical(rest|uint64(r.U16())<<14, 1<<14)
	}
	n := int(rest) + 4
	if n > 8 {
		r.Fail("compact integer of %d bytes, want at most 8", n)
		return 0
	}
	v := uint64(0)
	for i, b := range r.Raw(n) {
		v |= uint64(b) << (8 * i)
	}
	return r.canonical(v, max(uint64(1)<<30, uint64(1)<<(8*(n-1))))
}

// canonical refuses a value below the least that needs the form it came in.
func (r *Reader) canonical(v, least uint64) uint64 {
	if r.err != nil {
		return 0
	}
	if v < least {
		r.Fail("compact integer %d in a longer form than it needs", v)
		return 0
	}
	return v
}

// CompactBig reads a compact integer of at most size bytes.
func (r *Reader) CompactBig(size int) *big.Int {
	if r.Remaining() > 0 && r.b[r.at]&3 == 3 && r.b[r.at]>>2 > 4 {
		n := int(r.U8()>>2) + 4
		if n > size {
			r.Fail("compact integer of %d bytes, want at most %d", n, size)
			return new(big.Int)
		}
		v := r.BigUint(n)
		if r.err == nil && v.BitLen() <= 8*(n-1) {
			r.Fail("compact integer %d in a longer form than it needs", v)
		}
		if r.err != nil {
			return new(big.Int)
		}
		return v
	}
	v := r.Compact()
	if size < 8 && v>>(8*size) != 0 {
		r.Fail("compact integer %d in a type of %d bytes", v, size)
		return new(big.Int)
	}
	return new(big.Int).SetUint64(v)
}

// Len reads the length of a list whose elements take at least one byte each, and
// refuses one that the rest of the input cannot hold.
func (r *Reader) Len() int {
	n := r.Compact()
	if n > uint64(r.Remaining()) {
		if r.err == nil {
			r.err = fmt.Errorf("%w: byte %d: a list of %d, %d bytes are left", ErrShort, r.at, n, r.Remaining())
		}
		r.at = len(r.b)
		return 0
	}
	return int(n)
}

// ByteVec reads a byte string with its length, not copied.
func (r *Reader) ByteVec() []byte { return r.Raw(r.Len()) }

// Str reads text.
func (r *Reader) Str() string {
	b := r.ByteVec()
	if !validText(b) {
		r.Fail("text is not UTF-8")
		return ""
	}
	return string(b)
}

// BitVec reads bits, the first one from the lowest place of the first byte.
func (r *Reader) BitVec() []bool {
	n := r.Compact()
	if n > 8*uint64(r.Remaining()) {
		r.Raw(len(r.b) + 1)
		return nil
	}
	raw := r.Raw(int(n+7) / 8)
	out := make([]bool, n)
	for i := range out {
		out[i] = raw[i/8]>>(i%8)&1 == 1
	}
	if spare := n % 8; spare != 0 && raw[len(raw)-1]>>spare != 0 {
		r.Fail("bits set beyond the last of %d", n)
		return nil
	}
	return out
}

// ReadVec reads a list whose elements take at least one byte each.
func ReadVec[T any](r *Reader, each func(*Reader) T) []T {
	n := r.Len()
	if n == 0 {
		return nil
	}
	out := make([]T, 0, min(n, 1024)) // an element may be far larger in memory than on the wire
	for range n {
		out = append(out, each(r))
		if r.err != nil {
			return nil
		}
	}
	return out
}

// ReadOption reads None as nil.
func ReadOption[T any](r *Reader, each func(*Reader) T) *T {
	if !r.Bool() {
		return nil
	}
	v := each(r)
	if r.err != nil {
		return nil
	}
	return &v
}

// A Result is Rust's Result: exactly one of the two is set.
type Result[T, E any] struct {
	OK  *T
	Err *E
}

// ReadResult reads 0 and a value, or 1 and an error.
func ReadResult[T, E any](r *Reader, ok func(*Reader) T, bad func(*Reader) E) Result[T, E] {
	if r.Bool() {
		e := bad(r)
		return Result[T, E]{Err: &e}
	}
	v := ok(r)
	return Result[T, E]{OK: &v}
}

// WriteResult appends 0 and a value, or 1 and an error.
func WriteResult[T, E any](w *Writer, v Result[T, E], ok func(*Writer, T), bad func(*Writer, E)) {
	w.Bool(v.Err != nil)
	if v.Err != nil {
		bad(w, *v.Err)
		return
	}
	ok(w, *v.OK)
}
