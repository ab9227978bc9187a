package gguf

import "encoding/binary"

// The blocks of 32, laid out as in ggml-common.h. Each function widens one block, whose
// size the caller has checked. Elements 0 to 15 are in the low nibbles, 16 to 31 in the
// high ones; where there is a fifth bit, bit i of a 32-bit word is element i's.
//
// Products are converted explicitly, which forbids the compiler to fuse them with the
// sum that follows.

// half reads the half at an offset.
func half(b []byte, at int) float32 { return FromF16(binary.LittleEndian.Uint16(b[at:])) }

func widenQ8_0(dst []float32, b []byte) {
	d := half(b, 0)
	for i, q := range b[2:34] {
		dst[i] = d * float32(int8(q))
	}
}

func widenQ4_0(dst []float32, b []byte) {
	d := half(b, 0)
	for i, q := range b[2:18] {
		dst[i] = d * float32(int(q&15)-8)
		dst[i+16] = d * float32(int(q>>4)-8)
	}
}

func widenQ4_1(dst []float32, b []byte) {
	d, m := half(b, 0), half(b, 2)
	for i, q := range b[4:20] {
		dst[i] = float32(d*float32(q&15)) + m
		dst[i+16] = float32(d*float32(q>>4)) + m
	}
}

func widenQ5_0(dst []float32, b []byte) {
	d, fifth := half(b, 0), binary.LittleEndian.Uint32(b[2:])
	for i, q := range b[6:22] {
		dst[i] = d * float32(int(q&15|bit(fifth, i)<<4)-16)
		dst[i+16] = d * float32(int(q>>4|bit(fifth, i+16)<<4)-16)
	}
}

func widenQ5_1(dst []float32, b []byte) {
	d, m, fifth := half(b, 0), half(b, 2), binary.LittleEndian.Uint32(b[4:])
	for i, q := range b[8:24] {
		dst[i] = float32(d*float32(q&15|bit(fifth, i)<<4)) + m
		dst[i+16] = float32(d*float32(q>>4|bit(fifth, i+16)<<4)) + m
	}
}

func bit(word uint32, i int) byte { return byte(word >> i & 1) }
