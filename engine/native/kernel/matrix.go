package kernel

import "fmt"

// A Matrix holds weights as rows, padded with zeros to a multiple of 16 columns and
// of 4 rows. It is not changed after it is made.
type Matrix struct {
	rows, cols, stride int
	f32                []float32
	f16                []uint16
	blocks             *quantized
}

// NewF32 copies a matrix of float32.
func NewF32(rows, cols int, data []float32) (*Matrix, error) {
	m, err := newMatrix(rows, cols, len(data))
	if err != nil {
		return nil, err
	}
	m.f32 = make([]float32, m.PaddedRows()*m.stride)
	for r := range rows {
		copy(m.f32[r*m.stride:], data[r*cols:(r+1)*cols])
	}
	return m, nil
}

// NewF16 copies a matrix of float16 bits; they are widened when used.
func NewF16(rows, cols int, data []uint16) (*Matrix, error) {
	m, err := newMatrix(rows, cols, len(data))
	if err != nil {
		return nil, err
	}
	m.f16 = make([]uint16, m.PaddedRows()*m.stride)
	for r := range rows {
		copy(m.f16[r*m.stride:], data[r*cols:(r+1)*cols])
	}
	return m, nil
}

func newMatrix(rows, cols, n int) (*Matrix, error) {
	if rows <= 0 || cols <= 0 || n/rows != cols || n%rows != 0 {
		return nil, fmt.Errorf("matrix of %d rows and %d columns has %d elements", rows, cols, n)
	}
	return &Matrix{rows: rows, cols: cols, stride: Pad(cols)}, nil
}

// Rows returns the number of rows.
func (m *Matrix) Rows() int { return m.rows }

// Cols returns the number of columns.
func (m *Matrix) Cols() int { return m.cols }

// PaddedRows returns the rows as stored.
func (m *Matrix) PaddedRows() int { return (m.rows + panelRows - 1) / panelRows * panelRows }

// Bytes returns how much memory its numbers take.
func (m *Matrix) Bytes() int {
	if m.blocks != nil {
		return len(m.blocks.data)
	}
	return 4*len(m.f32) + 2*len(m.f16)
}

// Together returns what number of vectors Mul likes: those left over of multiples of it cost
// as much as that many.
func (m *Matrix) Together() int {
	if m.blocks != nil {
		return tileVectors
	}
	return 6
}

// Enough returns how many vectors are enough for Mul: with more of them it takes hardly less
// time for each, since to read the weights, and to unpack them, no longer counts.
func (m *Matrix) Enough() int {
	switch {
	case m.blocks != nil:
		return 8 * tileVectors
	case m.f16 != nil:
		return 18
	}
	return 48
}

// Row copies a row, widened, without its padding.
func (m *Matrix) Row(dst []float32, r int) {
	from := r * m.stride
	if m.f32 != nil {
		copy(dst[:m.cols], m.f32[from:])
		return
	}
	if m.blocks != nil {
		m.blocks.row(dst[:m.cols], r)
		return
	}
	for i, h := range m.f16[from : from+m.cols] {
		dst[i] = widen(h)
	}
}
