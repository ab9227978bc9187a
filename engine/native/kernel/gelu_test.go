package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// hard are values at which a formula may go wrong.
var hard = []float32{
	0, float32(math.Copysign(0, -1)), 1e-40, -1e-40, 1e-8, -1e-8, 0.5, -0.5, 3, -3, 9, -9, 40, -40, 1e10, -1e10,
	math.MaxFloat32, -math.MaxFloat32, float32(math.Inf(1)), 1, -1, 2, -2, 5, -5, 6, -6, 7, -7, 0.1, -0.1, 0,
}

func TestGeGLU(t *testing.T) {
	rng := rand.New(rand.NewPCG(21, 22))
	g := append(slices.Clone(hard), random(rng, 480)...)
	u := random(rng, len(g))
	want := slices.Clone(g)
	p, rest := others(t)
	p.GeGLU(want, u, new(Scratch))
	for i, v := range g {
		x := float64(v)
		exact := x / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x))) * float64(u[i])
		if math.Abs(x) > 1e30 {
			continue // where e^88, ExpSub's limit, is not yet infinite enough; nor is it for SwiGLU
		}
		if limit := 1e-6 * (math.Abs(exact) + 0.01); !(math.Abs(float64(want[i])-exact) <= limit) {
			t.Errorf("GeGLU(%v, %v) is %v, want %v", v, u[i], want[i], exact)
		}
	}
	for _, k := range rest {
		got := slices.Clone(g)
		k.GeGLU(got, u, new(Scratch))
		same(t, k.name, got, want)
	}
}

func TestSoftCap(t *testing.T) {
	rng := rand.New(rand.NewPCG(23, 24))
	x := append(slices.Clone(hard), random(rng, 480)...)
	for _, limit := range []float32{0.5, 30, 50} {
		want := slices.Clone(x)
		p, rest := others(t)
		p.SoftCap(want, limit, new(Scratch))
		for i, v := range x {
			exact := float64(limit) * math.Tanh(float64(v)/float64(limit))
			if !(math.Abs(float64(want[i])-exact) <= 2e-7*float64(limit)) || math.Signbit(float64(want[i])) != math.Signbit(float64(v)) {
				t.Errorf("SoftCap(%v, %v) is %v, want %v", v, limit, want[i], exact)
			}
		}
		for _, k := range rest {
			got := slices.Clone(x)
			k.SoftCap(got, limit, new(Scratch))
			same(t, k.name, got, want)
		}
	}
}

// TestGeluAllocatesNothing once its memory is there.
func TestGeluAllocatesNothing(t *testing.T) {
	var s Scratch
	x, u := make([]float32, 64), make([]float32, 64)
	for _, name := range Available() {
		k, err := Select(name)
		if err != nil {
			t.Fatal(err)
		}
		k.GeGLU(x, u, &s)
		if n := testing.AllocsPerRun(10, func() { k.GeGLU(x, u, &s); k.SoftCap(x, 30, &s) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// TestGeluNaN: broken weights stay visible.
func TestGeluNaN(t *testing.T) {
	nan := float32(math.NaN())
	for _, name := range Available() {
		k, err := Select(name)
		if err != nil {
			t.Fatal(err)
		}
		x, u := slices.Repeat([]float32{nan}, 16), slices.Repeat([]float32{1}, 16)
		k.GeGLU(x, u, new(Scratch))
		y := slices.Repeat([]float32{nan}, 16)
		k.SoftCap(y, 30, new(Scratch))
		if x[3] == x[3] || y[3] == y[3] {
			t.Errorf("%s: of NaN comes %v and %v", name, x[3], y[3])
		}
	}
}
