package fixed

import (
	"math"
	"math/bits"
)

// I32F32 is a signed number in units of 2^-32.
type I32F32 int64

// One is 1; Max and Min are the ends of the range.
const (
	One I32F32 = 1 << 32
	Max I32F32 = math.MaxInt64
	Min I32F32 = math.MinInt64
)

// FromInt16 converts an integer exactly.
func FromInt16(n int16) I32F32 { return I32F32(n) << 32 }

// FromUint16 converts an integer exactly.
func FromUint16(n uint16) I32F32 { return I32F32(n) << 32 }

// Proportion is n/65535, the reading of every u16 proportion on the chain.
func Proportion(n uint16) I32F32 {
	return FromUint16(n).DivOrZero(FromUint16(math.MaxUint16))
}

// Add returns x + y, limited to the range.
func (x I32F32) Add(y I32F32) I32F32 {
	sum := x + y
	if (x < 0) == (y < 0) && (sum < 0) != (x < 0) {
		return limit(x < 0)
	}
	return sum
}

// Sub returns x - y, limited to the range.
func (x I32F32) Sub(y I32F32) I32F32 {
	diff := x - y
	if (x < 0) != (y < 0) && (diff < 0) != (x < 0) {
		return limit(x < 0)
	}
	return diff
}

// Mul returns x × y floored, limited to the range.
func (x I32F32) Mul(y I32F32) I32F32 {
	if p, ok := x.mul(y); ok {
		return p
	}
	return limit((x < 0) != (y < 0))
}

// MulOrZero returns x × y floored, 0 if that is out of range.
func (x I32F32) MulOrZero(y I32F32) I32F32 {
	p, _ := x.mul(y)
	return p
}

// DivOrZero returns x ÷ y cut towards zero, 0 if y is 0 or the quotient is out of range.
func (x I32F32) DivOrZero(y I32F32) I32F32 {
	q, _ := x.div(y)
	return q
}

// DivSat returns x ÷ y cut towards zero, limited to the range. The runtime would
// stop at a zero divisor; it has none where it divides so, and here the quotient is
// then the end of the range on x's side.
func (x I32F32) DivSat(y I32F32) I32F32 {
	if q, ok := x.div(y); ok {
		return q
	}
	return limit((x < 0) != (y < 0))
}

// Uint16 is the integer part: floored, and limited to 0 … 65535.
func (x I32F32) Uint16() uint16 {
	return uint16(min(max(x>>32, 0), math.MaxUint16))
}

// RoundUint16 is the nearest integer, halves away from zero, limited to 0 … 65535.
func (x I32F32) RoundUint16() uint16 { return x.Add(One / 2).Uint16() }

// Scale65535 is the u16 proportion that the chain stores: floor(x × 65535), limited.
func (x I32F32) Scale65535() uint16 { return x.Mul(FromUint16(math.MaxUint16)).Uint16() }

// Of is the part x of an amount: the product of both as I96F32, floored to an
// integer and limited to what a u64 holds. The product of 63 and 64 bits is always
// inside I96F32, so nothing saturates before the end.
func (x I32F32) Of(amount uint64) uint64 {
	if x <= 0 {
		return 0
	}
	hi, lo := bits.Mul64(uint64(x), amount)
	if hi>>32 != 0 {
		return math.MaxUint64
	}
	return hi<<32 | lo>>32
}

func (x I32F32) mul(y I32F32) (I32F32, bool) {
	hi, lo := bits.Mul64(abs(x), abs(y))
	if (x < 0) != (y < 0) { // floor of a negative product is the ceiling of its size
		var carry uint64
		lo, carry = bits.Add64(lo, 1<<32-1, 0)
		hi += carry
		size := hi<<32 | lo>>32
		if hi>>32 != 0 || size > 1<<63 {
			return 0, false
		}
		return -I32F32(size), true
	}
	if hi>>31 != 0 {
		return 0, false
	}
	return I32F32(hi<<32 | lo>>32), true
}

func (x I32F32) div(y I32F32) (I32F32, bool) {
	n, d := abs(x), abs(y)
	if n>>32 >= d { // zero divisor, or a quotient of more than 64 bits
		return 0, false
	}
	q, _ := bits.Div64(n>>32, n<<32, d)
	if (x < 0) != (y < 0) {
		if q > 1<<63 {
			return 0, false
		}
		return -I32F32(q), true
	}
	if q >= 1<<63 {
		return 0, false
	}
	return I32F32(q), true
}

func abs(x I32F32) uint64 {
	if x < 0 {
		return -uint64(x)
	}
	return uint64(x)
}

func limit(negative bool) I32F32 {
	if negative {
		return Min
	}
	return Max
}
