package native_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"targon"
	"targon/engine/enginetest"
	"targon/engine/native"
)

// describe is Draw by its definition, over all logits in the order of Top, with package
// math.
func describe(all []targon.Scored, by targon.Sampling, allowed uint32) targon.Draw {
	if by.Temperature == 0 {
		return targon.Draw{}
	}
	d := targon.Draw{Allowed: allowed}
	n := len(all)
	if by.Filtered() {
		n = int(allowed)
	}
	var sum, kept float64
	weight := func(s targon.Scored) float64 {
		return math.Exp((float64(s.Logit) - float64(all[0].Logit)) / by.Temperature)
	}
	for i, s := range all {
		sum += weight(s)
		if i < n {
			kept += weight(s)
		}
	}
	d.Norm, d.Kept = math.Log(sum), kept/sum
	surprise := func(s targon.Scored) float64 { return -math.Log(weight(s) / kept) }
	for _, s := range all[:n] {
		if w := weight(s); w > 0 {
			d.Entropy += w / kept * surprise(s)
		}
	}
	for _, s := range all[:n] {
		if w := weight(s); w > 0 {
			d.Varentropy += w / kept * (surprise(s) - d.Entropy) * (surprise(s) - d.Entropy)
		}
	}
	return d
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-5*(1+math.Abs(b)) }

// TestDrawIsDescribed: norm, kept share, entropy and varentropy are what they say, for
// every kernel the same bits, and for whoever traces.
func TestDrawIsDescribed(t *testing.T) {
	m := random(t, enginetest.Tiny())
	fast := engine(t, m, native.Options{})
	portable := engine(t, m, native.Options{Kernel: "portable"})
	for _, by := range []targon.Sampling{
		{},
		{Temperature: 1, Seed: 4},
		{Temperature: 0.7, Seed: 4},
		{Temperature: 2, Seed: 4},
		{Temperature: 1e-300, Seed: 4},
		{Temperature: 1, Seed: 4, TopK: 1},
		{Temperature: 1, Seed: 4, TopK: 7},
		{Temperature: 0.8, Seed: 4, TopP: 0.9},
		{Temperature: 1.3, Seed: 4, MinP: 0.2},
		{Temperature: 1.3, Seed: 4, MinP: 0.01, TopK: 40, TopP: 0.95},
		{TopK: 3, TopP: 0.5}, // filters mean nothing at temperature 0
	} {
		t.Run(fmt.Sprintf("%+v", by), func(t *testing.T) {
			r := targon.Request{Prompt: someIDs(9, m.Vocab()), MaxTokens: 12, Sampling: by}
			ids := enginetest.IDs(enginetest.Collect(t, fast, r))
			s, err := fast.Score(t.Context(), r, ids, targon.Need{Top: m.Vocab()})
			if err != nil {
				t.Fatal(err)
			}
			for j, p := range s.Positions {
				got, want := p.Drawn, describe(p.Top, by, p.Drawn.Allowed)
				if !near(got.Norm, want.Norm) || !near(got.Kept, want.Kept) ||
					!near(got.Entropy, want.Entropy) || !near(got.Varentropy, want.Varentropy) {
					t.Fatalf("position %d: %+v, want %+v", j, got, want)
				}
				if filtered := by.Filtered(); (got.Allowed > 0) != filtered || filtered && by.TopK > 0 && got.Allowed > by.TopK {
					t.Fatalf("position %d: %d allowed", j, got.Allowed)
				}
				if last := (targon.Scored{}); by.Filtered() {
					if last = p.Top[got.Allowed-1]; got.Last != last {
						t.Fatalf("position %d: the last of %d is %v, want %v", j, got.Allowed, got.Last, last)
					}
				} else if got.Last != last {
					t.Fatalf("position %d: last %v without a filter", j, got.Last)
				}
				if by.Filtered() && int(p.Rank) >= int(got.Allowed) {
					t.Fatalf("position %d: drew rank %d of %d allowed", j, p.Rank, got.Allowed)
				}
			}
			narrow, err := fast.Score(t.Context(), r, ids, targon.Need{Top: 3}) // too few to tell what is allowed
			if err != nil {
				t.Fatal(err)
			}
			for j, p := range narrow.Positions {
				if d := cmp.Diff(s.Positions[j].Drawn, p.Drawn); d != "" {
					t.Fatalf("position %d (-all listed +three):\n%s", j, d)
				}
			}
			again, err := portable.Score(t.Context(), r, ids, targon.Need{Top: m.Vocab()})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(s.Positions, again.Positions); d != "" {
				t.Errorf("(-fast +portable):\n%s", d)
			}
			traced := 0
			for d, err := range fast.Trace(t.Context(), r, m.Vocab()) {
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(s.Positions[traced], d.Position); diff != "" {
					t.Fatalf("position %d (-scored +traced):\n%s", traced, diff)
				}
				traced++
			}
		})
	}
}

// TestAllowedIsMinimal: one id fewer would not hold the share that top-p asks for.
func TestAllowedIsMinimal(t *testing.T) {
	m := random(t, enginetest.Tiny())
	e := engine(t, m, native.Options{})
	for _, p := range []float64{0.1, 0.5, 0.9} {
		by := targon.Sampling{Temperature: 1, TopP: p}
		s, err := e.Score(t.Context(), targon.Request{Prompt: someIDs(9, m.Vocab()), Sampling: by}, someIDs(20, m.Vocab()), targon.Need{Top: m.Vocab()})
		if err != nil {
			t.Fatal(err)
		}
		for j, at := range s.Positions {
			n := at.Drawn.Allowed
			if less := describe(at.Top, by, n-1).Kept; at.Drawn.Kept < p-1e-6 || n > 1 && less > p+1e-6 {
				t.Fatalf("position %d: %d ids hold %v, one fewer %v, want just %v", j, n, at.Drawn.Kept, less, p)
			}
		}
	}
}

// TestScoreRefusesSampling: what nobody can follow is not scored.
func TestScoreRefusesSampling(t *testing.T) {
	m := random(t, enginetest.Tiny())
	r := targon.Request{Prompt: someIDs(3, m.Vocab()), Sampling: targon.Sampling{Temperature: math.NaN()}}
	if _, err := engine(t, m, native.Options{}).Score(t.Context(), r, []targon.TokenID{1}, targon.Need{Top: 1}); err == nil {
		t.Error("temperature NaN is scored")
	}
}

// BenchmarkScoreSampling is what the description of draws costs: the first row has none.
func BenchmarkScoreSampling(b *testing.B) {
	m := random(b, small())
	e := engine(b, m, native.Options{Threads: 1})
	ids := someIDs(200, m.Vocab())
	for _, by := range []targon.Sampling{{}, {Temperature: 1}, {Temperature: 0.7}, {Temperature: 0.7, TopK: 50}, {Temperature: 0.7, TopP: 0.95}} {
		r := targon.Request{Prompt: someIDs(16, m.Vocab()), Sampling: by}
		b.Run(fmt.Sprintf("T=%v,k=%v,p=%v", by.Temperature, by.TopK, by.TopP), func(b *testing.B) {
			for b.Loop() {
				if _, err := e.Score(b.Context(), r, ids, targon.Need{Top: 64}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
