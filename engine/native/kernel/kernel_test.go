package kernel

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// pair returns the portable kernel and each other one of this machine.
func others(t testing.TB) (*Kernel, []*Kernel) {
	t.Helper()
	p, err := Select("portable")
	if err != nil {
		t.Fatal(err)
	}
	var rest []*Kernel
	for _, k := range kernels() {
		if k.name != "portable" {
			rest = append(rest, k)
		}
	}
	return p, rest
}

func random(rng *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	return x
}

func halves(rng *rand.Rand, n int) []uint16 {
	x := make([]uint16, n)
	for i := range x {
		x[i] = uint16(rng.Uint32())
		if x[i]>>10&31 == 31 {
			x[i] &^= 1 << 14 // neither infinity nor NaN
		}
	}
	return x
}

func same(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i := range want {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
			t.Fatalf("%s: element %d is %x (%v), want %x (%v)", what, i,
				math.Float32bits(got[i]), got[i], math.Float32bits(want[i]), want[i])
		}
	}
}

func TestSelect(t *testing.T) {
	k, err := Select("")
	if err != nil || k.Name() != Available()[0] {
		t.Fatalf("Select(\"\") = %v, %v", k, err)
	}
	_, err = Select("abacus")
	if !errors.Is(err, ErrKernel) || !strings.Contains(err.Error(), "portable") {
		t.Errorf("unknown kernel: %v", err)
	}
}

// TestDotDefinition pins arithmetic 1 by a second writing of its rule.
func TestDotDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{16, 32, 176, 768} {
		w, x := random(rng, n), random(rng, n)
		var lane [16]float32
		for i := range n {
			lane[i%16] = fma(w[i], x[i], lane[i%16])
		}
		var a [8]float32
		for j := range 8 {
			a[j] = lane[j] + lane[j+8]
		}
		b := [4]float32{a[0] + a[4], a[1] + a[5], a[2] + a[6], a[3] + a[7]}
		want := (b[0] + b[2]) + (b[1] + b[3])
		p, rest := others(t)
		for _, k := range append(rest, p) {
			same(t, k.name, []float32{k.Dot(w, x, new(Scratch))}, []float32{want})
		}
	}
}

// TestMulSame multiplies matrices of awkward shapes with every kernel, in batches of
// every size: all results are those of single dot products.
func TestMulSame(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, c := range []struct{ rows, cols, n int }{{1, 1, 1}, {3, 5, 2}, {4, 16, 3}, {7, 172, 4}, {64, 64, 5}, {130, 256, 7}, {33, 768, 8}, {16, 32, 6}, {9, 48, 9}, {20, 64, 10}, {8, 80, 11}, {12, 16, 13}, {40, 288, 24}, {12, 192, 1}, {7, 200, 1}, {21, 576, 1}, {5, 1000, 7}, {13, 200, 2}, {8, 208, 3}, {20, 288, 4}, {6, 576, 5}, {9, 224, 6}, {28, 64, 12}, {9, 80, 18}, {16, 112, 6}, {12, 96, 55}} {
		x := Vectors{make([]float32, c.n*Pad(c.cols)), Pad(c.cols)}
		for b := range c.n {
			copy(x.At(b), awkward(rng, c.cols))
		}
		m32, err := NewF32(c.rows, c.cols, awkward(rng, c.rows*c.cols))
		if err != nil {
			t.Fatal(err)
		}
		m16, err := NewF16(c.rows, c.cols, halves(rng, c.rows*c.cols))
		if err != nil {
			t.Fatal(err)
		}
		p, rest := others(t)
		for _, m := range []*Matrix{m32, m16} {
			want := make([]float32, c.rows)
			for _, k := range append(rest, p) {
				dst := Vectors{make([]float32, c.n*(m.PaddedRows()+4)), m.PaddedRows() + 4}
				k.Mul(dst, m, x, c.n, new(Scratch))
				for b := range c.n {
					for r := range c.rows {
						row := make([]float32, x.Stride)
						m.Row(row, r)
						want[r] = dot(row, x.At(b))
					}
					same(t, fmt.Sprintf("%s %+v vector %d", k.name, c, b), dst.At(b)[:c.rows], want)
				}
			}
		}
	}
}

func TestVectorsSame(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	p, rest := others(t)
	for _, k := range rest {
		for _, n := range []int{16, 32, 48, 176, 1024} {
			x, u := random(rng, n), random(rng, n)
			for i := range x {
				x[i] *= []float32{1, 10, 100, 1e-30, 1e-40, 0}[i%6]
			}
			each(t, k, p, x, "exp", func(k *Kernel, x []float32) { k.ExpSub(x, 0.75) })
			each(t, k, p, x, "swiglu", func(k *Kernel, x []float32) { k.SwiGLU(x, u) })
			each(t, k, p, x, "scale", func(k *Kernel, x []float32) { k.Scale(x, 0.3) })
			each(t, k, p, x, "sum", func(k *Kernel, x []float32) { x[0] = k.Sum(x) })
			each(t, k, p, x, "max", func(k *Kernel, x []float32) { x[0] = k.Max(x) })
			each(t, k, p, x, "softmax", func(k *Kernel, x []float32) { k.Softmax(x, len(x)-5) })
			for _, steps := range []int{0, 1, 5, 17} {
				v := random(rng, max(steps*(n+16), 1))
				each(t, k, p, x, "values", func(k *Kernel, x []float32) { k.Values(x, u[:min(steps, n)], v, min(steps, n), n+16) })
			}
		}
	}
}

func each(t *testing.T, k, p *Kernel, x []float32, what string, f func(*Kernel, []float32)) {
	t.Helper()
	got, want := append([]float32(nil), x...), append([]float32(nil), x...)
	f(k, got)
	f(p, want)
	same(t, fmt.Sprintf("%s of %d", what, len(x)), got, want)
}

func TestExpAccuracy(t *testing.T) {
	p, _ := others(t)
	x := make([]float32, 16)
	for v := float32(-87); v < 88; v += 0.0137 {
		x[0] = v
		p.ExpSub(x, 0)
		want := math.Exp(float64(v))
		if d := math.Abs(float64(x[0])/want - 1); d > 1.3e-7 {
			t.Fatalf("exp(%v) = %v, want %v, off by %v", v, x[0], want, d)
		}
		x = make([]float32, 16)
	}
}

// TestNaNSurvives: a NaN must reach the logits, where it is found.
func TestNaNSurvives(t *testing.T) {
	nan := float32(math.NaN())
	p, rest := others(t)
	for _, k := range append(rest, p) {
		for at := range 16 {
			x, ones := make([]float32, 32), make([]float32, 32)
			x[at] = nan
			if v := k.Dot(x, ones, new(Scratch)); v == v {
				t.Errorf("%s: dot loses a NaN", k.name)
			}
			k.ExpSub(x, 0)
			if x[at] == x[at] {
				t.Errorf("%s: exp(NaN) = %v", k.name, x[at])
			}
			x[at] = nan
			k.SwiGLU(x, ones)
			if x[at] == x[at] {
				t.Errorf("%s: swiglu(NaN) = %v", k.name, x[at])
			}
			x[at] = nan
			k.Softmax(x, 20)
			if x[at] == x[at] {
				t.Errorf("%s: softmax loses a NaN", k.name)
			}
		}
	}
}

// TestWidenAll goes through all 65,536 float16 values.
func TestWidenAll(t *testing.T) {
	p, rest := others(t)
	src := make([]uint16, 1<<16)
	for i := range src {
		src[i] = uint16(i)
	}
	want := make([]float32, len(src))
	p.widen(want, src)
	for h, v := range want {
		exp, frac := h>>10&31, h&1023
		f := math.Ldexp(float64(1024+frac), exp-25)
		if exp == 0 {
			f = math.Ldexp(float64(frac), -24)
		}
		if h>>15 == 1 {
			f = -f
		}
		if exp == 31 {
			continue
		}
		if float64(v) != f || math.Signbit(float64(v)) != (h>>15 == 1) {
			t.Fatalf("widen(%#x) = %v, want %v", h, v, f)
		}
	}
	for _, k := range rest {
		got := make([]float32, len(src))
		k.widen(got, src)
		for i := range got {
			if math.Float32bits(got[i]) != math.Float32bits(want[i]) && got[i] == got[i] {
				t.Fatalf("%s: widen(%#x) = %v, want %v", k.name, i, got[i], want[i])
			}
		}
	}
}

// Example multiplies a matrix by two vectors.
func Example() {
	k, _ := Select("portable")
	m, _ := NewF32(2, 2, []float32{1, 2, 3, 4})
	x := Vectors{Data: make([]float32, 2*Lanes), Stride: Lanes}
	copy(x.At(0), []float32{1, 0})
	copy(x.At(1), []float32{1, 1})
	y := Vectors{Data: make([]float32, 2*m.PaddedRows()), Stride: m.PaddedRows()}
	k.Mul(y, m, x, 2, new(Scratch))
	fmt.Println(y.At(0)[:m.Rows()], y.At(1)[:m.Rows()])
	// Output: [1 3] [3 7]
}

func BenchmarkMul(b *testing.B) {
	const rows, cols = 768, 256
	rng := rand.New(rand.NewPCG(1, 1))
	m32, _ := NewF32(rows, cols, random(rng, rows*cols))
	m16, _ := NewF16(rows, cols, halves(rng, rows*cols))
	p, rest := others(b)
	for _, k := range append(rest, p) {
		for name, m := range map[string]*Matrix{"f32": m32, "f16": m16} {
			for _, n := range []int{1, 48} {
				b.Run(fmt.Sprintf("%s/%s/%d", k.name, name, n), func(b *testing.B) {
					x := Vectors{random(rng, n*cols), cols}
					y := Vectors{make([]float32, n*rows), rows}
					s := new(Scratch)
					for b.Loop() {
						k.Mul(y, m, x, n, s)
					}
					b.ReportMetric(float64(b.N)*rows*cols*float64(n)/b.Elapsed().Seconds()/1e9, "GMAC/s")
				})
			}
		}
	}
}
