package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestSearchSame compares with the definitions, for every length and wherever it is
// that something is found.
func TestSearchSame(t *testing.T) {
	rng := rand.New(rand.NewPCG(41, 42))
	for _, name := range Available() {
		k, err := Select(name)
		if err != nil {
			t.Fatal(err)
		}
		for n := range 70 {
			x := awkward(rng, n)
			for _, limit := range append([]float32{0, -1, 1, 1e12}, x...) {
				if got, want := k.Above(x, limit), portableAbove(x, limit); got != want {
					t.Fatalf("%s: %d of %d are above %v, want %d", name, got, n, limit, want)
				}
				if got, want := k.FirstAbove(x, limit), portableFirstAbove(x, limit); got != want {
					t.Fatalf("%s: of %d the first above %v is %d, want %d", name, n, limit, got, want)
				}
			}
			if !k.Finite(x) {
				t.Fatalf("%s: %v is not finite", name, x)
			}
			for i := range x {
				for _, bad := range []float32{float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()), -float32(math.NaN())} {
					was := x[i]
					if x[i] = bad; k.Finite(x) {
						t.Fatalf("%s: %v at %d of %d is finite", name, bad, i, n)
					}
					x[i] = was
				}
				was := x[i]
				if x[i] = math.MaxFloat32; !k.Finite(x) {
					t.Fatalf("%s: the largest number is not finite", name)
				}
				x[i] = was
			}
		}
	}
}
