package gguf

import "math"

// FromF16 widens an IEEE half to float32, exactly.
func FromF16(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	exp, frac := uint32(h>>10&0x1f), uint32(h&0x3ff)
	switch exp {
	case 0: // zero or subnormal: frac * 2^-24, exact in float32
		v := float32(frac) * 0x1p-24
		return math.Float32frombits(math.Float32bits(v) | sign)
	case 0x1f: // infinity or NaN; NaNs keep their payload
		return math.Float32frombits(sign | 0x7f800000 | frac<<13)
	}
	return math.Float32frombits(sign | (exp+127-15)<<23 | frac<<13)
}

// ToF16 narrows a float32 to an IEEE half, rounding to nearest, ties to even.
// Values too large become infinite; NaNs stay NaN and become quiet.
func ToF16(f float32) uint16 {
	b := math.Float32bits(f)
	sign := uint16(b >> 16 & 0x8000)
	b &= 0x7fffffff
	switch {
	case b > 0x7f800000: // NaN
		return sign | 0x7e00 | uint16(b>>13&0x3ff)
	case b >= 0x477ff000: // at least 65520, which rounds to 2^16
		return sign | 0x7c00
	case b >= 0x38800000: // at least 2^-14: normal
		// Adding half a unit less one, plus the kept bit, rounds to even; a carry
		// into the exponent is the right result.
		b += 0xfff + b>>13&1
		return sign | uint16((b-(127-15)<<23)>>13)
	case b < 0x33000000: // below 2^-25, which rounds to zero
		return sign
	}
	// Subnormal: shift the significand so that its unit is 2^-24.
	shift := 126 - b>>23 // 14..24: bits to drop from the 24-bit significand
	frac := b&0x7fffff | 0x800000
	half := uint32(1) << (shift - 1)
	rest := frac & (half<<1 - 1)
	out := frac >> shift
	if rest > half || rest == half && out&1 == 1 {
		out++
	}
	return sign | uint16(out)
}
