package native

import (
	"math"
	"slices"
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

// samplers are those of all kernels of this machine.
func samplers(t *testing.T) (all []*sampler) {
	t.Helper()
	for _, name := range kernel.Available() {
		k, err := kernel.Select(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, &sampler{k})
	}
	return all
}

// TestDrawIsPlain: whatever the logits, whatever order they come in, and down to
// temperatures too small for a float32.
func TestDrawIsPlain(t *testing.T) {
	all := samplers(t)
	rapid.Check(t, func(t *rapid.T) {
		spread := rapid.SampledFrom([]float32{0, 1e-40, 1e-6, 0.5, 5, 1000, 1e38}).Draw(t, "spread")
		seed := rapid.Uint64().Draw(t, "seed")
		logits := make([]float32, rapid.IntRange(1, 3000).Draw(t, "ids"))
		for i := range logits {
			logits[i] = spread * float32(int32(noise.At(seed, 1).Hash(uint32(i)))>>20) / 2048
		}
		switch rapid.IntRange(0, 3).Draw(t, "order") {
		case 1: // each wins over all before it
			slices.Sort(logits)
		case 2: // as penalties leave them
			for i := range logits {
				if i%3 == 0 {
					logits[i] = float32(math.Inf(-1))
				}
			}
		}
		by := targon.Sampling{Seed: seed, Temperature: rapid.SampledFrom([]float64{0, 5e-324, 1e-42, 1e-9, 0.3, 1, 2}).Draw(t, "temperature")}
		for position := range 4 {
			want := plain(logits, by, position)
			for _, s := range all {
				if got := s.draw(logits, by, position); got != want {
					t.Fatalf("%s, position %d: drew %d, want %d", s.kernel.Name(), position, got, want)
				}
			}
		}
	})
}

// TestDrawTies: equal values go to the lower id, with noise too small to count.
func TestDrawTies(t *testing.T) {
	for _, s := range samplers(t) {
		for _, n := range []int{5, 40} {
			logits := append([]float32{1, 3, 3, 2, 3}, make([]float32, n-5)...)
			logits[n-1] = 3
			for _, temperature := range []float64{0, 1e-300} {
				if got := s.draw(logits, targon.Sampling{Temperature: temperature, Seed: 1}, 9); got != 1 {
					t.Errorf("%s, temperature %v: drew %d, want 1", s.kernel.Name(), temperature, got)
				}
			}
		}
	}
}

// TestDrawGolden pins what is drawn from logits of different shapes: an answer drawn
// today can be checked by the engines of tomorrow.
func TestDrawGolden(t *testing.T) {
	shapes := map[string]func(i int) float32{
		"flat":   func(int) float32 { return 0 },
		"peaked": func(i int) float32 { return -float32(i*7919%32000) / 900 },
		"rising": func(i int) float32 { return float32(i) / 4000 },
	}
	for _, c := range []struct {
		shape       string
		temperature float64
		want        [4]targon.TokenID // at positions 1 to 4
	}{
		{"flat", 1, [4]targon.TokenID{21770, 16517, 7232, 1421}},
		{"flat", 0, [4]targon.TokenID{0, 0, 0, 0}},
		{"peaked", 1, [4]targon.TokenID{8098, 22221, 29430, 30614}},
		{"peaked", 0.2, [4]targon.TokenID{8098, 22221, 29430, 30614}},
		{"rising", 1, [4]targon.TokenID{29398, 30772, 29938, 30614}},
		{"rising", 2, [4]targon.TokenID{21770, 30772, 7232, 23360}},
	} {
		logits := make([]float32, 32000)
		for i := range logits {
			logits[i] = shapes[c.shape](i)
		}
		for _, s := range samplers(t) {
			var got [4]targon.TokenID
			for i := range got {
				got[i] = s.draw(logits, targon.Sampling{Temperature: c.temperature, Seed: 51367}, i+1)
			}
			if got != c.want {
				t.Errorf("%s, %s at temperature %v: drew %v, want %v", s.kernel.Name(), c.shape, c.temperature, got, c.want)
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

func BenchmarkDraw(b *testing.B) {
	s, logits := NewSampler(), make([]float32, 32000)
	for i := range logits {
		logits[i] = float32(noise.Gumbel(1, 1, uint32(i)))
	}
	position := 0
	for b.Loop() {
		position++
		s.Draw(logits, targon.Sampling{Temperature: 1, Seed: 5}, position)
	}
}
