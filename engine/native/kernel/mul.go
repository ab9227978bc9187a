package kernel

import "unsafe"

// panelFloats is how much of a matrix is multiplied with all vectors before the next
// rows: a piece that stays in a second-level cache.
const panelFloats = 16384

// Mul sets element r of vector b of dst to the dot product of row r of m and vector
// b of x, for b < n. Vectors of x are padded to m's columns with zeros; those of dst
// are at least m.PaddedRows long, and their padding is overwritten.
func (k *Kernel) Mul(dst Vectors, m *Matrix, x Vectors, n int, s *Scratch) {
	width := Pad(m.cols)
	if dst.Stride < m.PaddedRows() || x.Stride < width || len(dst.Data) < (n-1)*dst.Stride+m.PaddedRows() || len(x.Data) < (n-1)*x.Stride+width {
		panic("internal error: kernel: vectors do not fit the matrix")
	}
	if m.blocks != nil {
		k.mulBlocks(dst, m, x, n, s)
		return
	}
	group := max(panelFloats/width/panelRows, 1) * panelRows
	once := n <= 6 && n != 5 && (m.f32 != nil || n <= k.direct) // kernels take five as three and two
	if once {
		group = m.PaddedRows()
	}
	for lo := 0; lo < m.PaddedRows(); lo += group {
		rows := min(group, m.PaddedRows()-lo)
		to := Vectors{dst.Data[lo:], dst.Stride}
		if m.f16 != nil && n <= k.direct {
			in := m.shape(lo, rows)
			in.once = once
			k.gemm16(to, x, m.f16[lo*m.stride:], n, in)
			continue
		}
		w, stride := k.panel(m, lo, rows, s)
		in := m.shape(lo, rows)
		in.stride, in.once = stride, once
		k.gemm32(to, x, w, n, in)
	}
}

// shape describes some rows of a matrix.
func (m *Matrix) shape(lo, rows int) shape {
	s := shape{rows: rows, cols: Pad(m.cols), stride: m.stride}
	next, end := (lo+rows)*m.stride, min(lo+2*rows, m.PaddedRows())*m.stride
	switch {
	case next >= end:
	case m.f32 != nil && next < len(m.f32):
		s.ahead, s.aheadBytes = uintptr(unsafe.Pointer(&m.f32[next])), 4*(end-next)
	case m.f16 != nil && next < len(m.f16):
		s.ahead, s.aheadBytes = uintptr(unsafe.Pointer(&m.f16[next])), 2*(end-next)
	}
	return s
}

// panel returns some rows as float32, and how far apart they lie.
func (k *Kernel) panel(m *Matrix, lo, rows int, s *Scratch) (w []float32, stride int) {
	width := Pad(m.cols)
	from, to := lo*m.stride, (lo+rows-1)*m.stride+width
	if m.f32 != nil {
		return m.f32[from:to], m.stride
	}
	if len(s.panel) < rows*width {
		s.panel = make([]float32, rows*width)
	}
	if width == m.stride {
		k.widen(s.panel[:rows*width], m.f16[from:to])
		return s.panel[:rows*width], width
	}
	for r := range rows {
		k.widen(s.panel[r*width:(r+1)*width], m.f16[from+r*m.stride:from+r*m.stride+width])
	}
	return s.panel[:rows*width], width
}

// each16 is gemm16 out of gemv16, one vector after the other.
func each16(gemv16 func(dst []float32, w []uint16, x []float32, rows, cols, stride int)) func(dst, x Vectors, w []uint16, n int, s shape) {
	return func(dst, x Vectors, w []uint16, n int, s shape) {
		for b := range n {
			gemv16(dst.Data[b*dst.Stride:], w, x.Data[b*x.Stride:][:s.cols], s.rows, s.cols, s.stride)
		}
	}
}
