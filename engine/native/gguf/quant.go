package gguf

import (
	"encoding/binary"
	"math"
)

// blockLen is the number of elements that share a scale in Q8_0 and Q4_0.
const blockLen = 32

// Dequantize widens src, whole blocks of type t, into dst, which must have exactly
// as many elements. Every value is exact but for the one product scale × integer.
func Dequantize(dst []float32, t Type, src []byte) error {
	want, ok := t.Bytes(uint64(len(dst)))
	if per, _ := t.Block(); per == 0 {
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
	case Q8_0:
		for ; len(dst) > 0; dst, src = dst[blockLen:], src[34:] {
			d := FromF16(binary.LittleEndian.Uint16(src))
			for i, q := range src[2:34] {
				dst[i] = d * float32(int8(q))
			}
		}
	case Q4_0:
		for ; len(dst) > 0; dst, src = dst[blockLen:], src[18:] {
			d := FromF16(binary.LittleEndian.Uint16(src))
			for i, q := range src[2:18] {
				dst[i] = d * float32(int(q&15)-8)
				dst[i+16] = d * float32(int(q>>4)-8)
			}
		}
	}
	return nil
}

// Quantize stores src, whole blocks, as type t. Values that Q8_0 and Q4_0 cannot
// scale (NaN, infinities, scales beyond a half) are refused; F16 follows IEEE.
func Quantize(t Type, src []float32) ([]byte, error) {
	if per, _ := t.Block(); per == 0 {
		return nil, unsupported("%v is not written, only %s", t, readable)
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
	case F16:
		for _, v := range src {
			out = binary.LittleEndian.AppendUint16(out, ToF16(v))
		}
	case Q8_0, Q4_0:
		for i := 0; i < len(src); i += blockLen {
			block := (*[blockLen]float32)(src[i:])
			high, err := extreme(block)
			if err != nil {
				return nil, err
			}
			if t == Q8_0 {
				out, err = appendQ8(out, block, high)
			} else {
				out, err = appendQ4(out, block, high)
			}
			if err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// extreme returns the element of largest magnitude, with its sign; the first of
// several.
func extreme(block *[blockLen]float32) (float32, error) {
	var high, amax float32
	for _, v := range block {
		if v != v || v > math.MaxFloat32 || v < -math.MaxFloat32 {
			return 0, malformed("cannot quantize the value %v", v)
		}
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
func appendQ8(out []byte, block *[blockLen]float32, high float32) ([]byte, error) {
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
func appendQ4(out []byte, block *[blockLen]float32, high float32) ([]byte, error) {
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
