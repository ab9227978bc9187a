package kernel

import "fmt"

// Part returns the matrix of some of m's rows, from lo up to hi, without a copy. Both are
// multiples of 16, or hi is the number of rows. Products with its rows are those with m's.
func (m *Matrix) Part(lo, hi int) (*Matrix, error) {
	if lo < 0 || lo >= hi || hi > m.rows || lo%tileRows != 0 || hi%tileRows != 0 && hi != m.rows {
		return nil, fmt.Errorf("rows %d to %d of %d: want multiples of %d", lo, hi, m.rows, tileRows)
	}
	part := *m
	part.rows = hi - lo
	from, to := lo*m.stride, lo*m.stride+part.PaddedRows()*m.stride
	switch {
	case m.blocks != nil:
		blocks := *m.blocks
		blocks.data = blocks.data[lo*blocks.rowBytes : min(hi*blocks.rowBytes, len(blocks.data))]
		part.blocks = &blocks
	case m.f32 != nil:
		part.f32 = m.f32[from:min(to, len(m.f32))]
	default:
		part.f16 = m.f16[from:min(to, len(m.f16))]
	}
	return &part, nil
}
