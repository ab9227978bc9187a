package gguf

import (
	"encoding/binary"
	"math"
)

// blockLen is the number of elements that share a scale in the formats before the
// K-quants, superLen the number that share a block of those.
const (
	blockLen = 32
	superLen = 256
)

// Dequantize widens src, whole blocks of type t, into dst, which must have exactly
// as many elements. Every operation is one float32 rounding, never fused, so the
// values are the same on every machine.
func Dequantize(dst []float32, t Type, src []byte) error {
	want, ok := t.Bytes(uint64(len(dst)))
	per, size := t.Block()
	if per == 0 {
		return unsupported("%v is not read, only %s", t, readable)
	}
	if !ok || uint64(len(src)) != want {
		return malformed("%d bytes of %v do not hold %d elements", len(src), t, len(dst))
	}
	switch t {
	case F32:
		for i := range dst {
			dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(src[i*4:]))
		}
	case F16:
		for i := range dst {
			dst[i] = FromF16(binary.LittleEndian.Uint16(src[i*2:]))
		}
	case BF16:
		for i := range dst {
			dst[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(src[i*2:])) << 16)
		}
	default:
		widen := widener(t)
		for ; len(dst) > 0; dst, src = dst[per:], src[size:] {
			widen(dst[:per], src[:size])
		}
	}
	return nil
}

// widener returns the function that widens one block.
func widener(t Type) func(dst []float32, b []byte) {
	switch t {
	case Q4_0:
		return widenQ4_0
	case Q4_1:
		return widenQ4_1
	case Q5_0:
		return widenQ5_0
	case Q5_1:
		return widenQ5_1
	case Q8_0:
		return widenQ8_0
	case Q4_K:
		return widenQ4_K
	case Q5_K:
		return widenQ5_K
	case Q6_K:
		return widenQ6_K
	default:
		panic("internal error: type has blocks but nothing that widens them")
	}
}

// Quantize stores src, whole blocks, as type t. Values that the block formats cannot
// scale (NaN, infinities, scales beyond a half) are refused; F16 follows IEEE.
//
// Q4_K is our own rounding: for each 32 elements the scale and minimum of least square
// error among nine starting points, then rounded to 6 bits. On normally distributed
// weights its root mean square error is 0.83 of Q4_0's, for the same 4.5 bits.
func Quantize(t Type, src []float32) ([]byte, error) {
	var block func(out []byte, block []float32) ([]byte, error)
	switch t {
	case F32, F16:
	case Q8_0:
		block = appendQ8
	case Q4_0:
		block = appendQ4
	case Q4_K:
		block = appendQ4K
	default:
		return nil, unsupported("%v is not written, only %s", t, writable)
	}
	size, ok := t.Bytes(uint64(len(src)))
	if !ok {
		return nil, malformed("%d elements do not fill blocks of %v", len(src), t)
	}
	out := make([]byte, 0, size)
	switch t {
	case F32:
		for _, v := range src {
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(v))
		}
		return out, nil
	case F16:
		for _, v := range src {
			out = binary.LittleEndian.AppendUint16(out, ToF16(v))
		}
		return out, nil
	default: // in blocks
	}
	per, _ := t.Block()
	for ; len(src) > 0; src = src[per:] {
		var err error
		if out, err = block(out, src[:per]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// finite refuses what no scale can hold.
func finite(block []float32) error {
	for _, v := range block {
		if v != v || v > math.MaxFloat32 || v < -math.MaxFloat32 {
			return malformed("cannot quantize the value %v", v)
		}
	}
	return nil
}

// extreme returns the element of largest magnitude, with its sign; the first of
// several.
func extreme(block []float32) (float32, error) {
	if err := finite(block); err != nil {
		return 0, err
	}
	var high, amax float32
	for _, v := range block {
		if a := max(v, -v); a > amax {
			high, amax = v, a
		}
	}
	return high, nil
}

// scale returns d as a half and 1/d, which multiplies the elements. The factor is
// that of the unrounded d, as in ggml. It is zero when 1/d overflows: then the half
// is zero too, and the integers do not matter.
func scale(d float32) (uint16, float32, error) {
	h := ToF16(d)
	if h&0x7fff == 0x7c00 {
		return 0, 0, malformed("cannot quantize: the block's scale %v exceeds a half", d)
	}
	if d == 0 {
		return h, 0, nil
	}
	inv := 1 / d
	if inv > math.MaxFloat32 || inv < -math.MaxFloat32 {
		inv = 0
	}
	return h, inv, nil
}

// appendQ8 stores round(x/d), halves away from zero, with d = amax/127.
func appendQ8(out []byte, block []float32) ([]byte, error) {
	high, err := extreme(block)
	if err != nil {
		return nil, err
	}
	h, inv, err := scale(max(high, -high) / 127)
	if err != nil {
		return nil, err
	}
	out = binary.LittleEndian.AppendUint16(out, h)
	for _, v := range block {
		q := math.Round(float64(float32(v * inv)))
		out = append(out, byte(int8(min(max(q, -127), 127))))
	}
	return out, nil
}

// appendQ4 stores min(15, trunc(x/d + 8.5)) with d = high/-8, elements 0 to 15 in
// the low nibbles and 16 to 31 in the high ones.
func appendQ4(out []byte, block []float32) ([]byte, error) {
	high, err := extreme(block)
	if err != nil {
		return nil, err
	}
	h, inv, err := scale(high / -8)
	if err != nil {
		return nil, err
	}
	out = binary.LittleEndian.AppendUint16(out, h)
	nibble := func(v float32) byte {
		return byte(min(15, int(float32(v*inv)+8.5)))
	}
	for i := range blockLen / 2 {
		out = append(out, nibble(block[i])|nibble(block[i+16])<<4)
	}
	return out, nil
}
