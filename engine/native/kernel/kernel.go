// Package kernel computes the inner loops of a language model in float32, with the
// same bits on every machine.
//
// It knows nothing of models, tokens or threads, allocates nothing while it runs,
// and does not try to be the fastest order of summation: only one order is right.
//
// # Arithmetic 1
//
// The rules below are numbered by [Arith], which is part of a model's digest.
//
//   - A dot product has 16 float32 lanes, zero at first. For rising i, lane j becomes
//     fma(w[16i+j], x[16i+j], lane j), rounded once, to nearest even. Vectors are
//     padded with zeros to a multiple of 16, and the padding takes part.
//   - Lanes are added as a tree: j + (j+8), then j + (j+4), j + (j+2), 0 + 1. Plain
//     sums use the same lanes and tree with an addition for the fma.
//   - Attention values are one chain of fma per component, for rising positions.
//   - exp is [Kernel.ExpSub]'s: clamped to [-87, 88], reduced by ln 2 in two parts,
//     degree 7, all by fma.
//   - Float16 weights are widened exactly.
//   - Weights in blocks ([Blocks]) are multiplied in integers. Each 32 activations x
//     become int8: with a = max |x|, d = a/127 and q = x·(127/a) rounded to the nearest,
//     ties to even, each operation rounded to float32. If a < 2^-100, d and q are 0; if
//     an x is not finite, d is NaN. A product is one chain of fma from zero over rising
//     blocks: acc = fma(Σ w·q, s·d, acc), the sum of 32 exact, the weights' scale s
//     times d rounded; then, where weights have a minimum m (negated for Q4_K and Q5_K),
//     acc = fma(m, d·Σq, acc), that product rounded. Q6_K does the first once for each
//     16 elements. A scale or minimum is its half times its integer, which is exact.
//   - The tanh form of GELU and the bounding of scores are made of that exp and single
//     operations, as [Kernel.GeGLU] and [Kernel.SoftCap] say.
//
// Invariant: every output element is the outcome of one fixed sequence of IEEE 754
// operations that depends on its inputs alone, not on the kernels that run it, the
// batch, the blocking or the thread. Only the payload of a NaN is left open.
package kernel

import (
	"errors"
	"fmt"
	"strings"
)

// Arith numbers the arithmetic described above.
const Arith = 1

// Lanes is the width that rows and vectors are padded to.
const Lanes = 16

// panelRows is how many rows of a matrix are worked on together.
const panelRows = 4

// ErrKernel is returned by Select for a kernel that this machine does not have.
var ErrKernel = errors.New("kernel not available")

// A Kernel is one implementation of the arithmetic. All of them give the same bits.
// It has no state and serves any number of goroutines.
type Kernel struct {
	name string
	// rows is a multiple of 4, cols and strides are multiples of 16.
	gemv32 func(dst, w, x []float32, rows, cols, stride int)
	gemv16 func(dst []float32, w []uint16, x []float32, rows, cols, stride int)
	// gemm32 and gemm16 are the same for any number of vectors. Up to direct of them
	// float16 weights are widened as they are used, for more of them ahead of it.
	gemm32 func(dst, x Vectors, w []float32, n int, s shape)
	gemm16 func(dst, x Vectors, w []uint16, n int, s shape)
	direct int
	single bool // gemm32 takes any number of rows
	widen  func(dst []float32, src []uint16)
	// values adds to out, n is not 0; values6 is the same for six queries at a time and
	// may be nil.
	values  func(out, p, v []float32, n, stride int)
	values6 func(out, p Vectors, v Rows)
	norm    func(out, x, w []float32, s float32)
	add     func(x, y []float32)
	// turnPairs and turnHalves turn the first pairs, as many as suit the kernel, and
	// return how many those are.
	turnPairs  func(x, cos, sin []float32) int
	turnHalves func(a, b, cos, sin []float32) int
	// finite, above and firstAbove search what is not empty; firstAbove may stop at the
	// beginning of 16 elements that hold what it looks for.
	finite     func(x []float32) bool
	above      func(x []float32, limit float32) int
	firstAbove func(x []float32, limit float32) int
	// contend is Contend for whole groups of 16, at least one.
	contend func(x []float32, first, from int, c *Contest) (group int, which uint32)
	// exponents takes what is a multiple of 16, at least 16.
	exponents func(dst, logits []float32, high, inverse float32)
	// total and moments add to lanes what is a multiple of 16, at least 16.
	total   func(x []float32, sum *octet)
	moments func(w, logits []float32, high, inverse float32, sums *[3]octet)
	exp     func(x []float32, m float32)
	swiglu  func(g, u []float32)
	sum     func(x []float32) float32
	max     func(x []float32) float32
	scale   func(x []float32, s float32)
	peak    peakLoops
	quant   quantKernel
}

// A shape is that of some rows of a matrix. Ahead is the address of the weights that are
// wanted next, and how many bytes they are; it is only a hint to the processor.
type shape struct {
	rows, cols, stride int
	ahead              uintptr
	aheadBytes         int
	once               bool // these are all rows: each is used but once
}

// Available lists the kernels of this machine, the fastest first.
func Available() []string {
	var names []string
	for _, k := range kernels() {
		names = append(names, k.name)
	}
	return names
}

// Select returns the kernel of a name, or the fastest when name is empty.
func Select(name string) (*Kernel, error) {
	all := kernels()
	for _, k := range all {
		if name == "" || k.name == name {
			return k, nil
		}
	}
	return nil, fmt.Errorf("%w: %q, this machine has %s", ErrKernel, name, strings.Join(Available(), ", "))
}

// Name returns the word that Select takes.
func (k *Kernel) Name() string { return k.name }

// Pad rounds a length up to a multiple of Lanes.
func Pad(n int) int { return (n + Lanes - 1) / Lanes * Lanes }

// Scratch is working memory of one goroutine.
type Scratch struct {
	panel []float32
	// Of products with blocks: the vectors, unpacked rows, a row.
	records []record
	tiles   []tile
	decoded []decoded
	spare   [tileVectors * tileRows]float32 // products of a tile that is not all wanted
}

// Vectors are n vectors of equal length, Stride apart.
type Vectors struct {
	Data   []float32
	Stride int
}

// At returns the vector of index i.
func (v Vectors) At(i int) []float32 { return v.Data[i*v.Stride : (i+1)*v.Stride] }

// Dot returns the dot product of two vectors whose length is a multiple of 16.
func (k *Kernel) Dot(a, b []float32, s *Scratch) float32 {
	check(a)
	check(b[:len(a)])
	dst := s.spare[:panelRows]
	k.gemv32(dst, a, b, panelRows, len(a), 0)
	return dst[0]
}

// ExpSub replaces each x by e^(x-m), to about 1 ulp. x-m is clamped to [-87, 88].
func (k *Kernel) ExpSub(x []float32, m float32) { check(x); k.exp(x, m) }

// SwiGLU replaces each g by g / (1 + e^-g) * u.
func (k *Kernel) SwiGLU(g, u []float32) { check(g); k.swiglu(g, u[:len(g)]) }

// Sum adds up x by lanes and tree.
func (k *Kernel) Sum(x []float32) float32 { check(x); return k.sum(x) }

// Max returns the largest element; which sign a zero has, and what a NaN does, is open.
func (k *Kernel) Max(x []float32) float32 { check(x); return k.max(x) }

// Highest returns the largest element of x, of any length but 0, as Max does.
func (k *Kernel) Highest(x []float32) float32 {
	n := len(x) / Lanes * Lanes
	high := x[0]
	if n > 0 {
		high = k.max(x[:n])
	}
	for _, v := range x[n:] {
		high = max(high, v)
	}
	return high
}

// Scale multiplies each x by s.
func (k *Kernel) Scale(x []float32, s float32) { check(x); k.scale(x, s) }

func check(x []float32) {
	if len(x)%Lanes != 0 || len(x) == 0 {
		panic("internal error: kernel: length is not a multiple of 16")
	}
}
