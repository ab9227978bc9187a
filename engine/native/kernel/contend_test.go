package kernel

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"targon/noise"
)

// TestMayMissesNobody: whoever comes above a value is among those that may, down to the
// last bit of the value, at any temperature and for hashes at both ends.
func TestMayMissesNobody(t *testing.T) {
	hashes := rapid.OneOf(rapid.Uint32(), rapid.Uint32Range(0, 9), rapid.Uint32Range(1<<32-9, 1<<32-1), rapid.Uint32Range(1<<25-9, 1<<25+9))
	temperatures := rapid.SampledFrom([]float64{5e-324, 1e-50, 1e-42, 1e-38, 1e-30, 1e-9, 0.1, 0.7, 1, 2})
	logits := rapid.OneOf(
		rapid.Float32Range(-50, 50), rapid.Float32(), rapid.Just(float32(0)),
		rapid.SampledFrom([]float32{1e-45, -1e-45, 1e-38, math.MaxFloat32, -math.MaxFloat32}),
	)
	rapid.Check(t, func(t *rapid.T) {
		temperature, logit, hash := temperatures.Draw(t, "temperature"), logits.Draw(t, "logit"), hashes.Draw(t, "hash")
		value := noise.Perturb(logit, temperature, noise.FromHash(hash))
		c := NewContest(noise.Place{}, temperature)
		for _, best := range []float64{math.Inf(-1), value, math.Nextafter(value, math.Inf(-1)), value - 1, 2*value - 1e-30} {
			if best > value {
				continue
			}
			if c.Raise(best); !c.May(logit, hash) {
				t.Fatalf("logit %v, hash %#x, temperature %v: comes to %v and is left out at %v", logit, hash, temperature, value, best)
			}
		}
	})
}

// TestMayLeavesOutMost: the bound is within a tenth of -ln u, so that few are looked at in
// vain.
func TestMayLeavesOutMost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hash := rapid.Uint32Range(1<<12, 1<<32-1).Draw(t, "hash")
		bound := -math.Log((float64(hash) + 0.5) / (1 << 32))
		c := NewContest(noise.Place{}, 1)
		if c.Raise(1 + bound + 0.1); c.May(1, hash) {
			t.Fatalf("hash %#x, -ln u = %v, may be 0.1 more", hash, bound)
		}
		if c.Raise(math.Inf(1)); c.May(math.MaxFloat32, hash) {
			t.Fatal("may be above infinity")
		}
	})
}

// TestContendSame compares with the definition, for every length, from every group, one
// contender after the other, wherever the ids begin.
func TestContendSame(t *testing.T) {
	rng := rand.New(rand.NewPCG(43, 44))
	for _, name := range Available() {
		k, err := Select(name)
		if err != nil {
			t.Fatal(err)
		}
		for n := range 70 {
			x, first := awkward(rng, n), rng.IntN(1<<18)
			c := NewContest(noise.At(rng.Uint64(), uint32(n)), 2*rng.Float64())
			for _, best := range append([]float32{float32(math.Inf(-1)), -3, 0, 3, 1e9, float32(math.Inf(1))}, x...) {
				c.Raise(float64(best))
				for from := 0; from < n; from += Lanes {
					group, which := k.Contend(x, first, from, &c)
					want, bits := from, uint32(0)
					for ; want < n; want += Lanes {
						if bits = contenders(x[want:min(want+Lanes, n)], first+want, &c); bits != 0 {
							break
						}
					}
					if group != min(want, n) || which != bits {
						t.Fatalf("%s: of %d from %d, above %v: %b at %d, want %b at %d", name, n, from, best, which, group, bits, min(want, n))
					}
				}
			}
		}
	}
}

func BenchmarkContend(b *testing.B) {
	x := make([]float32, 32000)
	for _, name := range Available() {
		k, err := Select(name)
		if err != nil {
			b.Fatal(err)
		}
		c := NewContest(noise.At(1, 2), 1)
		c.Raise(30)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				k.Contend(x, 0, 0, &c)
			}
		})
	}
}
