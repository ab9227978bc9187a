package fixed

import (
	"math"
	"math/bits"
)

// I64F64 is a signed number in units of 2^-64: Hi × 2^64 + Lo of them.
type I64F64 struct {
	Hi int64
	Lo uint64
}

var (
	max64 = I64F64{math.MaxInt64, math.MaxUint64}
	min64 = I64F64{math.MinInt64, 0}
)

// FromUint64 converts an integer, limited to the range.
func FromUint64(n uint64) I64F64 {
	if n > math.MaxInt64 {
		return max64
	}
	return I64F64{Hi: int64(n)}
}

// Proportion64 is n/(2^64-1) to 32 fractional bits, as the runtime reads TaoWeight
// (stake_utils.rs get_tao_weight: a quotient of U96F32, widened afterwards).
func Proportion64(n uint64) I64F64 {
	if n == math.MaxUint64 {
		return I64F64{Hi: 1}
	}
	q, _ := bits.Div64(n>>32, n<<32, math.MaxUint64)
	return I64F64{Hi: int64(q >> 32), Lo: q << 32}
}

// Add returns x + y, limited to the range.
func (x I64F64) Add(y I64F64) I64F64 {
	sum := x.Plus(y)
	if (x.Hi < 0) == (y.Hi < 0) && (sum.Hi < 0) != (x.Hi < 0) {
		return limit64(x.Hi < 0)
	}
	return sum
}

// Plus returns x + y and wraps around at the ends of the range.
func (x I64F64) Plus(y I64F64) I64F64 {
	lo, carry := bits.Add64(x.Lo, y.Lo, 0)
	hi, _ := bits.Add64(uint64(x.Hi), uint64(y.Hi), carry)
	return I64F64{int64(hi), lo}
}

// Mul returns x × y floored, limited to the range.
func (x I64F64) Mul(y I64F64) I64F64 {
	negative := (x.Hi < 0) != (y.Hi < 0)
	p := mulWide(x.size(), y.size())
	cut := p[0] != 0
	if negative && cut { // floor of a negative product is the ceiling of its size
		var carry uint64
		p[1], carry = bits.Add64(p[1], 1, 0)
		p[2], carry = bits.Add64(p[2], 0, carry)
		p[3] += carry
	}
	if p[3] != 0 {
		return limit64(negative)
	}
	return signed(p[2], p[1], negative)
}

// DivOrZero returns x ÷ y cut towards zero, 0 if y is 0 or the quotient is out of
// range.
func (x I64F64) DivOrZero(y I64F64) I64F64 {
	n := x.size()
	q, ok := divWide([3]uint64{0, n[0], n[1]}, y.size())
	negative := (x.Hi < 0) != (y.Hi < 0)
	if !ok || out(q[1], q[0], negative) {
		return I64F64{}
	}
	return signed(q[1], q[0], negative)
}

// IsZero reports whether x is 0.
func (x I64F64) IsZero() bool { return x == I64F64{} }

// Uint64 is the integer part: floored, and not below 0.
func (x I64F64) Uint64() uint64 { return uint64(max(x.Hi, 0)) }

// I32F32 drops 32 fractional bits: floored, and limited to the range.
func (x I64F64) I32F32() I32F32 {
	if x.Hi > math.MaxInt32 || x.Hi < math.MinInt32 {
		return limit(x.Hi < 0)
	}
	return I32F32(x.Hi<<32 | int64(x.Lo>>32))
}

// size is |x| as (low, high) words; that of the least number is 2^127.
func (x I64F64) size() [2]uint64 {
	if x.Hi >= 0 {
		return [2]uint64{x.Lo, uint64(x.Hi)}
	}
	lo, borrow := bits.Sub64(0, x.Lo, 0)
	hi, _ := bits.Sub64(0, uint64(x.Hi), borrow)
	return [2]uint64{lo, hi}
}

// out reports whether a size with its sign lies outside the range.
func out(hi, lo uint64, negative bool) bool {
	if negative {
		return hi > 1<<63 || hi == 1<<63 && lo != 0
	}
	return hi >= 1<<63
}

// signed gives a size its sign, limited to the range.
func signed(hi, lo uint64, negative bool) I64F64 {
	if out(hi, lo, negative) {
		return limit64(negative)
	}
	if negative {
		var borrow uint64
		lo, borrow = bits.Sub64(0, lo, 0)
		hi, _ = bits.Sub64(0, hi, borrow)
	}
	return I64F64{int64(hi), lo}
}

// mulWide is the whole product, least word first.
func mulWide(a, b [2]uint64) (p [4]uint64) {
	for i, x := range a {
		var carry uint64
		for j, y := range b {
			hi, lo := bits.Mul64(x, y)
			lo, c := bits.Add64(lo, carry, 0)
			hi += c
			p[i+j], c = bits.Add64(p[i+j], lo, 0)
			carry = hi + c
		}
		p[i+2] = carry
	}
	return p
}

// divWide is n ÷ b of three words, least first; false if b is 0 or the quotient has
// more than 128 bits. One bit a step: an epoch divides so a few times a neuron, and
// this form is easy to check.
func divWide(n [3]uint64, b [2]uint64) (q [2]uint64, ok bool) {
	if b == [2]uint64{} {
		return q, false
	}
	var rem [2]uint64
	for i := 191; i >= 0; i-- {
		carried := rem[1] >> 63
		rem[1] = rem[1]<<1 | rem[0]>>63
		rem[0] = rem[0]<<1 | n[i/64]>>(i%64)&1
		lo, borrow := bits.Sub64(rem[0], b[0], 0)
		hi, borrow := bits.Sub64(rem[1], b[1], borrow)
		if carried < borrow { // rem, with its carried bit, is less than b
			continue
		}
		if i >= 128 {
			return q, false
		}
		rem = [2]uint64{lo, hi}
		q[i/64] |= 1 << (i % 64)
	}
	return q, true
}

func limit64(negative bool) I64F64 {
	if negative {
		return min64
	}
	return max64
}
