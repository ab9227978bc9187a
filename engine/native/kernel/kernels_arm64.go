package kernel

import "unsafe"

// kernels returns what this processor can run: every one has NEON.
func kernels() []*Kernel { return []*Kernel{neon(), portable()} }

// neon keeps the 16 lanes in four registers of four. What it does not replace is
// portable's.
func neon() *Kernel {
	k := portable()
	k.name, k.single = "neon", false
	k.gemv32 = func(dst, w, x []float32, rows, cols, stride int) {
		neonGemv32(&dst[:rows][0], &w[0], &x[:cols][0], rows/panelRows, cols/Lanes, stride*4)
	}
	k.gemv16 = func(dst []float32, w []uint16, x []float32, rows, cols, stride int) {
		neonGemv16(&dst[:rows][0], &w[0], &x[:cols][0], rows/panelRows, cols/Lanes, stride*2)
	}
	k.gemm32 = neonGemm32
	k.gemm16 = each16(k.gemv16)
	k.widen = func(dst []float32, src []uint16) {
		neonWiden(&dst[:len(src)][0], &src[0], len(src)/Lanes)
	}
	k.values = func(out, p, v []float32, n, stride int) {
		neonValues(&out[0], unsafe.SliceData(p), unsafe.SliceData(v), n, len(out)/Lanes, stride*4)
	}
	k.exp = func(x []float32, m float32) { neonExp(&x[0], len(x)/4, m) }
	k.swiglu = func(g, u []float32) { neonSwiGLU(&g[0], &u[0], len(g)/4) }
	k.sum = func(x []float32) float32 { return neonSum(&x[0], len(x)/Lanes) }
	k.max = func(x []float32) float32 { return neonMax(&x[0], len(x)/Lanes) }
	k.scale = func(x []float32, s float32) { neonScale(&x[0], len(x)/Lanes, s) }
	k.quant = neonQuant()
	return k
}

func neonGemm32(dst, x Vectors, w []float32, n int, s shape) {
	panels, blocks, stride := s.rows/panelRows, s.cols/Lanes, s.stride*4
	b := 0
	for ; b+3 <= n; b += 3 {
		y, v := dst.Data[b*dst.Stride:], x.Data[b*x.Stride:]
		_, _ = y[2*dst.Stride+s.rows-1], v[2*x.Stride+s.cols-1]
		neonGemm3(&y[0], dst.Stride*4, &w[0], &v[0], x.Stride*4, panels, blocks, stride)
	}
	for ; b < n; b++ {
		y, v := dst.Data[b*dst.Stride:][:s.rows], x.Data[b*x.Stride:][:s.cols]
		neonGemv32(&y[0], &w[0], &v[0], panels, blocks, stride)
	}
}

// Strides are in bytes, panels are groups of 4 rows, blocks groups of 16 columns, quads
// groups of 4.

//go:noescape
func neonGemv32(dst, w, x *float32, panels, blocks, stride int)

//go:noescape
func neonGemv16(dst *float32, w *uint16, x *float32, panels, blocks, stride int)

//go:noescape
func neonGemm3(dst *float32, dstStride int, w, x *float32, xStride, panels, blocks, stride int)

//go:noescape
func neonWiden(dst *float32, src *uint16, blocks int)

//go:noescape
func neonValues(out, p, v *float32, n, blocks, stride int)

//go:noescape
func neonExp(x *float32, quads int, m float32)

//go:noescape
func neonSwiGLU(gate, up *float32, quads int)

//go:noescape
func neonSum(x *float32, blocks int) float32

//go:noescape
func neonMax(x *float32, blocks int) float32

//go:noescape
func neonScale(x *float32, blocks int, s float32)

// neonFMA sets c = fma(a, b, c), for the test that compares fma with the instruction.
//
//go:noescape
func neonFMA(a, b, c *float32, quads int)
