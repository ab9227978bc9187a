package kernel

import "encoding/binary"

// The blocks of 32 and the sub-blocks of 32 of the blocks of 256, laid out as in
// ggml-common.h; package gguf describes them. Products of a half and a 6- or 8-bit
// integer are exact in float32.

func halfAt(b []byte, at int) float32 { return widen(binary.LittleEndian.Uint16(b[at:])) }

const (
	lowNibbles = 0x0F0F0F0F0F0F0F0F
	bitOfEach  = 0x0101010101010101
)

// nibbles splits 16 bytes: the low halves first. Eight bytes are worked on together.
func nibbles(q *[quantLen]uint8, b []byte) {
	for i := 0; i < 16; i += 8 {
		v := binary.LittleEndian.Uint64(b[i:])
		binary.LittleEndian.PutUint64(q[i:], v&lowNibbles)
		binary.LittleEndian.PutUint64(q[16+i:], v>>4&lowNibbles)
	}
}

// fifth adds bit i of a word to element i as its bit 4.
func fifth(q *[quantLen]uint8, word uint32) {
	for i := 0; i < quantLen; i += 8 {
		// The byte in every byte, one bit of it kept in each, and moved to bit 7 by a sum
		// that cannot carry into the next.
		v := uint64(word>>i&0xFF) * bitOfEach & 0x8040201008040201
		v = (v + 0x00406070787C7E7F) >> 7 & bitOfEach
		binary.LittleEndian.PutUint64(q[i:], binary.LittleEndian.Uint64(q[i:])|v<<4)
	}
}

func (d *decoded) scales(s float32) { d.scale[0], d.scale[1] = s, s }

func decodeQ8_0(b []byte, _ int, d *decoded) {
	d.scales(halfAt(b, 0))
	copy(d.q[:], b[2:34])
}

func decodeQ4_0(b []byte, _ int, d *decoded) {
	d.scales(halfAt(b, 0))
	nibbles(&d.q, b[2:])
}

func decodeQ4_1(b []byte, _ int, d *decoded) {
	d.scales(halfAt(b, 0))
	d.offset = halfAt(b, 2)
	nibbles(&d.q, b[4:])
}

func decodeQ5_0(b []byte, _ int, d *decoded) {
	d.scales(halfAt(b, 0))
	nibbles(&d.q, b[6:])
	fifth(&d.q, binary.LittleEndian.Uint32(b[2:]))
}

func decodeQ5_1(b []byte, _ int, d *decoded) {
	d.scales(halfAt(b, 0))
	d.offset = halfAt(b, 2)
	nibbles(&d.q, b[8:])
	fifth(&d.q, binary.LittleEndian.Uint32(b[4:]))
}

// superScale reads the 6-bit scale and minimum of a sub-block of Q4_K and Q5_K and
// multiplies them out; what is added is the minimum negated.
func (d *decoded) superScale(b []byte, sub int) {
	s := b[4:16]
	scale, minimum := s[sub&3]&63, s[sub&3+4]&63
	if sub >= 4 {
		scale, minimum = s[sub+4]&15|s[sub-4]>>6<<4, s[sub+4]>>4|s[sub]>>6<<4
	}
	d.scales(halfAt(b, 0) * float32(scale))
	d.offset = -(halfAt(b, 2) * float32(minimum))
}

func decodeQ4_K(b []byte, sub int, d *decoded) {
	d.superScale(b, sub)
	low, shift := b[16+sub/2*32:][:32], sub&1*4
	for i := 0; i < quantLen; i += 8 {
		v := binary.LittleEndian.Uint64(low[i:])
		binary.LittleEndian.PutUint64(d.q[i:], v>>shift&lowNibbles)
	}
}

func decodeQ5_K(b []byte, sub int, d *decoded) {
	d.superScale(b, sub)
	low, high, shift := b[48+sub/2*32:][:32], b[16:48], sub&1*4
	for i := 0; i < quantLen; i += 8 {
		v, h := binary.LittleEndian.Uint64(low[i:]), binary.LittleEndian.Uint64(high[i:])
		binary.LittleEndian.PutUint64(d.q[i:], v>>shift&lowNibbles|h>>sub&bitOfEach<<4)
	}
}

func decodeQ6_K(b []byte, sub int, d *decoded) {
	part, quarter, scale := sub/4, sub%4, halfAt(b, 208)
	low, high := b[part*64+quarter%2*32:][:32], b[128+part*32:][:32]
	for i := 0; i < quantLen; i += 8 {
		v, h := binary.LittleEndian.Uint64(low[i:]), binary.LittleEndian.Uint64(high[i:])
		binary.LittleEndian.PutUint64(d.q[i:], v>>(quarter/2*4)&lowNibbles|h>>(quarter*2)&(3*bitOfEach)<<4)
	}
	d.scale[0] = scale * float32(int8(b[192+2*sub]))
	d.scale[1] = scale * float32(int8(b[193+2*sub]))
}
