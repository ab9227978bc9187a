package native

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"targon/engine/native/kernel"
)

func TestHighest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		logits := rapid.SliceOfN(rapid.Float32Range(-2, 2), 1, 300).Draw(t, "logits")
		for i := range logits {
			logits[i] = float32(math.Round(float64(logits[i])*4)) / 4 // many ties
		}
		k := rapid.IntRange(0, 320).Draw(t, "k")
		name := rapid.SampledFrom(kernel.Available()).Draw(t, "kernel")
		by, err := kernel.Select(name)
		if err != nil {
			t.Fatal(err)
		}
		got, want := highest(by, logits, k), sorted(logits)
		if len(got) != min(k, len(logits)) {
			t.Fatalf("%d of %d highest", len(got), k)
		}
		for i := range got {
			if got[i] != want[i] {
				t.Fatalf("highest[%d] = %v, want %v", i, got[i], want[i])
			}
			if r := rank(by, 0, logits, got[i]); int(r) != i {
				t.Fatalf("rank of %v is %d, want %d", got[i], r, i)
			}
		}
	})
}

// TestHighestOfMany: also where the row is long enough for a floor to leave most of it out.
func TestHighestOfMany(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	logits := make([]float32, 2053)
	for _, steps := range []float64{4, 1e6} { // with many ties, and with few
		for i := range logits {
			logits[i] = float32(math.Round(rng.NormFloat64()*steps) / steps)
		}
		want := sorted(logits)
		for _, name := range kernel.Available() {
			by, err := kernel.Select(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, k := range []int{1, 2, 16, fewOf, fewOf + 1} {
				if got := highest(by, logits, k); !slices.Equal(got, want[:k]) {
					t.Errorf("%s: the %d highest are %v, want %v", name, k, got, want[:k])
				}
			}
		}
	}
}

// TestFloor: it is the k-th highest of the parts' highest, parts being twice as many as k or
// more, and nothing where there are fewer than k.
func TestFloor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.OneOf(rapid.IntRange(1, 5000), rapid.SampledFrom([]int{16, 32, 256, 2048, 4096})).Draw(t, "logits")
		k := rapid.IntRange(1, fewOf).Draw(t, "k")
		logits := make([]float32, n)
		for i := range logits {
			logits[i] = float32(i*7919%n) / 16
		}
		by := fastest()
		var parts []float32
		size := max(n/(2*k)/kernel.Lanes*kernel.Lanes, kernel.Lanes)
		for part := range slices.Chunk(logits, size) {
			if len(part) == size && len(parts) < 4*fewOf {
				parts = append(parts, slices.Max(part))
			}
		}
		slices.Sort(parts)
		want := float32(math.Inf(-1))
		if len(parts) >= k {
			want = parts[len(parts)-k]
		}
		if got := floor(by, logits, k); got != want || by.Above(logits, below(got)) < min(k, n) {
			t.Fatalf("%v, want %v, of %d parts", got, want, len(parts))
		}
	})
}
