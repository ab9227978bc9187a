package kernel

// avx2 keeps the 16 lanes in two registers of eight.
func avx2() *Kernel {
	return withElementwise(&Kernel{
		quant:  avx2Quant(),
		name:   "avx2",
		peak:   peakLoops{lanes: 8, perRound: 14, fma: avx2Chains, add: addChain},
		gemv32: avx2Gemv32,
		gemv16: avx2Gemv16,
		gemm32: avx2Gemm32,
		gemm16: each16(avx2Gemv16),
		direct: 2,
		widen:  avx2Widen,
		values: func(out, p, v []float32, n, stride int) {
			avxValues(&out[0], &p[0], &v[0], n, len(out)*4, stride*4)
		},
		exp:    func(x []float32, m float32) { avxExp(&x[0], len(x)*4, m) },
		swiglu: func(g, u []float32) { avxSwiGLU(&g[0], &u[0], len(g)*4) },
		sum:    func(x []float32) float32 { return avxSum(&x[0], len(x)*4) },
		max:    func(x []float32) float32 { return avxMax(&x[0], len(x)*4) },
		scale:  func(x []float32, s float32) { avxScale(&x[0], len(x)*4, s) },
	})
}

func avx2Widen(dst []float32, src []uint16) { avxWiden(&dst[:len(src)][0], &src[0], len(src)/Lanes) }

func avx2Gemv32(dst, w, x []float32, rows, cols, stride int) {
	f := avxGemv32
	if cols >= longRow {
		f = avx2Rows32
	}
	f(&dst[:rows][0], &w[0], &x[:cols][0], rows/panelRows, cols*4, stride*4)
}

func avx2Gemv16(dst []float32, w []uint16, x []float32, rows, cols, stride int) {
	if cols >= longRow {
		avx2Rows16(&dst[:rows][0], &w[0], &x[:cols][0], rows/panelRows, cols*4, stride*2)
		return
	}
	avxGemv16(&dst[:rows][0], &w[0], &x[:cols][0], rows/panelRows, cols*2, stride*2)
}

// avx2Gemm32 takes vectors by threes, then one at a time.
func avx2Gemm32(dst, x Vectors, w []float32, n int, s shape) {
	b := 0
	for ; b+3 <= n; b += 3 {
		y, v := dst.Data[b*dst.Stride:], x.Data[b*x.Stride:]
		_, _ = y[2*dst.Stride+s.rows-1], v[2*x.Stride+s.cols-1]
		avxGemm3(&y[0], dst.Stride*4, &w[0], &v[0], x.Stride*4, s.rows/panelRows, s.cols*4, s.stride*4)
	}
	for ; b < n; b++ {
		avx2Gemv32(dst.Data[b*dst.Stride:], w, x.Data[b*x.Stride:], s.rows, s.cols, s.stride)
	}
}

// Sizes and strides are in bytes, panels are groups of 4 rows.

//go:noescape
func avxGemv32(dst, w, x *float32, panels, cols, stride int)

//go:noescape
func avxGemv16(dst *float32, w *uint16, x *float32, panels, cols, stride int)

//go:noescape
func avxGemm3(dst *float32, dstStride int, w, x *float32, xStride, panels, cols, stride int)

//go:noescape
func avxWiden(dst *float32, src *uint16, blocks int)

//go:noescape
func avxValues(out, p, v *float32, n, width, stride int)

//go:noescape
func avxExp(x *float32, n int, m float32)

//go:noescape
func avxSwiGLU(gate, up *float32, n int)

//go:noescape
func avxSum(x *float32, n int) float32

//go:noescape
func avxMax(x *float32, n int) float32

//go:noescape
func avxScale(x *float32, n int, s float32)

// avxFMA sets c = fma(a, b, c), for the test that compares fma with the instruction.
//
//go:noescape
func avxFMA(a, b, c *float32, n int)
