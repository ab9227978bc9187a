package native_test

import (
	"fmt"
	"testing"

	"targon"
	"targon/engine/enginetest"
	"targon/engine/native"
	"targon/proof"
)

// TestAnswersAreJudgedEqual: what the engine draws, with whatever filters, is what the
// proof expects, from an engine that shares nothing with it but the model.
func TestAnswersAreJudgedEqual(t *testing.T) {
	m := random(t, enginetest.Tiny())
	drawer, scorer := engine(t, m, native.Options{}), engine(t, m, native.Options{Kernel: "portable"})
	for i, by := range []targon.Sampling{
		{},
		{Temperature: 1},
		{Temperature: 1, TopK: 1},
		{Temperature: 0.8, TopK: 40},
		{Temperature: 1, TopP: 0.9},
		{Temperature: 1.7, TopP: 0.5, TopK: 100},
		{Temperature: 0.5, MinP: 0.1},
		{Temperature: 2, MinP: 0.01, TopP: 0.99, TopK: 250},
		{TopK: 3, TopP: 0.1, MinP: 0.5},
	} {
		t.Run(fmt.Sprintf("%+v", by), func(t *testing.T) {
			by.Seed = uint64(i)
			r := enginetest.Request(info(m, someIDs(9, m.Vocab())), 0, 0)
			r.Sampling, r.MaxTokens = by, 80
			ids := enginetest.IDs(enginetest.Collect(t, drawer, r))
			finish := targon.FinishLength
			if len(ids) < int(r.MaxTokens) || m.EOS()[0] == ids[len(ids)-1] {
				finish = targon.FinishStop
			}
			claim := targon.Transcript{Request: r, Tokens: ids, Receipt: targon.ReceiptFor(r, ids, finish)}
			ask := proof.Ask{Need: targon.Need{Top: 64}}
			var v targon.Verdict
			for n := 0; ask.Wanted() && n < proof.MaxAsks; n++ {
				s, err := scorer.Score(t.Context(), r, ids, ask.Need)
				if err != nil {
					t.Fatal(err)
				}
				if v, ask = proof.Judge(claim, s, nil); ask.Confirm {
					break
				}
			}
			if v.Reason != targon.ReasonEqual {
				t.Errorf("%v at position %d: %s", v.Reason, v.Position, v.Detail)
			}
		})
	}
}
