// Package scale reads and writes SCALE, the encoding of Substrate chains: little
// endian, without names or tags, so that both ends must know the type.
//
// It knows primitives and lengths; which type comes next is the caller's business
// (chain/substrate takes it from a chain's metadata). Two invariants: each value
// has one encoding, so that a compact integer in a longer form than it needs, a
// flag that is neither 0 nor 1 or a stray bit is refused; and nothing is allocated
// for a length before the input is known to hold that many bytes.
//
// Source of the format: docs.substrate.io, "Type encoding (SCALE)".
package scale

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"math/bits"
	"unicode/utf8"
)

// ErrFormat is the root of every failure to decode.
var ErrFormat = errors.New("malformed SCALE")

// ErrShort is the failure of input that ends inside a value; it is an ErrFormat.
var ErrShort = fmt.Errorf("%w: ends early", ErrFormat)

// maxBig is the longest compact integer: 2^536-1 in 67 bytes.
const maxBig = 67

// A Writer builds an encoding. The zero value is ready; it never fails.
type Writer struct{ b []byte }

// Bytes returns what was written; it stays valid until the next write.
func (w *Writer) Bytes() []byte { return w.b }

// Raw appends bytes as they are: a fixed array, or something already encoded.
func (w *Writer) Raw(v ...byte) { w.b = append(w.b, v...) }

// Bool appends 0 or 1.
func (w *Writer) Bool(v bool) {
	if v {
		w.U8(1)
		return
	}
	w.U8(0)
}

// U8 appends an integer of one byte.
func (w *Writer) U8(v uint8) { w.b = append(w.b, v) }

// U16 appends an integer of two bytes.
func (w *Writer) U16(v uint16) { w.b = binary.LittleEndian.AppendUint16(w.b, v) }

// U32 appends an integer of four bytes.
func (w *Writer) U32(v uint32) { w.b = binary.LittleEndian.AppendUint32(w.b, v) }

// U64 appends an integer of eight bytes.
func (w *Writer) U64(v uint64) { w.b = binary.LittleEndian.AppendUint64(w.b, v) }

// I8 appends a signed integer of one byte.
func (w *Writer) I8(v int8) { w.U8(uint8(v)) }

// I16 appends a signed integer of two bytes.
func (w *Writer) I16(v int16) { w.U16(uint16(v)) }

// I32 appends a signed integer of four bytes.
func (w *Writer) I32(v int32) { w.U32(uint32(v)) }

// I64 appends a signed integer of eight bytes.
func (w *Writer) I64(v int64) { w.U64(uint64(v)) }

// Big appends the integer v in size bytes, two's complement when it is negative:
// u128, i128, u256 and i256. The caller has checked that it fits; see [FitsUint]
// and [FitsInt].
func (w *Writer) Big(v *big.Int, size int) {
	n := v
	if v.Sign() < 0 {
		n = new(big.Int).Add(v, new(big.Int).Lsh(big.NewInt(1), uint(8*size)))
	}
	at := len(w.b)
	w.b = append(w.b, make([]byte, size)...)
	n.FillBytes(w.b[at:])
	reverse(w.b[at:])
}

// FitsUint reports whether v is in [0, 2^(8·size)).
func FitsUint(v *big.Int, size int) bool { return v.Sign() >= 0 && v.BitLen() <= 8*size }

// FitsInt reports whether v is in [-2^(8·size-1), 2^(8·size-1)).
func FitsInt(v *big.Int, size int) bool {
	if v.Sign() < 0 {
		v = new(big.Int).Not(v) // -v-1
	}
	return v.BitLen() < 8*size
}

// Compact appends an integer in the shortest of SCALE's four forms.
func (w *Writer) Compact(v uint64) {
	switch {
	case v < 1<<6:
		w.U8(uint8(v) << 2)
	case v < 1<<14:
		w.U16(uint16(v)<<2 | 1)
	case v < 1<<30:
		w.U32(uint32(v)<<2 | 2)
	default:
		n := (bits.Len64(v) + 7) / 8
		w.U8(uint8(n-4)<<2 | 3)
		for range n {
			w.U8(uint8(v))
			v >>= 8
		}
	}
}

// CompactBig appends an integer of any size that the form can hold. It panics on
// a negative one and above 2^536-1, which no type of a chain allows.
func (w *Writer) CompactBig(v *big.Int) {
	if v.IsUint64() {
		w.Compact(v.Uint64())
		return
	}
	if !FitsUint(v, maxBig) {
		panic("internal error: compact integer out of range")
	}
	n := (v.BitLen() + 7) / 8
	w.U8(uint8(n-4)<<2 | 3)
	w.Big(v, n)
}

// Len appends the length of a list.
func (w *Writer) Len(n int) { w.Compact(uint64(n)) }

// Str appends a byte string with its length; text is one too.
func (w *Writer) Str(v string) {
	w.Len(len(v))
	w.b = append(w.b, v...)
}

// ByteVec appends a byte string with its length.
func (w *Writer) ByteVec(v []byte) {
	w.Len(len(v))
	w.b = append(w.b, v...)
}

// BitVec appends bits, the first one in the lowest place of the first byte.
func (w *Writer) BitVec(v []bool) {
	w.Len(len(v))
	at := len(w.b)
	w.b = append(w.b, make([]byte, (len(v)+7)/8)...)
	for i, set := range v {
		if set {
			w.b[at+i/8] |= 1 << (i % 8)
		}
	}
}

// WriteVec appends a list.
func WriteVec[T any](w *Writer, v []T, each func(*Writer, T)) {
	w.Len(len(v))
	for _, e := range v {
		each(w, e)
	}
}

// WriteOption appends None for nil and Some otherwise.
func WriteOption[T any](w *Writer, v *T, each func(*Writer, T)) {
	w.Bool(v != nil)
	if v != nil {
		each(w, *v)
	}
}

func reverse(b []byte) {
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
}

// validText reports whether b is text as Rust's String holds it.
func validText(b []byte) bool { return utf8.Valid(b) }
