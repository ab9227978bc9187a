package kernel

import (
	"encoding/binary"
	"math"
)

// tileRows is how many rows of blocks are unpacked together.
const tileRows = 16

// tileVectors is how many vectors a tile is multiplied by together, at most.
const tileVectors = 8

// A record is 32 activations in integers: q · d, nearly. Assembler knows its layout.
type record struct {
	q    [quantLen]int8
	d    float32
	fix  int32   // -bias · sum of q
	s    float32 // d · sum of q, rounded
	fix0 int32   // -bias · sum of the first 16 of q
}

// A tile is 32 columns of 16 rows, unpacked: element k of row r is q[k/4][r][k%4].
// offset is the second scale where 16 elements share one. Assembler knows its layout.
type tile struct {
	q             [quantLen / 4][tileRows][4]uint8
	scale, offset [tileRows]float32
}

// quantKernel multiplies blocks. All but record are nil for the portable kernel.
type quantKernel struct {
	// flip is 128 where the stored integers of Q8_0 are made unsigned: then it is their
	// bias, too.
	flip uint8
	// record quantises a vector whose length is a multiple of 32.
	record func(dst []record, x []float32, bias int32)
	// gemv multiplies rows, a multiple of 4, where they lie; false where it does not know
	// the format.
	gemv func(dst []float32, w []byte, q *quantized, x []record) bool
	// unpack fills tiles from 16 rows; false where it does not know the format.
	unpack func(dst []tile, w []byte, q *quantized) bool
	// gemm8 and gemm4 multiply a row of tiles by 8 or 4 vectors that lie len(w) apart.
	gemm8, gemm4 func(dst []float32, stride int, w []tile, x []record, l *layout)
}

// mulBlocks is Mul for weights in blocks.
func (k *Kernel) mulBlocks(dst Vectors, m *Matrix, x Vectors, n int, s *Scratch) {
	q, blocks := m.blocks, m.cols/quantLen
	bias := q.bias
	if q.format == Q8_0 {
		bias = int32(k.quant.flip)
	}
	// Kernels work on vectors by fours and eights; those too many are never looked at.
	if need := (n + tileVectors - 1) * blocks; len(s.records) < need {
		s.records = make([]record, need)
	}
	for b := range n {
		k.quant.record(s.records[b*blocks:(b+1)*blocks], x.Data[b*x.Stride:][:m.cols], bias)
	}
	if k.quant.gemv == nil {
		portableBlocks(dst, m, s.records, n, s)
		return
	}
	if n <= 2 && k.gemvBlocks(dst, m, s.records, n) {
		return
	}
	if len(s.tiles) < blocks {
		s.tiles = make([]tile, blocks)
	}
	for lo := 0; lo < m.rows; lo += tileRows {
		tiles, w := s.tiles[:blocks], q.tile(m.rows, lo)
		if !k.quant.unpack(tiles, w, q) {
			unpack(tiles, w, q, k.quant.flip)
		}
		k.mulTiles(Vectors{dst.Data[lo:], dst.Stride}, min(m.PaddedRows()-lo, tileRows), n, tiles, s, &q.layout)
	}
}

// gemvBlocks multiplies blocks where they lie, if the kernel can.
func (k *Kernel) gemvBlocks(dst Vectors, m *Matrix, x []record, n int) bool {
	blocks, whole := m.cols/quantLen, m.rows/tileRows*tileRows
	for b := range n {
		y, x := dst.Data[b*dst.Stride:][:m.PaddedRows()], x[b*blocks:(b+1)*blocks]
		if whole > 0 && !k.quant.gemv(y[:whole], m.blocks.data, m.blocks, x) ||
			whole < len(y) && !k.quant.gemv(y[whole:], m.blocks.tail, m.blocks, x) {
			return false
		}
	}
	return true
}

// mulTiles multiplies unpacked rows by the n vectors in s.
func (k *Kernel) mulTiles(dst Vectors, rows, n int, w []tile, s *Scratch, l *layout) {
	x, spare := s.records, &s.spare
	for b := 0; b < n; {
		width, mul := tileVectors, k.quant.gemm8
		if n-b <= tileVectors/2 {
			width, mul = tileVectors/2, k.quant.gemm4
		}
		if rows == tileRows && n-b >= width {
			mul(dst.Data[b*dst.Stride:], dst.Stride, w, x[b*len(w):], l)
		} else {
			mul(spare[:], tileRows, w, x[b*len(w):], l)
			for i := range min(width, n-b) {
				copy(dst.Data[(b+i)*dst.Stride:][:rows], spare[i*tileRows:])
			}
		}
		b += width
	}
}

// unpack is quantKernel.unpack for any format.
func unpack(dst []tile, w []byte, q *quantized, flip uint8) {
	if q.format != Q8_0 {
		flip = 0
	}
	mask := uint32(flip) * 0x01010101
	var d decoded
	subs := q.elements / quantLen
	for i := range dst {
		t := &dst[i]
		for r := range tileRows {
			q.decode(w[r*q.rowBytes+i/subs*q.bytes:][:q.bytes], i%subs, &d)
			for j := range t.q {
				v := binary.LittleEndian.Uint32(d.q[4*j:]) ^ mask
				binary.LittleEndian.PutUint32(t.q[j][r][:], v)
			}
			t.scale[r], t.offset[r] = d.scale[0], d.offset
			if q.halves {
				t.offset[r] = d.scale[1]
			}
		}
	}
}

// smallest is where a block of activations counts as zero: the reciprocal of less might
// overflow.
const smallest = 0x1p-100

// portableRecord quantises: the definition.
func portableRecord(dst []record, x []float32, bias int32) {
	for i := range dst {
		r, x := &dst[i], x[i*quantLen:][:quantLen]
		*r = record{}
		var high uint32 // the greatest magnitude; a NaN is greater than all
		for _, v := range x {
			high = max(high, math.Float32bits(v)&^(1<<31))
		}
		switch amax := math.Float32frombits(high); {
		case high >= 0x7F800000:
			r.d = float32(math.NaN())
			r.s = r.d
		case amax >= smallest:
			r.d = amax / 127
			inverse := 127 / amax
			var sum [2]int32
			for j, v := range x {
				q := int32(math.RoundToEven(float64(float32(v * inverse))))
				r.q[j] = int8(q)
				sum[j/16] += q
			}
			r.fix0, r.fix = -bias*sum[0], -bias*(sum[0]+sum[1])
			r.s = float32(float32(sum[0]+sum[1]) * r.d)
		}
	}
}

// portableBlocks is the arithmetic in plain Go. A row is unpacked once for all vectors.
func portableBlocks(dst Vectors, m *Matrix, x []record, n int, s *Scratch) {
	q, blocks := m.blocks, m.cols/quantLen
	if len(s.decoded) < blocks {
		s.decoded = make([]decoded, blocks)
	}
	subs := q.elements / quantLen
	for r := range m.PaddedRows() {
		row := s.decoded[:blocks]
		b := q.tile(m.rows, r/tileRows*tileRows)[r%tileRows*q.rowBytes:]
		for i := range row {
			q.decode(b[i/subs*q.bytes:][:q.bytes], i%subs, &row[i])
		}
		for v := range n {
			dst.Data[v*dst.Stride+r] = portableChain(row, x[v*blocks:], &q.layout)
		}
	}
}

// portableChain adds up the blocks of one product.
func portableChain(w []decoded, x []record, l *layout) float32 {
	var acc float32
	for i := range w {
		w, x := &w[i], &x[i]
		var dot [2]int32
		for j := range 16 {
			dot[0] += int32(int8(w.q[j])) * int32(x.q[j])
			dot[1] += int32(int8(w.q[j+16])) * int32(x.q[j+16])
		}
		if l.halves {
			acc = fma(float32(dot[0]+x.fix0), float32(w.scale[0]*x.d), acc)
			acc = fma(float32(dot[1]+x.fix-x.fix0), float32(w.scale[1]*x.d), acc)
			continue
		}
		acc = fma(float32(dot[0]+dot[1]+x.fix), float32(w.scale[0]*x.d), acc)
		if l.offset {
			acc = fma(w.offset, x.s, acc)
		}
	}
	return acc
}
