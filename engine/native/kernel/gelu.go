package kernel

import (
	"math"
	"slices"
)

// The tanh form of GELU (Hendrycks and Gimpel, arXiv 1606.08415):
// g/2 · (1 + tanh(√(2/π)·(g + 0.044715 g³))), written as g / (1 + e^(-2√(2/π)·g·(1 + 0.044715 g²))).
const (
	geluSlope = float32(-1.5957691216057308) // -2√(2/π)
	geluCube  = float32(0.044715)
)

// floats returns n floats of working memory.
func (s *Scratch) floats(n int) []float32 {
	if len(s.panel) < n {
		s.panel = make([]float32, n)
	}
	return s.panel[:n]
}

// GeGLU replaces each g by the tanh form of GELU of g, times u. The exponential is
// [Kernel.ExpSub]'s; every other operation is rounded to float32 on its own.
func (k *Kernel) GeGLU(g, u []float32, s *Scratch) {
	check(g)
	u, e := u[:len(g)], s.floats(len(g))
	for i, v := range g {
		cube := float32(float32(v*v) * geluCube)
		e[i] = float32(float32(v*geluSlope) * (1 + cube))
	}
	k.exp(e, 0)
	for i, v := range g {
		g[i] = float32(v/(1+e[i])) * u[i]
	}
}

// SoftCap replaces each x by limit · tanh(x/limit), as limit · (1-e)/(1+e) with
// e = e^(-2|x|/limit) and the sign of x, every operation rounded to float32.
func (k *Kernel) SoftCap(x []float32, limit float32, s *Scratch) {
	check(x)
	for part := range slices.Chunk(x, 2048) { // that a row of logits takes no memory twice
		k.softCap(part, limit, s)
	}
}

func (k *Kernel) softCap(x []float32, limit float32, s *Scratch) {
	e := s.floats(len(x))
	for i, v := range x {
		e[i] = float32(-2 * float32(math.Abs(float64(v))) / limit)
	}
	k.exp(e, 0)
	for i, v := range x {
		t := float32((1-e[i])/(1+e[i])) * limit
		x[i] = float32(math.Copysign(float64(t), float64(v)))
	}
}
