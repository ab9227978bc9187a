package native

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"targon"
	"targon/engine/native/kernel"
	"targon/noise"
)

// plain is the draw as it is defined.
func plain(logits []float32, by targon.Sampling, position int) targon.TokenID {
	best, winner := math.Inf(-1), 0
	for id, l := range logits {
		v := float64(l)
		if by.Temperature > 0 {
			v = noise.Perturb(l, by.Temperature, noise.Gumbel(by.Seed, uint32(position), uint32(id)))
		}
		if v > best {
			best, winner = v, id
		}
	}
	return targon.TokenID(winner)
}

func TestDrawIsPlain(t *testing.T) {
	s := newSampler()
	rapid.Check(t, func(t *rapid.T) {
		spread := rapid.SampledFrom([]float32{0, 1e-6, 0.5, 5, 1000}).Draw(t, "spread")
		seed := rapid.Uint64().Draw(t, "seed")
		logits := make([]float32, rapid.IntRange(1, 3000).Draw(t, "ids"))
		for i := range logits {
			logits[i] = spread * float32(int32(noise.At(seed, 1).Hash(uint32(i)))>>20) / 2048
		}
		by := targon.Sampling{Seed: seed, Temperature: rapid.SampledFrom([]float64{0, 1e-9, 0.3, 1, 2}).Draw(t, "temperature")}
		for position := range 4 {
			if got, want := s.draw(logits, by, position), plain(logits, by, position); got != want {
				t.Fatalf("position %d: drew %d, want %d", position, got, want)
			}
		}
	})
}

// TestDrawTies: equal values go to the lower id, with noise too small to count.
func TestDrawTies(t *testing.T) {
	s := newSampler()
	logits := []float32{1, 3, 3, 2, 3}
	for _, temperature := range []float64{0, 1e-300} {
		if got := s.draw(logits, targon.Sampling{Temperature: temperature, Seed: 1}, 9); got != 1 {
			t.Errorf("temperature %v: drew %d, want 1", temperature, got)
		}
	}
}

// TestBoundsHold goes through both ends of every stretch of hashes.
func TestBoundsHold(t *testing.T) {
	s := newSampler()
	for i, bound := range s.bound {
		lo := uint32(i) << (32 - boundBits)
		for _, h := range []uint32{lo, lo + 1, lo + 1<<(32-boundBits) - 1} {
			if g := noise.FromHash(h); g > bound {
				t.Errorf("noise of %#x is %v, above its bound %v", h, g, bound)
			}
		}
	}
}

func TestFinite(t *testing.T) {
	for _, c := range []struct {
		v    float32
		want bool
	}{
		{0, true},
		{-1, true},
		{math.MaxFloat32, true},
		{-math.MaxFloat32, true},
		{1e-45, true},
		{float32(math.Inf(1)), false},
		{float32(math.Inf(-1)), false},
		{float32(math.NaN()), false},
	} {
		if got := finite([]float32{1, c.v, 2}); got != c.want {
			t.Errorf("finite(%v) = %v", c.v, got)
		}
	}
}

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
			if r := rank(by, logits, got[i].ID); int(r) != i {
				t.Fatalf("rank of %v is %d, want %d", got[i], r, i)
			}
		}
	})
}

func BenchmarkDraw(b *testing.B) {
	s, logits := newSampler(), make([]float32, 2048)
	for i := range logits {
		logits[i] = float32(noise.Gumbel(1, 1, uint32(i)))
	}
	position := 0
	for b.Loop() {
		position++
		s.draw(logits, targon.Sampling{Temperature: 1, Seed: 5}, position)
	}
}
