package proof_test

import (
	"fmt"
	"testing"

	"targon"
	"targon/proof"
)

// BenchmarkCheck is what a check of 64 ids costs beside the prefill. The reference's
// answer is made up: the claimed id stands out, all else falls with its rank.
func BenchmarkCheck(b *testing.B) {
	k := proverKey(b)
	for _, size := range []int{2048, 32_000, 128_256} {
		r := ask(k, 5, 1, 64)
		ids := make([]targon.TokenID, 64)
		for i := range ids {
			ids[i] = targon.TokenID(i + 100)
		}
		x := answer(b, k, r, ids, targon.FinishLength)
		_, need, ok := proof.Precheck(x, proof.Model{Vocab: size})
		if !ok {
			b.Fatal("precheck")
		}
		s := targon.Scores{Weights: r.Weights, Vocab: size}
		for j, id := range ids {
			p := targon.Position{Claimed: targon.Scored{ID: id, Logit: 40}, Top: []targon.Scored{{ID: id, Logit: 40}}}
			for i := range need.Top - 1 {
				p.Top = append(p.Top, targon.Scored{ID: targon.TokenID(i + 1000), Logit: 10 - float32(i)/20})
			}
			for _, also := range need.Also[j] {
				if also != id && (also < 1000 || int(also) >= 1000+need.Top-1) {
					p.Also = append(p.Also, targon.Scored{ID: also, Logit: -1})
				}
			}
			s.Positions = append(s.Positions, p)
		}
		if v, _ := proof.Judge(x, s, nil); v.Outcome != targon.Passed {
			b.Fatalf("%+v", v)
		}
		b.Run(fmt.Sprintf("precheck/%d", size), func(b *testing.B) {
			for b.Loop() {
				proof.Precheck(x, proof.Model{Vocab: size})
			}
		})
		b.Run(fmt.Sprintf("judge/%d", size), func(b *testing.B) {
			for b.Loop() {
				proof.Judge(x, s, nil)
			}
		})
	}
}
