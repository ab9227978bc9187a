package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestTotalIsATree: the sum of every length has the bits of its definition, element by
// element, for every kernel.
func TestTotalIsATree(t *testing.T) {
	rng := rand.New(rand.NewPCG(51, 52))
	for _, name := range Available() {
		k, err := Select(name)
		if err != nil {
			t.Fatal(err)
		}
		for n := range 70 {
			x := make([]float32, n)
			for i := range x {
				x[i] = float32(math.Exp(-20 * rng.Float64()))
			}
			var l [8]float64
			for i, v := range x {
				l[i%8] += float64(v)
			}
			want := ((l[0] + l[4]) + (l[2] + l[6])) + ((l[1] + l[5]) + (l[3] + l[7]))
			for _, piece := range []int{32, 128} {
				var s Sums
				for part := range slices.Chunk(x, piece) {
					k.AddTotal(&s, part)
				}
				if got := s.Total(); got != want {
					t.Fatalf("%s: %d elements in pieces of %d add up to %v, want %v", name, n, piece, got, want)
				}
			}
		}
	}
}

// TestMomentsAreTrees: as TestTotalIsATree, with exponents that are cut off as well.
func TestMomentsAreTrees(t *testing.T) {
	rng := rand.New(rand.NewPCG(53, 54))
	tree := func(l [8]float64) float64 {
		return ((l[0] + l[4]) + (l[2] + l[6])) + ((l[1] + l[5]) + (l[3] + l[7]))
	}
	for _, name := range Available() {
		k, err := Select(name)
		if err != nil {
			t.Fatal(err)
		}
		for n := range 70 {
			w, logits := make([]float32, n), make([]float32, n)
			for i := range w {
				logits[i] = float32(10 * rng.NormFloat64())
				w[i] = rng.Float32()
			}
			high, inverse := float32(12), []float32{1, 0.7, 40, 1e30}[n%4]
			var sum, first, second [8]float64
			for i, l := range logits {
				x := float64(max((l-high)*inverse, -87))
				weight := float64(w[i])
				wx := float64(weight * x)
				sum[i%8] += weight
				first[i%8] += wx
				second[i%8] += float64(wx * x)
			}
			size := []int{16, 48, 80}[n%3] // of pieces
			var s Sums
			for from := 0; from < n; from += size {
				to := min(from+size, n)
				k.AddMoments(&s, w[from:to], logits[from:to], high, inverse)
			}
			a, b, c := s.Moments()
			if a != tree(sum) || b != tree(first) || c != tree(second) {
				t.Fatalf("%s: %d elements, times %v: %v, %v, %v, want %v, %v, %v", name, n, inverse, a, b, c, tree(sum), tree(first), tree(second))
			}
		}
	}
}

// TestHighest: of every length, wherever it stands.
func TestHighest(t *testing.T) {
	for _, name := range Available() {
		k, err := Select(name)
		if err != nil {
			t.Fatal(err)
		}
		for n := 1; n < 50; n++ {
			for at := range n {
				x := slices.Repeat([]float32{-2}, n)
				x[at] = -1
				if got := k.Highest(x); got != -1 {
					t.Fatalf("%s: the highest of %d, at %d, is %v", name, n, at, got)
				}
			}
		}
	}
}

// TestExponents: one subtraction and one product each, rounded, for every kernel and length.
func TestExponents(t *testing.T) {
	rng := rand.New(rand.NewPCG(55, 56))
	for _, name := range Available() {
		k, err := Select(name)
		if err != nil {
			t.Fatal(err)
		}
		for n := range 70 {
			logits, got := make([]float32, n), make([]float32, n+1)
			for i := range logits {
				logits[i] = float32(10 * rng.NormFloat64())
			}
			high, inverse := float32(12.3), []float32{1, 0.7, 40, 1e30}[n%4]
			k.Exponents(got[:n], logits, high, inverse)
			for i, l := range logits {
				if want := float32(l-high) * inverse; got[i] != want {
					t.Fatalf("%s: %d logits, times %v: exponent %d is %v, want %v", name, n, inverse, i, got[i], want)
				}
			}
			if got[n] != 0 {
				t.Fatalf("%s: %d logits, and the next was written", name, n)
			}
		}
	}
}
