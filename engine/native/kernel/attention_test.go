package kernel

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestScoresSame: scores of many queries are dot products, one by one.
func TestScoresSame(t *testing.T) {
	rng := rand.New(rand.NewPCG(31, 32))
	p, rest := others(t)
	for _, c := range []struct{ rows, width, stride, n int }{{1, 16, 16, 1}, {4, 16, 48, 6}, {7, 48, 48, 7}, {64, 32, 128, 12}, {3, 64, 80, 25}, {0, 16, 16, 3}} {
		stored := (c.rows + 3) / 4 * 4
		keys := Rows{awkward(rng, max(stored-1, 0)*c.stride+c.width), c.rows, c.width, c.stride}
		x := Vectors{awkward(rng, c.n*(c.width+16)), c.width + 16}
		for _, k := range append(rest, p) {
			got := Vectors{make([]float32, c.n*(stored+5)), stored + 5}
			k.Scores(got, keys, x, c.n)
			for q := range c.n {
				for row := range c.rows {
					want := dot(keys.Data[row*c.stride:][:c.width], x.At(q)[:c.width])
					same(t, fmt.Sprintf("%s %+v query %d row %d", k.name, c, q, row), got.At(q)[row:], []float32{want})
				}
			}
		}
	}
}

// TestAddValuesSame: the chains of many queries are those of one, and may be cut where
// one page of a cache ends and the next begins.
func TestAddValuesSame(t *testing.T) {
	rng := rand.New(rand.NewPCG(33, 34))
	p, rest := others(t)
	for _, width := range []int{16, 32, 48, 64, 80, 96, 112, 128, 192} {
		for _, n := range []int{1, 5, 6, 13} {
			const rows, stride = 19, 208
			v, weights := awkward(rng, rows*stride), Vectors{awkward(rng, n*rows), rows}
			want := make([]float32, n*width)
			for q := range n {
				for row := range rows {
					for d := range width {
						want[q*width+d] = fma(weights.At(q)[row], v[row*stride+d], want[q*width+d])
					}
				}
			}
			for _, k := range append(rest, p) {
				for _, cut := range []int{0, 1, 8, rows} {
					got := Vectors{make([]float32, n*width), width}
					k.AddValues(got, weights, Rows{v, cut, width, stride}, n)
					k.AddValues(got, Vectors{weights.Data[cut:], rows}, Rows{v[cut*stride:], rows - cut, width, stride}, n)
					same(t, fmt.Sprintf("%s width %d, %d queries, cut at %d", k.name, width, n, cut), got.Data, want)
				}
			}
		}
	}
}

// awkward are numbers of every size, some of them subnormal, some zero of either sign.
func awkward(rng *rand.Rand, n int) []float32 {
	x := random(rng, n)
	for i := range x {
		x[i] *= []float32{1, 1, 1, 1e-3, 1e10, 1e-39, 1e-44, 0}[rng.IntN(8)]
	}
	return x
}

// TestElementwiseSame compares single operations on every element, for lengths that
// registers do not divide.
func TestElementwiseSame(t *testing.T) {
	rng := rand.New(rand.NewPCG(35, 36))
	p, rest := others(t)
	for _, k := range rest {
		for _, n := range []int{16, 48, 288} {
			x, y := awkward(rng, n), awkward(rng, n)
			each(t, k, p, x, "norm", func(k *Kernel, x []float32) { k.Norm(x, slices.Clone(x), y, 0.37) })
			each(t, k, p, x, "norm in place", func(k *Kernel, x []float32) { k.Norm(x, x, y, 3e-20) })
			each(t, k, p, x, "add", func(k *Kernel, x []float32) { k.Add(x, y) })
		}
		for _, pairs := range []int{0, 1, 3, 4, 5, 8, 11, 16, 24, 32, 63} {
			x, cos, sin := append(awkward(rng, 2*pairs), 7), awkward(rng, pairs), awkward(rng, pairs)
			each(t, k, p, x, "pairs", func(k *Kernel, x []float32) { k.TurnPairs(x, cos, sin) })
			each(t, k, p, x, "halves", func(k *Kernel, x []float32) { k.TurnHalves(x, cos, sin) })
		}
	}
}

// TestTurn: a quarter turn of (1, 2) and (3, 4), and what lies beyond stays.
func TestTurn(t *testing.T) {
	for _, name := range Available() {
		k, err := Select(name)
		if err != nil {
			t.Fatal(err)
		}
		x, y := []float32{1, 2, 3, 4, 9}, []float32{1, 3, 2, 4, 9}
		k.TurnPairs(x, []float32{0, 1}, []float32{1, 0})
		k.TurnHalves(y, []float32{0, 1}, []float32{1, 0})
		same(t, name+" pairs", x, []float32{-2, 1, 3, 4, 9})
		same(t, name+" halves", y, []float32{-2, 3, 1, 4, 9})
	}
}
