package verifier_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"targon"
	"targon/verifier"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEpochs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "honest", "honest", "lying", "silent", "forged")
		v := w.run(40 * time.Second)
		audit := w.check()
		view := v.View()
		if view.Scored < 5 || view.Set < 5 || uint64(audit.Epochs) != view.Closed {
			t.Fatalf("epochs: %d closed, %d scored, %d set, %d rechecked", view.Closed, view.Scored, view.Set, audit.Epochs)
		}
		if audit.Drawn == 0 || audit.Spared == 0 || audit.Skipped != 0 || audit.Unknown != 0 {
			t.Errorf("audit: %+v", audit)
		}
		for uid := targon.UID(1); uid <= 5; uid++ {
			p := of(t, view, uid)
			if honest := uid <= 2; (p.Weight > 0) != honest || (p.Score > 0) != honest {
				t.Errorf("uid %d: weight %d, score %v", uid, p.Weight, p.Score)
			}
			if p.Convicted != (uid == 3) {
				t.Errorf("uid %d: convicted %v", uid, p.Convicted)
			}
		}
		liar := of(t, view, 3)
		if liar.Reason != targon.ReasonMismatch || liar.TokensToConviction != 8 || liar.Passed != 0 {
			t.Errorf("liar: %+v", liar)
		}
		if r := of(t, view, 4).Reason; r != targon.ReasonIncomplete {
			t.Errorf("the silent one failed by %v", r)
		}
		if r := of(t, view, 5); r.Reason != targon.ReasonSignature || r.AuditedTokens == 0 {
			t.Errorf("the forger: %+v", r)
		}
		honest := of(t, view, 1)
		if honest.Failed != 0 || honest.TokensPerSecond < 11 || honest.TokensPerSecond > 12 {
			t.Errorf("honest: %+v", honest)
		}
	})
}

// TestReplay: the fold of the ledger is the state that wrote it.
func TestReplay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "honest", "lying", "gone", "buffered")
		v := w.run(30 * time.Second)
		s, err := verifier.Replay(t.Context(), w.ledger, w.config.Policy)
		if err != nil {
			t.Fatal(err)
		}
		live, folded := v.View(), s.View()
		live.Height, live.Asking = folded.Height, folded.Asking // not of the ledger
		if d := cmp.Diff(live, folded); d != "" {
			t.Errorf("live and folded states differ:\n%s", d)
		}
		again, err := verifier.Replay(t.Context(), w.ledger, w.config.Policy)
		if err != nil {
			t.Fatal(err)
		}
		epoch, weights, ok := s.Weights()
		epoch2, weights2, _ := again.Weights()
		if !ok || epoch != epoch2 || !cmp.Equal(weights, weights2) {
			t.Errorf("same ledger, other weights: %v %v", weights, weights2)
		}
		last := w.chain.sets[len(w.chain.sets)-1]
		if !cmp.Equal(last, weights) {
			t.Errorf("chain has %v, ledger %v", last, weights)
		}
		for _, p := range w.provers {
			e := s.Evidence(p.key.Hotkey(), targon.MonthOf(1000))
			if got, want := e.Matches, reasons(folded, p.uid)[targon.ReasonEqual]; got != want {
				t.Errorf("uid %d: %d matches in evidence, %d passed", p.uid, got, want)
			}
			if got, want := e.Mismatches, reasons(folded, p.uid)[targon.ReasonMismatch]; got != want {
				t.Errorf("uid %d: %d mismatches in evidence, %d on record", p.uid, got, want)
			}
		}
	})
}
