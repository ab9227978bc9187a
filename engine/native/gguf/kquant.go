package gguf

import (
	"encoding/binary"
	"math"
)

// The blocks of 256, laid out as in ggml-common.h.

// scaleMin unpacks the 6-bit scale and minimum of one of the eight sub-blocks of Q4_K
// and Q5_K from their twelve bytes: the first four pairs lie in the low 6 bits of bytes
// 0 to 3 and 4 to 7; the others have their low 4 bits in bytes 8 to 11, scale first, and
// their high 2 bits in the top of bytes 0 to 3 and 4 to 7.
func scaleMin(b []byte, sub int) (scale, minimum byte) {
	if sub < 4 {
		return b[sub] & 63, b[sub+4] & 63
	}
	low := b[sub+4]
	return low&15 | b[sub-4]>>6<<4, low>>4 | b[sub]>>6<<4
}

// packScaleMin is the inverse of scaleMin; b must be zero at first.
func packScaleMin(b []byte, sub int, scale, minimum byte) {
	if sub < 4 {
		b[sub] |= scale
		b[sub+4] |= minimum
		return
	}
	b[sub+4] = scale&15 | minimum<<4
	b[sub-4] |= scale >> 4 << 6
	b[sub] |= minimum >> 4 << 6
}

// widenQ4_K: half scale, half minimum, 12 bytes of scaleMin, 128 bytes of nibbles. Each
// 32 bytes hold one sub-block in the low nibbles and the next in the high ones.
func widenQ4_K(dst []float32, b []byte) {
	d, dmin, scales, quants := half(b, 0), half(b, 2), b[4:16], b[16:144]
	for sub := range 8 {
		s, m := scaleMin(scales, sub)
		step, minimum := d*float32(s), dmin*float32(m)
		shift := sub & 1 * 4
		for i, q := range quants[sub/2*32:][:32] {
			dst[sub*32+i] = float32(step*float32(q>>shift&15)) - minimum
		}
	}
}

// widenQ5_K: as Q4_K, with 32 bytes of fifth bits before the nibbles: bit n of byte i is
// that of element i of sub-block n.
func widenQ5_K(dst []float32, b []byte) {
	d, dmin, scales, fifth, quants := half(b, 0), half(b, 2), b[4:16], b[16:48], b[48:176]
	for sub := range 8 {
		s, m := scaleMin(scales, sub)
		step, minimum := d*float32(s), dmin*float32(m)
		shift := sub & 1 * 4
		for i, q := range quants[sub/2*32:][:32] {
			q = q>>shift&15 | fifth[i]>>sub&1<<4
			dst[sub*32+i] = float32(step*float32(q)) - minimum
		}
	}
}

// widenQ6_K: 128 bytes of low nibbles, 64 bytes of two high bits, 16 signed scales, one
// for each 16 elements, half scale. Each half of the block has 64 bytes of nibbles and
// 32 of high bits; quarters 0 and 1 of the half are in the low nibbles, 2 and 3 in the
// high ones, and quarter n has bits 2n and 2n+1.
func widenQ6_K(dst []float32, b []byte) {
	low, high, scales, d := b[:128], b[128:192], b[192:208], half(b, 208)
	for i := range superLen {
		part, quarter, at := i/128, i/32%4, i%32
		q := low[part*64+quarter%2*32+at] >> (quarter / 2 * 4) & 15
		q |= high[part*32+at] >> (quarter * 2) & 3 << 4
		step := d * float32(int8(scales[i/16]))
		dst[i] = step * float32(int(q)-32)
	}
}

// appendQ4K fits a scale and a minimum to each sub-block, rounds these to 6 bits of the
// greatest, and rounds the elements by what the 6 bits say.
func appendQ4K(out []byte, block []float32) ([]byte, error) {
	if err := finite(block); err != nil {
		return nil, err
	}
	var steps, minima [8]float64
	for sub := range 8 {
		steps[sub], minima[sub] = fitQ4K(block[sub*32 : sub*32+32])
	}
	d, s, err := sixBits(&steps)
	if err != nil {
		return nil, err
	}
	dmin, m, err := sixBits(&minima)
	if err != nil {
		return nil, err
	}
	var packed [12]byte
	var quants [128]byte
	for sub := range 8 {
		packScaleMin(packed[:], sub, s[sub], m[sub])
		step := float64(FromF16(d) * float32(s[sub]))
		minimum := float64(FromF16(dmin) * float32(m[sub]))
		for i, v := range block[sub*32 : sub*32+32] {
			quants[sub/2*32+i] |= nibble(float64(v)+minimum, step) << (sub & 1 * 4)
		}
	}
	out = binary.LittleEndian.AppendUint16(out, d)
	out = binary.LittleEndian.AppendUint16(out, dmin)
	out = append(out, packed[:]...)
	return append(out, quants[:]...), nil
}

// nibble returns x/step to the nearest of 0 to 15; 0 where there is no step.
func nibble(x, step float64) byte {
	if step == 0 {
		return 0
	}
	return byte(min(max(x/step, 0), 15) + 0.5)
}

// sixBits stores eight numbers that are not negative as a half and 6-bit multiples.
func sixBits(v *[8]float64) (h uint16, multiples [8]byte, err error) {
	high := 0.0
	for _, x := range v {
		high = max(high, x)
	}
	h = ToF16(float32(high / 63))
	if h&0x7fff == 0x7c00 {
		return 0, multiples, malformed("cannot quantize: the block's scale %v exceeds a half", high/63)
	}
	d := float64(FromF16(h))
	if d == 0 {
		return h, multiples, nil
	}
	for i, x := range v {
		multiples[i] = byte(min(math.Round(x/d), 63))
	}
	return h, multiples, nil
}

// fitQ4K returns the step and the minimum, neither negative, for which elements are
// near step × (0 to 15) − minimum. From each of nine steps around the range's fifteenth
// it rounds once and takes the least-squares line through what came out; the line of
// least square error wins. Own.
func fitQ4K(x []float32) (step, minimum float64) {
	low, high := 0.0, 0.0 // zero is among the values: the minimum cannot be negative
	for _, v := range x {
		low, high = min(low, float64(v)), max(high, float64(v))
	}
	if low == high {
		return 0, 0
	}
	best := math.Inf(1)
	for k := range 9 {
		// 15 steps fill the range at k = 2; later ones cut its ends off.
		s, m := line(x, (high-low)/(14+0.5*float64(k)), -low)
		if e := squareError(x, s, m); e < best {
			best, step, minimum = e, s, m
		}
	}
	return step, minimum
}

// line rounds x by a step and a minimum and returns those that fit the outcome best.
func line(x []float32, step, minimum float64) (float64, float64) {
	n := float64(len(x))
	var q, qq, v, qv float64
	for _, f := range x {
		a, b := float64(nibble(float64(f)+minimum, step)), float64(f)
		q, qq, v, qv = q+a, qq+a*a, v+b, qv+float64(a*b)
	}
	det := float64(n*qq) - float64(q*q) // integers: exact
	if det == 0 {
		return step, minimum
	}
	s := (float64(n*qv) - float64(q*v)) / det
	m := (float64(s*q) - v) / n
	if m < 0 { // the line through the origin
		s, m = qv/qq, 0
	}
	if s <= 0 {
		return step, minimum
	}
	return s, m
}

func squareError(x []float32, step, minimum float64) float64 {
	sum := 0.0
	for _, v := range x {
		q := float64(nibble(float64(v)+minimum, step))
		e := float64(step*q) - minimum - float64(v)
		sum += float64(e * e)
	}
	return sum
}
