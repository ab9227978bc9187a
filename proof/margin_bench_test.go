package proof_test

import (
	"testing"

	"targon"
	"targon/noise"
	"targon/proof"
)

// BenchmarkMargins is what a check by margins costs an id beside the prefill, with what
// the reference lists by the first need, over 2048 ids: to find what to ask for, to
// replay, and to sum up the surprise.
func BenchmarkMargins(b *testing.B) {
	const size, n = 2048, 64
	for _, name := range []string{"targon", "vllm", "vllm-philox", "sglang"} {
		p, err := noise.ParseProfile(name)
		if err != nil {
			b.Fatal(err)
		}
		r := ask(proverKey(b), 5, 1, n)
		x := answer(b, proverKey(b), r, make([]targon.TokenID, n), targon.FinishLength)
		m := proof.Model{Vocab: size, Noise: p}
		_, need, ok := proof.Precheck(x, m)
		if !ok {
			b.Fatal("precheck")
		}
		logits := make([]float32, size)
		for id := range logits {
			logits[id] = float32(1.5 * noise.Gumbel(1, 1, uint32(id)))
		}
		order := ordered(logits)
		s := targon.Scores{Weights: r.Weights, Vocab: size}
		for j := range x.Tokens {
			at := targon.Position{Claimed: targon.Scored{Logit: logits[0]}, Top: order[:need.Top], Drawn: describe(order, r.Sampling)}
			for _, also := range need.Also[j] {
				at.Also = append(at.Also, targon.Scored{ID: also, Logit: logits[also]})
			}
			s.Positions = append(s.Positions, at)
		}
		perID := func(b *testing.B) { b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/id") }
		b.Run(name+"/precheck", func(b *testing.B) {
			for b.Loop() {
				proof.Precheck(x, m)
			}
			perID(b)
		})
		b.Run(name+"/weigh", func(b *testing.B) {
			for b.Loop() {
				if v, _ := proof.Weigh(x, s, proof.Replay{Noise: p}); v.Tally.Undecided > 5 {
					b.Fatalf("%+v", v)
				}
			}
			perID(b)
		})
	}
}
