package kernel

import "fmt"

// Columns returns the matrix of some of m's columns, from lo up to hi, without a copy.
// Both are multiples of 16, or hi is the number of columns. A product with it is one
// part of the product with m, summed by itself.
func (m *Matrix) Columns(lo, hi int) (*Matrix, error) {
	if lo < 0 || lo >= hi || hi > m.cols || lo%Lanes != 0 || hi%Lanes != 0 && hi != m.cols {
		return nil, fmt.Errorf("columns %d to %d of %d: want multiples of %d", lo, hi, m.cols, Lanes)
	}
	part := *m
	part.cols = hi - lo
	if m.blocks != nil {
		blocks, ok := m.blocks.columns(lo, hi)
		if !ok {
			return nil, fmt.Errorf("columns %d to %d: want multiples of %d", lo, hi, m.blocks.elements)
		}
		part.blocks = blocks
		return &part, nil
	}
	if m.f32 != nil {
		part.f32 = m.f32[lo:]
	} else {
		part.f16 = m.f16[lo:]
	}
	return &part, nil
}
