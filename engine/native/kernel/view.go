package kernel

// ViewF32 is NewF32 without the copy where the rows need no padding. The matrix then
// reads data itself, which must not change.
func ViewF32(rows, cols int, data []float32) (*Matrix, error) {
	m, err := newMatrix(rows, cols, len(data))
	if err != nil {
		return nil, err
	}
	if !m.unpadded() {
		return NewF32(rows, cols, data)
	}
	m.f32 = data
	return m, nil
}

// ViewF16 is NewF16 without the copy where the rows need no padding. The matrix then
// reads data itself, which must not change.
func ViewF16(rows, cols int, data []uint16) (*Matrix, error) {
	m, err := newMatrix(rows, cols, len(data))
	if err != nil {
		return nil, err
	}
	if !m.unpadded() {
		return NewF16(rows, cols, data)
	}
	m.f16 = data
	return m, nil
}

// unpadded tells whether the matrix is stored as a model file stores it.
func (m *Matrix) unpadded() bool { return m.stride == m.cols && m.PaddedRows() == m.rows }
