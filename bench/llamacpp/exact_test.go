package main

import (
	"math"
	"testing"

	"targon/bench/speed"
	"targon/engine/native"
	"targon/engine/native/gguf"
	"targon/engine/native/madeup"
)

// TestExact: our engine computes what is called exact, up to float32, and for weights
// in blocks what is called 8 bits alone. The shape is that of SmolLM2-135M, of fewer
// layers and ids.
func TestExact(t *testing.T) {
	for _, c := range []struct {
		typ   gguf.Type
		eight bool
	}{{gguf.F32, false}, {gguf.F16, false}, {gguf.Q8_0, true}} {
		data, err := madeup.Model(madeup.Shape{
			Dim: 576, FFN: 1536, Layers: 2, Heads: 9, KVHeads: 3, Head: 64, Vocab: 301, Context: 64, Type: c.typ, Untied: true, Seed: 5,
		})
		if err != nil {
			t.Fatal(err)
		}
		ids := speed.NewText(vocabOf(data)).Next(1)
		want, err := exactly(data, ids, c.eight)
		if err != nil {
			t.Fatal(err)
		}
		m, err := native.Load(data)
		if err != nil {
			t.Fatal(err)
		}
		e, err := native.New(m, native.Options{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		var got [][]float64
		err = e.Logits(t.Context(), ids, func(_ int, row []float32) error {
			got = append(got, widened(row))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		rows := want.exact
		if c.eight {
			rows = want.eight
			if far := apart(got, want.exact); far < 1e-3 {
				t.Errorf("%v: %v from exact, as if nothing had been rounded", c.typ, far)
			}
		}
		if far := apart(got, rows); !(far < 1e-5) {
			t.Errorf("%v: %v from what it should be", c.typ, far)
		}
	}
}

func TestBetween(t *testing.T) {
	x, y := [][]float64{{1, 2, 3}, {0, 5, 1}}, [][]float64{{1, 2.5, 2}, {0, 4, 1}}
	if d := between(x, y); d.same != 1 || d.of != 2 || d.worst != 1 || d.median != 0.5 {
		t.Errorf("%+v", d)
	}
	if got, want := apart(x, y), math.Sqrt(2.25/6); math.Abs(got-want) > 1e-15 {
		t.Errorf("apart %v, want %v", got, want)
	}
}
