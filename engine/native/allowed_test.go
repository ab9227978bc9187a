package native

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"targon"
	"targon/noise"
)

// plainAllowed is targon.Sampling's definition, step by step, over a sorted list.
func plainAllowed(logits []float32, by targon.Sampling) []targon.Scored {
	kept := sorted(logits)
	if by.Temperature == 0 {
		return kept
	}
	high := float64(kept[0].Logit)
	if by.MinP > 0 {
		kept = slices.DeleteFunc(kept, func(c targon.Scored) bool {
			return float64(c.Logit) < high+float64(by.Temperature*noise.Log(by.MinP))
		})
	}
	if by.TopK > 0 && int(by.TopK) < len(kept) {
		kept = kept[:by.TopK]
	}
	if by.TopP == 0 {
		return kept
	}
	weight := func(c targon.Scored) float64 { return noise.Exp((float64(c.Logit) - high) / by.Temperature) }
	rising := slices.SortedFunc(slices.Values(kept), func(a, b targon.Scored) int { return int(a.ID) - int(b.ID) })
	total, sum := 0.0, 0.0
	for _, c := range rising {
		total += weight(c)
	}
	for i, c := range kept {
		if sum += weight(c); sum >= float64(by.TopP*total) {
			return kept[:i+1]
		}
	}
	return kept
}

func someSampling(t *rapid.T) targon.Sampling {
	return targon.Sampling{
		Temperature: rapid.SampledFrom([]float64{0, 5e-324, 1e-9, 1e-5, 0.05, 0.3, 1, 2}).Draw(t, "temperature"),
		Seed:        rapid.Uint64().Draw(t, "seed"),
		TopK:        rapid.SampledFrom([]uint32{0, 0, 1, 2, 40, 1000, math.MaxUint32}).Draw(t, "top-k"),
		TopP:        rapid.SampledFrom([]float64{0, 0, 5e-324, 0.1, 0.5, 0.9, 0.999999, math.Nextafter(1, 0)}).Draw(t, "top-p"),
		MinP:        rapid.SampledFrom([]float64{0, 0, 5e-324, 0.001, 0.1, 0.9, math.Nextafter(1, 0)}).Draw(t, "min-p"),
	}
}

func someLogits(t *rapid.T) []float32 {
	spread := rapid.SampledFrom([]float32{0, 1e-6, 0.5, 5, 1000, math.MaxFloat32}).Draw(t, "spread")
	steps := rapid.SampledFrom([]float32{2, 2048}).Draw(t, "steps") // two make many ties
	seed := rapid.Uint64().Draw(t, "logits")
	logits := make([]float32, rapid.OneOf(rapid.IntRange(1, 2000), rapid.IntRange(1, 500), rapid.Just(9999)).Draw(t, "ids"))
	for i := range logits {
		h := float32(int32(noise.At(seed, 1).Hash(uint32(i)))>>20) / 2048
		logits[i] = spread * (float32(int32(h*steps)) / steps)
	}
	if rapid.Bool().Draw(t, "kept away") { // as before min_tokens others
		for i := 1; i < len(logits); i += 3 {
			logits[i] = float32(math.Inf(-1))
		}
	}
	return logits
}

// TestAllowedIsPlain: ids, their last, and the draw among them are those of the definition.
func TestAllowedIsPlain(t *testing.T) {
	var filters []*filter // used again, as an engine does
	for _, s := range samplers(t) {
		filters = append(filters, &filter{kernel: s.kernel})
	}
	s := NewSampler().sampler
	rapid.Check(t, func(t *rapid.T) {
		logits, by := someLogits(t), someSampling(t)
		f := rapid.SampledFrom(filters).Draw(t, "kernel")
		want := plainAllowed(logits, by)
		ids, last := f.allowed(logits, by)
		if len(ids) != len(want) || last != want[len(want)-1] {
			t.Fatalf("%+v: %d ids up to %v, want %d up to %v", by, len(ids), last, len(want), want[len(want)-1])
		}
		for i, id := range slices.Sorted(slices.Values(ids)) {
			if !slices.ContainsFunc(want, func(c targon.Scored) bool { return c.ID == id }) {
				t.Fatalf("%+v: id %d at %d is not allowed", by, id, i)
			}
		}
		if by.Temperature == 0 {
			return
		}
		best, winner := math.Inf(-1), targon.TokenID(-1)
		for _, c := range want {
			v := noise.Perturb(c.Logit, by.Temperature, noise.Gumbel(by.Seed, 7, uint32(c.ID)))
			if v > best || v == best && c.ID < winner {
				best, winner = v, c.ID
			}
		}
		if got := s.among(ids, logits, by, 7); got != winner {
			t.Fatalf("%+v: drew %d, want %d", by, got, winner)
		}
	})
}

// TestNearly: the sum of all weights is well within its bounds, which are close.
func TestNearly(t *testing.T) {
	for _, s := range samplers(t) {
		f := filter{kernel: s.kernel}
		rapid.Check(t, func(t *rapid.T) {
			by := targon.Sampling{
				Temperature: rapid.Float64Range(1e-6, 2).Draw(t, "temperature"),
				MinP:        rapid.SampledFrom([]float64{0, 1e-6, 0.1}).Draw(t, "min-p"),
			}
			f.logits = someLogits(t)
			f.keep(by)
			exact, bounds := f.exactly(by).least, f.nearly(by)
			if exact < bounds.least+2e-6*exact || exact > bounds.most-2e-6*exact || bounds.most > exact*(1+3e-5) {
				t.Fatalf("%s: the sum is %v, its bounds %v", s.kernel.Name(), exact, bounds)
			}
		})
	}
}

// TestAllowedEdges: which side of each limit an id falls on.
func TestAllowedEdges(t *testing.T) {
	ln := func(p ...float64) []float32 {
		out := make([]float32, len(p))
		for i := range p {
			out[i] = float32(noise.Log(p[i]))
		}
		return out
	}
	halves := []float32{0, 0, 0, 0} // a quarter each, exactly
	for _, c := range []struct {
		name   string
		logits []float32
		by     targon.Sampling
		want   []targon.TokenID
	}{
		{"everything", halves, targon.Sampling{Temperature: 1}, []targon.TokenID{0, 1, 2, 3}},
		{"cold", halves, targon.Sampling{TopK: 1, TopP: 0.1, MinP: 0.9}, []targon.TokenID{0, 1, 2, 3}},
		{"ties are for lower ids", halves, targon.Sampling{Temperature: 1, TopK: 3}, []targon.TokenID{0, 1, 2}},
		{"reached exactly", halves, targon.Sampling{Temperature: 1, TopP: 0.5}, []targon.TokenID{0, 1}},
		{"not quite reached", halves, targon.Sampling{Temperature: 1, TopP: math.Nextafter(0.5, 1)}, []targon.TokenID{0, 1, 2}},
		{"at least one", halves, targon.Sampling{Temperature: 1, TopP: 1e-300}, []targon.TokenID{0}},
		{"share of what top-k keeps", halves, targon.Sampling{Temperature: 1, TopK: 2, TopP: 0.5}, []targon.TokenID{0}},
		{"share of what min-p keeps", ln(0.4, 0.4, 0.1, 0.1), targon.Sampling{Temperature: 1, MinP: 0.5, TopP: 0.5}, []targon.TokenID{0}},
		{"the highest are kept by min-p", halves, targon.Sampling{Temperature: 1, MinP: math.Nextafter(1, 0)}, []targon.TokenID{0, 1, 2, 3}},
		{"temperature flattens", ln(0.8, 0.2), targon.Sampling{Temperature: 2, MinP: 0.4}, []targon.TokenID{0, 1}},
		{"and sharpens", ln(0.8, 0.2), targon.Sampling{Temperature: 0.5, MinP: 0.2}, []targon.TokenID{0}},
		{"the likeliest wherever it is", ln(0.1, 0.2, 0.7), targon.Sampling{Temperature: 1, TopP: 0.8}, []targon.TokenID{1, 2}},
	} {
		ids, _ := new(filter).allowed(c.logits, c.by)
		if got := slices.Sorted(slices.Values(ids)); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// TestSortedZeros: where many ids are sorted, zeros of either sign are one logit, and the rest
// comes in its place, infinity too.
func TestSortedZeros(t *testing.T) {
	logits := make([]float32, 2*heapIDs)
	for i := range logits {
		logits[i] = [...]float32{0, float32(math.Copysign(0, -1)), -1e-45, 1e-45, float32(math.Inf(-1)), -math.MaxFloat32, math.MaxFloat32}[i%7]
	}
	for _, k := range []int{1, heapIDs, heapIDs + 1, len(logits) - 1} {
		by := targon.Sampling{Temperature: 1, TopK: uint32(k)}
		var f filter
		ids, last := f.allowed(logits, by)
		var want []targon.TokenID
		plain := plainAllowed(logits, by)
		for _, c := range plain {
			want = append(want, c.ID)
		}
		slices.Sort(want)
		if got := slices.Sorted(slices.Values(ids)); !slices.Equal(got, want) || last != plain[k-1] {
			t.Errorf("top %d: last %v, want %v", k, last, plain[k-1])
		}
	}
}

// BenchmarkAllowed: a draw from few ids of a small vocabulary, and from most of a large one.
func BenchmarkAllowed(b *testing.B) {
	for name, c := range map[string]struct {
		ids int
		by  targon.Sampling
	}{
		"few":  {2048, targon.Sampling{Temperature: 1, TopP: 0.9, MinP: 0.01}},
		"most": {128256, targon.Sampling{Temperature: 2, TopP: 0.95}},
	} {
		b.Run(name, func(b *testing.B) {
			logits := make([]float32, c.ids)
			for i := range logits {
				logits[i] = float32(noise.Gumbel(1, 1, uint32(i)))
			}
			var f filter
			for b.Loop() {
				f.allowed(logits, c.by)
			}
		})
	}
}

// FuzzSampling: whatever the settings and the logits, a request is refused, or the id
// that is drawn is one that is allowed.
func FuzzSampling(f *testing.F) {
	f.Add(1.0, uint64(7), uint32(40), 0.9, 0.05, []byte{0, 0, 128, 63, 0, 0, 0, 64, 0, 0, 0, 192})
	f.Add(5e-324, uint64(0), uint32(0), 5e-324, 0.0, []byte{1, 0, 0, 0, 255, 255, 127, 127, 255, 255, 127, 255})
	f.Add(2.0, uint64(1)<<63, uint32(1), 0.0, 0.999, []byte{0, 0, 0, 128, 0, 0, 0, 0})
	f.Add(0.0, uint64(1), uint32(2), -0.5, math.NaN(), []byte{0, 0, 192, 127, 0, 0, 0, 0})
	s, ws := NewSampler().sampler, new(workspace)
	f.Fuzz(func(t *testing.T, temperature float64, seed uint64, k uint32, p, share float64, raw []byte) {
		by := targon.Sampling{Temperature: temperature, Seed: seed, TopK: k, TopP: p, MinP: share}
		logits := make([]float32, min(len(raw)/4, 4096))
		for i := range logits {
			logits[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
		}
		if len(logits) == 0 || !finite(logits) {
			return // an engine's are neither
		}
		if err := by.Validate(); err != nil {
			if !errors.Is(err, targon.ErrRequest) {
				t.Fatalf("%+v: %v", by, err)
			}
			return
		}
		id := ws.pick(s, logits, by, 9)
		allowed := plainAllowed(logits, by)
		if !slices.ContainsFunc(allowed, func(c targon.Scored) bool { return c.ID == id }) {
			t.Fatalf("%+v: drew %d of %v, allowed are %v", by, id, logits, allowed)
		}
	})
}
