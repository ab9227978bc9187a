package kernel

import (
	"math"
	"unsafe"
)

// avx512 keeps the 16 lanes in one register.
func avx512() *Kernel {
	return withElementwise(&Kernel{
		contend: wideContend,
		quant:   vnniQuant(),
		name:    "avx512",
		peak:    peakLoops{lanes: 16, perRound: 22, fma: avx512Chains, add: addChain},
		gemv32:  avx512Gemv32,
		gemv16:  avx512Gemv16,
		gemm32:  avx512Gemm32,
		gemm16:  avx512Gemm16,
		direct:  math.MaxInt,
		widen:   avx2Widen,
		values: func(out, p, v []float32, n, stride int) {
			avx512Values(&out[0], &p[0], &v[0], n, len(out)*4, stride*4)
		},
		values6: func(out, p Vectors, v Rows) {
			avx512Values6(&out.Data[0], out.Stride*4, &p.Data[0], p.Stride*4, &v.Data[0], v.N, v.Width*4, v.Stride*4)
		},
		exp:    func(x []float32, m float32) { avx512Exp(&x[0], len(x)*4, m) },
		swiglu: func(g, u []float32) { avx512SwiGLU(&g[0], &u[0], len(g)*4) },
		sum:    func(x []float32) float32 { return avx512Sum(&x[0], len(x)*4) },
		max:    func(x []float32) float32 { return avx512Max(&x[0], len(x)*4) },
		scale:  func(x []float32, s float32) { avx512Scale(&x[0], len(x)*4, s) },
	})
}

func avx512Gemv32(dst, w, x []float32, rows, cols, stride int) {
	f := avx512Gemm1
	if cols >= longRow {
		f = avx512Rows32
	}
	f(&dst[:rows][0], &w[0], &x[:cols][0], rows/panelRows, cols*4, stride*4)
}

func avx512Gemv16(dst []float32, w []uint16, x []float32, rows, cols, stride int) {
	if cols < longRow { // registers half as wide are widened in half the time
		avx2Gemv16(dst, w, x, rows, cols, stride)
		return
	}
	avx512Rows16(&dst[:rows][0], &w[0], &x[:cols][0], rows/panelRows, cols*4, stride*2)
}

// fetch returns the address from which to fetch ahead while m vectors from b on are
// multiplied, a line for each 16 columns of 4 rows: the part of the next rows that is
// due, or what is there anyway.
func (s shape) fetch(b, m int, x *float32) uintptr {
	from := s.rows / panelRows * (s.cols / Lanes) * 64 * (b / m)
	if from >= s.aheadBytes {
		return uintptr(unsafe.Pointer(x))
	}
	return s.ahead + uintptr(from)
}

// together is how many of n vectors are best multiplied at a time: six reuse a weight
// most, a rest of one reuses nothing. Six are not for rows of a single step.
func (s shape) together(n int) int {
	switch {
	case n == 7 || n == 8 || n == 11:
		return 4
	case n >= 6 && s.cols > Lanes:
		return 6
	case n >= 5:
		return 3
	default:
		return n
	}
}

func avx512Gemm32(dst, x Vectors, w []float32, n int, s shape) {
	panels, cols, stride := s.rows/panelRows, s.cols*4, s.stride*4
	for b := 0; b < n; {
		m := s.together(n - b)
		y, v := dst.Data[b*dst.Stride:], x.Data[b*x.Stride:]
		_, _ = y[(m-1)*dst.Stride+s.rows-1], v[(m-1)*x.Stride+s.cols-1]
		switch {
		case m > 1 && s.lines(n):
			avx512Lines32(m)(&y[0], dst.Stride*4, &w[0], &v[0], x.Stride*4, panels, cols, stride)
		case m == 6:
			avx512Tile32(&y[0], dst.Stride*4, &w[0], &v[0], x.Stride*4, panels, cols, stride, s.fetch(b, m, &v[0]))
		case m == 4:
			avx512Gemm4(&y[0], dst.Stride*4, &w[0], &v[0], x.Stride*4, panels, cols, stride)
		case m == 3:
			avx512Gemm3(&y[0], dst.Stride*4, &w[0], &v[0], x.Stride*4, panels, cols, stride)
		case m == 2:
			avx512Gemm2(&y[0], dst.Stride*4, &w[0], &v[0], x.Stride*4, panels, cols, stride)
		default:
			avx512Gemv32(y, w, v, s.rows, s.cols, s.stride)
		}
		b += m
	}
}

func avx512Gemm16(dst, x Vectors, w []uint16, n int, s shape) {
	panels, cols, stride := s.rows/panelRows, s.cols*4, s.stride*2
	for b := 0; b < n; {
		m := s.together(n - b)
		y, v := dst.Data[b*dst.Stride:], x.Data[b*x.Stride:]
		_, _ = y[(m-1)*dst.Stride+s.rows-1], v[(m-1)*x.Stride+s.cols-1]
		switch {
		case m > 1 && s.lines(n):
			avx512Lines16(m)(&y[0], dst.Stride*4, &w[0], &v[0], x.Stride*4, panels, cols, stride)
		case m == 6:
			avx512Tile16(&y[0], dst.Stride*4, &w[0], &v[0], x.Stride*4, panels, cols, stride, s.fetch(b, m, &v[0]))
		case m == 4:
			avx512Half4(&y[0], dst.Stride*4, &w[0], &v[0], x.Stride*4, panels, cols, stride)
		case m == 3:
			avx512Half3(&y[0], dst.Stride*4, &w[0], &v[0], x.Stride*4, panels, cols, stride)
		case m == 2:
			avx512Half2(&y[0], dst.Stride*4, &w[0], &v[0], x.Stride*4, panels, cols, stride)
		default:
			avx512Gemv16(y, w, v, s.rows, s.cols, s.stride)
		}
		b += m
	}
}

// avx512Lines32 is for 2, 3, 4 or 6 vectors.
func avx512Lines32(m int) func(dst *float32, dstStride int, w, x *float32, xStride, panels, cols, stride int) {
	switch m {
	case 2:
		return avx512Lines32x2
	case 3:
		return avx512Lines32x3
	case 4:
		return avx512Lines32x4
	default:
		return avx512Lines32x6
	}
}

// avx512Lines16 is for 2, 3, 4 or 6 vectors.
func avx512Lines16(m int) func(dst *float32, dstStride int, w *uint16, x *float32, xStride, panels, cols, stride int) {
	switch m {
	case 2:
		return avx512Lines16x2
	case 3:
		return avx512Lines16x3
	case 4:
		return avx512Lines16x4
	default:
		return avx512Lines16x6
	}
}

// Sizes and strides are in bytes, cols is that of float32 columns, panels are groups of
// 4 rows.

//go:noescape
func avx512Gemm1(dst, w, x *float32, panels, cols, stride int)

//go:noescape
func avx512Gemm2(dst *float32, dstStride int, w, x *float32, xStride, panels, cols, stride int)

//go:noescape
func avx512Gemm3(dst *float32, dstStride int, w, x *float32, xStride, panels, cols, stride int)

//go:noescape
func avx512Gemm4(dst *float32, dstStride int, w, x *float32, xStride, panels, cols, stride int)

//go:noescape
func avx512Half2(dst *float32, dstStride int, w *uint16, x *float32, xStride, panels, cols, stride int)

//go:noescape
func avx512Half3(dst *float32, dstStride int, w *uint16, x *float32, xStride, panels, cols, stride int)

//go:noescape
func avx512Half4(dst *float32, dstStride int, w *uint16, x *float32, xStride, panels, cols, stride int)

//go:noescape
func avx512Values(out, p, v *float32, n, width, stride int)

//go:noescape
func avx512Exp(x *float32, n int, m float32)

//go:noescape
func avx512SwiGLU(gate, up *float32, n int)

//go:noescape
func avx512Sum(x *float32, n int) float32

//go:noescape
func avx512Max(x *float32, n int) float32

//go:noescape
func avx512Scale(x *float32, n int, s float32)

//go:noescape
func avx512Values6(out *float32, outStride int, p *float32, pStride int, v *float32, n, width, stride int)

//go:noescape
func avx512Tile32(dst *float32, dstStride int, w, x *float32, xStride, panels, cols, stride int, ahead uintptr)

//go:noescape
func avx512Tile16(dst *float32, dstStride int, w *uint16, x *float32, xStride, panels, cols, stride int, ahead uintptr)
