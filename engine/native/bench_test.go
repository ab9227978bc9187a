package native_test

import (
	"context"
	"testing"

	"targon"
	"targon/engine/enginetest"
	"targon/engine/native"
	"targon/engine/native/gguf"
)

// small has the shape of the built-in model: 3.67 million parameters.
func small() enginetest.Shape {
	return enginetest.Shape{
		Dim: 256, FFN: 768, Layers: 4, Heads: 8, KVHeads: 4, Head: 32, Vocab: 2048,
		Context: 1024, Type: gguf.F16, Seed: 7,
	}
}

func BenchmarkDecode(b *testing.B) {
	m := random(b, small())
	e := engine(b, m, native.Options{Threads: 1})
	r := targon.Request{Prompt: someIDs(16, m.Vocab()), MaxTokens: 200, Sampling: targon.Sampling{Temperature: 1}}
	tokens := 0
	for b.Loop() {
		r.Sampling.Seed++
		for _, err := range e.Generate(context.Background(), r) {
			if err != nil {
				b.Fatal(err)
			}
			tokens++
		}
	}
	b.ReportMetric(float64(tokens)/b.Elapsed().Seconds(), "tok/s")
}

func BenchmarkScore(b *testing.B) {
	m := random(b, small())
	e := engine(b, m, native.Options{Threads: 1})
	r := targon.Request{Prompt: someIDs(16, m.Vocab())}
	ids := someIDs(200, m.Vocab())
	for b.Loop() {
		if _, err := e.Score(context.Background(), r, ids, targon.Need{Top: 16}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*len(ids))/b.Elapsed().Seconds(), "tok/s")
}
