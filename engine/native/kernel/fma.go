package kernel

import "math"

// fma returns a*b + c rounded once to float32, as the hardware instruction does.
//
// The product of two float32 is exact in float64. The sum, rounded to float64 and
// then to float32, is wrong only when the first rounding lands on the middle between
// two float32 (low 29 bits 1000…) or the result is subnormal, where the middle lies
// elsewhere. Then the sum is rounded to odd instead: with at least two bits to spare
// the second rounding is then the only one that counts (Boldo and Melquiond,
// "Emulation of FMA and correctly rounded sums", 2008).
//
// math.FMA rounds to float64 and so cannot be used.
func fma(a, b, c float32) float32 {
	s, ok := step(a, b, float64(c))
	if !ok {
		p := float64(float64(a) * float64(b))
		s = float64(float32(roundToOdd(p, float64(c), p+float64(c))))
	}
	return float32(s)
}

// step is fma with the addend and the result held as float64, small enough to be
// inlined into loops that keep their sums in that form. It is not ok, and the result
// may be wrong, where the sum must be rounded to odd.
func step(a, b float32, c float64) (s float64, ok bool) {
	const (
		lowBits, half = 1<<29 - 1, 1 << 28
		smallest      = (1023 - 126) << 52 // 2^-126
	)
	s = float64(float64(a)*float64(b)) + c
	u := math.Float64bits(s)
	return float64(float32(s)), u&lowBits != half && u<<1 >= smallest<<1
}

// roundToOdd corrects s, the nearest float64 to p + c: when the sum is not exact, the
// one of its two neighbours whose last bit is set.
func roundToOdd(p, c, s float64) float64 {
	t := s - p
	lost := (p - (s - t)) + (c - t) // Knuth's TwoSum: exact
	bits := math.Float64bits(s)
	if lost == 0 || lost != lost || bits&1 == 1 || s-s != 0 {
		return s
	}
	if (lost > 0) == (s > 0) {
		return math.Float64frombits(bits + 1)
	}
	return math.Float64frombits(bits - 1)
}

// widen turns float16 bits into the float32 of the same value.
func widen(h uint16) float32 {
	sign := uint32(h>>15) << 31
	exp, frac := uint32(h>>10)&31, uint32(h)&1023
	switch exp {
	case 0: // zero and subnormal: frac * 2^-24, exact
		v := float32(frac) * 0x1p-24
		return math.Float32frombits(math.Float32bits(v) | sign)
	case 31:
		return math.Float32frombits(sign | 0x7F800000 | frac<<13)
	default:
		return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
	}
}
