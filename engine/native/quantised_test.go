package native_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"targon"
	"targon/engine/native"
	"targon/engine/native/gguf"
	"targon/model"
)

// divergence returns the mean over positions of the Kullback-Leibler divergence of q's
// distribution from p's, and at how many positions both have the same likeliest id.
func divergence(p, q []float32, vocab int) (kl float64, agree, positions int) {
	positions = len(p) / vocab
	for i := range positions {
		a, b := p[i*vocab:(i+1)*vocab], q[i*vocab:(i+1)*vocab]
		na, nb := normaliser(a), normaliser(b)
		for j := range a {
			lp, lq := float64(a[j])-na, float64(b[j])-nb
			kl += math.Exp(lp) * (lp - lq)
		}
		if slices.Index(a, slices.Max(a)) == slices.Index(b, slices.Max(b)) {
			agree++
		}
	}
	return kl / float64(positions), agree, positions
}

func normaliser(x []float32) float64 {
	sum, high := 0.0, float64(slices.Max(x))
	for _, v := range x {
		sum += math.Exp(float64(v) - high)
	}
	return high + math.Log(sum)
}

// TestIntegerProductsAreClose: the built-in model, rounded, says nearly the same when its
// products are computed in integers as when its weights are widened to float32. Rounding
// the activations costs about what rounding the weights to Q8_0 does.
func TestIntegerProductsAreClose(t *testing.T) {
	original, err := native.Load(model.GGUF())
	if err != nil {
		t.Fatal(err)
	}
	ids := original.Prompt("Once there was a small house by the sea.", false)
	r := targon.Request{Prompt: ids, MaxTokens: 160, Sampling: targon.Sampling{Temperature: 1, Seed: 3}}
	for token, err := range engine(t, original, native.Options{}).Generate(t.Context(), r) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, token.ID)
	}
	exact := logits(t, engine(t, original, native.Options{}), ids)
	for _, c := range []struct {
		typ gguf.Type
		kl  float64 // at most
	}{{gguf.Q8_0, 1e-3}, {gguf.Q4_0, 1e-3}, {gguf.Q4_K, 1e-3}} {
		t.Run(fmt.Sprint(c.typ), func(t *testing.T) {
			stored, widened := converted(t, model.GGUF(), c.typ)
			a, err := native.Load(stored)
			if err != nil {
				t.Fatal(err)
			}
			b, err := native.Load(widened)
			if err != nil {
				t.Fatal(err)
			}
			integer := logits(t, engine(t, a, native.Options{}), ids)
			float := logits(t, engine(t, b, native.Options{}), ids)
			weights, _, _ := divergence(exact, float, original.Vocab())
			kl, agree, n := divergence(float, integer, original.Vocab())
			t.Logf("%v: divergence of integers from floats %.2g, same argmax at %d of %d; of rounded weights from the original %.2g",
				c.typ, kl, agree, n, weights)
			if kl > c.kl || kl == 0 || agree < n*97/100 {
				t.Errorf("%v: divergence %v (at most %v, not 0), same argmax at %d of %d (at least 97 %%)", c.typ, kl, c.kl, agree, n)
			}
		})
	}
}

// TestQuantisedBatches: alone, in a batch or scored at once, by any kernel, a quantised
// model gives the same bits.
func TestQuantisedBatches(t *testing.T) {
	data, err := native.Load(model.GGUF())
	if err != nil {
		t.Fatal(err)
	}
	ids := someIDs(14, data.Vocab())
	for _, typ := range []gguf.Type{gguf.Q8_0, gguf.Q4_K} {
		m, err := data.Requantized(typ)
		if err != nil {
			t.Fatal(err)
		}
		want := ""
		for _, o := range configurations() {
			e := engine(t, m, o)
			whole := logits(t, e, ids)
			if got := sum(whole); want == "" {
				want = got
			} else if got != want {
				t.Errorf("%v, %+v: logits hash to %s, want %s", typ, o, got, want)
			}
			row := logits(t, e, ids[:6])
			if vocab := m.Vocab(); !slices.Equal(row[5*vocab:], whole[5*vocab:6*vocab]) {
				t.Errorf("%v, %+v: a shorter sequence gives other logits", typ, o)
			}
		}
	}
}
