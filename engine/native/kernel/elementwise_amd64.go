package kernel

//go:noescape
func avxNorm(out, x, w *float32, n int, s float32)

//go:noescape
func avxAdd(x, y *float32, n int)

//go:noescape
func avxTurnPairs(x, cos, sin *float32, pairs int)

//go:noescape
func avxTurnHalves(a, b, cos, sin *float32, pairs int)

//go:noescape
func avxFinite(x *float32, n int) bool

//go:noescape
func avxAbove(x *float32, n int, limit float32) int

//go:noescape
func avxFirstAbove(x *float32, n int, limit float32) int

//go:noescape
func avxExponents(dst, logits *float32, n int, high, inverse float32)

//go:noescape
func avxTotal(x *float32, n int, sum *octet)

//go:noescape
func avxMoments(w, logits *float32, n int, high, inverse float32, sums *[3]octet)

// withElementwise adds to a kernel what AVX2 does for it.
func withElementwise(k *Kernel) *Kernel {
	k.norm = func(out, x, w []float32, s float32) { avxNorm(&out[0], &x[0], &w[0], len(out)*4, s) }
	k.add = func(x, y []float32) { avxAdd(&x[0], &y[0], len(x)*4) }
	k.turnPairs = func(x, cos, sin []float32) int {
		n := len(cos) / 4 * 4
		if n > 0 {
			avxTurnPairs(&x[0], &cos[0], &sin[0], n)
		}
		return n
	}
	k.turnHalves = func(a, b, cos, sin []float32) int {
		n := len(cos) / 8 * 8
		if n > 0 {
			avxTurnHalves(&a[0], &b[0], &cos[0], &sin[0], n)
		}
		return n
	}
	k.finite = func(x []float32) bool { return avxFinite(&x[0], len(x)*4) }
	k.above = func(x []float32, limit float32) int { return avxAbove(&x[0], len(x)*4, limit) }
	k.firstAbove = func(x []float32, limit float32) int { return avxFirstAbove(&x[0], len(x)*4, limit) }
	if k.contend == nil {
		k.contend = avx2Contend
	}
	k.exponents = func(dst, logits []float32, high, inverse float32) {
		avxExponents(&dst[0], &logits[0], len(dst)*4, high, inverse)
	}
	k.total = func(x []float32, sum *octet) { avxTotal(&x[0], len(x)*4, sum) }
	k.moments = func(w, logits []float32, high, inverse float32, sums *[3]octet) {
		avxMoments(&w[0], &logits[0], len(w)*4, high, inverse, sums)
	}
	return k
}
