package fixed

import (
	"math"
	"math/bits"
)

// U96F32 is a number ≥ 0 in units of 2^-32: Hi × 2^64 + Lo of them.
type U96F32 struct{ Hi, Lo uint64 }

var maxU96 = U96F32{math.MaxUint64, math.MaxUint64}

// Amount converts an integer exactly.
func Amount(n uint64) U96F32 { return U96F32{n >> 32, n << 32} }

// Add returns x + y, limited to the range.
func (x U96F32) Add(y U96F32) U96F32 {
	lo, carry := bits.Add64(x.Lo, y.Lo, 0)
	hi, carry := bits.Add64(x.Hi, y.Hi, carry)
	if carry != 0 {
		return maxU96
	}
	return U96F32{hi, lo}
}

// Sub returns x - y, 0 if y is greater.
func (x U96F32) Sub(y U96F32) U96F32 {
	lo, borrow := bits.Sub64(x.Lo, y.Lo, 0)
	hi, borrow := bits.Sub64(x.Hi, y.Hi, borrow)
	if borrow != 0 {
		return U96F32{}
	}
	return U96F32{hi, lo}
}

// Mul returns x × y floored, limited to the range.
func (x U96F32) Mul(y U96F32) U96F32 {
	p := mulWide([2]uint64{x.Lo, x.Hi}, [2]uint64{y.Lo, y.Hi})
	if p[3] != 0 || p[2]>>32 != 0 {
		return maxU96
	}
	return U96F32{p[2]<<32 | p[1]>>32, p[1]<<32 | p[0]>>32}
}

// DivOrZero returns x ÷ y floored, 0 if y is 0 or the quotient is out of range.
func (x U96F32) DivOrZero(y U96F32) U96F32 {
	n := [3]uint64{x.Lo << 32, x.Hi<<32 | x.Lo>>32, x.Hi >> 32}
	q, ok := divWide(n, [2]uint64{y.Lo, y.Hi})
	if !ok {
		return U96F32{}
	}
	return U96F32{q[1], q[0]}
}

// Uint64 is the integer part, limited to what a u64 holds.
func (x U96F32) Uint64() uint64 {
	if x.Hi>>32 != 0 {
		return math.MaxUint64
	}
	return x.Hi<<32 | x.Lo>>32
}
