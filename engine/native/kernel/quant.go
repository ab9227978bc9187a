package kernel

import "fmt"

// Blocks is a format in which weights share scales, as model files store them. The
// layouts are those of package gguf's types of the same names.
type Blocks uint8

// The formats whose products are computed in integers.
const (
	Q8_0 Blocks = iota + 1
	Q4_0
	Q4_1
	Q5_0
	Q5_1
	Q4_K
	Q5_K
	Q6_K
)

// quantLen is how many elements share a scale of the activations, and at most one of
// the weights.
const quantLen = 32

// layout tells how a format lies in memory.
type layout struct {
	elements, bytes int // of a block
	// bias is what is taken off the stored integers, which are not negative. Those of
	// Q8_0 are signed and have none.
	bias int32
	// offset tells that a minimum is added; halves, that 16 elements share a scale.
	offset, halves bool
	decode         func(b []byte, sub int, out *decoded)
}

// decoded is 32 weights: (q - bias) · scale[i/16] + offset.
type decoded struct {
	q      [quantLen]uint8
	scale  [2]float32
	offset float32
}

// kind tells assembler how a block's product is made: 1 with an offset, 2 by halves.
func (l *layout) kind() int {
	switch {
	case l.halves:
		return 2
	case l.offset:
		return 1
	default:
		return 0
	}
}

func (f Blocks) layout() (layout, bool) {
	switch f {
	case Q8_0:
		return layout{elements: 32, bytes: 34, decode: decodeQ8_0}, true
	case Q4_0:
		return layout{elements: 32, bytes: 18, bias: 8, decode: decodeQ4_0}, true
	case Q4_1:
		return layout{elements: 32, bytes: 20, offset: true, decode: decodeQ4_1}, true
	case Q5_0:
		return layout{elements: 32, bytes: 22, bias: 16, decode: decodeQ5_0}, true
	case Q5_1:
		return layout{elements: 32, bytes: 24, offset: true, decode: decodeQ5_1}, true
	case Q4_K:
		return layout{elements: 256, bytes: 144, offset: true, decode: decodeQ4_K}, true
	case Q5_K:
		return layout{elements: 256, bytes: 176, offset: true, decode: decodeQ5_K}, true
	case Q6_K:
		return layout{elements: 256, bytes: 210, bias: 32, halves: true, decode: decodeQ6_K}, true
	}
	return layout{}, false
}

// quantized is the weights of a matrix in blocks.
type quantized struct {
	format Blocks
	layout
	data     []byte
	rowBytes int // from one row to the next
	// tail is a copy of the rows after the last multiple of 16, zeros behind them.
	tail []byte
}

// ViewBlocks returns a matrix that reads rows of blocks where they lie; they must not
// change. Only up to 15 last rows are copied. The columns fill whole blocks.
func ViewBlocks(rows, cols int, f Blocks, data []byte) (*Matrix, error) {
	l, ok := f.layout()
	if !ok {
		return nil, fmt.Errorf("format %d is not known", f)
	}
	if rows <= 0 || cols <= 0 || cols%l.elements != 0 {
		return nil, fmt.Errorf("matrix of %d rows and %d columns has blocks of %d", rows, cols, l.elements)
	}
	rowBytes := cols / l.elements * l.bytes
	if len(data)/rowBytes != rows || len(data)%rowBytes != 0 {
		return nil, fmt.Errorf("matrix of %d rows of %d bytes has %d bytes", rows, rowBytes, len(data))
	}
	q := &quantized{format: f, layout: l, data: data, rowBytes: rowBytes}
	if rest := rows % tileRows; rest > 0 {
		q.tail = make([]byte, tileRows*rowBytes)
		copy(q.tail, data[(rows-rest)*rowBytes:])
	}
	return &Matrix{rows: rows, cols: cols, stride: cols, blocks: q}, nil
}

// tile returns the bytes of the 16 rows from lo on, a multiple of 16.
func (q *quantized) tile(rows, lo int) []byte {
	if lo+tileRows > rows {
		return q.tail
	}
	return q.data[lo*q.rowBytes:]
}

// row writes a row as float32: the values that package gguf reads, to the bit.
func (q *quantized) row(dst []float32, r int) {
	var d decoded
	b := q.data[r*q.rowBytes:]
	subs := q.elements / quantLen
	for i := 0; i < len(dst); i += quantLen {
		sub := i / quantLen
		q.decode(b[sub/subs*q.bytes:][:q.bytes], sub%subs, &d)
		for j := range quantLen {
			v := int32(d.q[j]) - q.bias
			if q.format == Q8_0 {
				v = int32(int8(d.q[j]))
			}
			dst[i+j] = float32(d.scale[j/16] * float32(v))
			if q.offset {
				dst[i+j] += d.offset
			}
		}
	}
}

// columns returns the blocks of some columns; false where a block would be cut.
func (q *quantized) columns(lo, hi int) (*quantized, bool) {
	if lo%q.elements != 0 || hi%q.elements != 0 {
		return nil, false
	}
	part, at := *q, lo/q.elements*q.bytes
	part.data = q.data[at:]
	if q.tail != nil {
		part.tail = q.tail[at:]
	}
	return &part, true
}
