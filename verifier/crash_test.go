package verifier_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"targon"
	"targon/verifier"
)

// TestCrashAtEveryAppend kills a verifier at every entry that it writes, with the
// entry durable or not, and starts another on the same ledger and chain.
func TestCrashAtEveryAppend(t *testing.T) {
	whole := 0
	synctest.Test(t, func(t *testing.T) {
		w := crashWorld(t)
		w.run(16 * time.Second)
		whole = len(w.ledger.stored)
	})
	if whole < 30 {
		t.Fatalf("only %d entries to crash at", whole)
	}
	settled := 0
	stride := 1
	if raceEnabled {
		stride = 9 // the detector makes each crash ten times as dear
	}
	for at := 0; at < whole; at += stride {
		for _, keeps := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d/%v", at, keeps), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { settled += crashOnce(t, at, keeps) })
			})
		}
	}
	if settled == 0 {
		t.Error("no crash ever left an arrival without a verdict: the test tests nothing")
	}
}

func crashWorld(t *testing.T) *world {
	w := newWorld(t, "honest", "lying", "gone")
	w.config.Epoch, w.config.Repute = 3, true
	prompts := w.config.Prompts
	w.config.Prompts = func(r *randv2) targon.Draft { d := prompts(r); d.MaxTokens = 2; return d }
	return w
}

// crashOnce returns how many arrivals the second start had to settle.
func crashOnce(t *testing.T, at int, keeps bool) (settled int) {
	w := crashWorld(t)
	w.ledger.left, w.ledger.keeps = at, keeps
	_, stop := w.start()
	time.Sleep(20 * time.Second)
	if err := stop(); !errors.Is(err, errFault) {
		t.Fatalf("run ended with %v, want the ledger's failure", err)
	}
	before, err := verifier.Replay(t.Context(), w.ledger, w.config.Policy)
	if err != nil {
		t.Fatal(err)
	}

	w.ledger.left, w.ledger.keeps = -1, false
	v := w.run(14 * time.Second)
	w.check()
	view := v.View()
	if view.Scored < before.View().Scored+2 || view.Set < 2 {
		t.Errorf("no progress: %d epochs scored and %d set, %d before", view.Scored, view.Set, before.View().Scored)
	}
	lost := view.Total.Reasons[targon.ReasonRestart]
	if lost != uint64(before.View().Waiting) {
		t.Errorf("%d arrivals were left without a verdict, %d ruled lost", before.View().Waiting, lost)
	}
	s, err := verifier.Replay(t.Context(), w.ledger, w.config.Policy)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range w.provers {
		e := s.Evidence(p.key.Hotkey(), targon.MonthOf(1000))
		r := reasons(view, p.uid)
		if e.Matches != r[targon.ReasonEqual] || e.Mismatches != r[targon.ReasonMismatch] {
			t.Errorf("uid %d: evidence of %d and %d for %d and %d verdicts", p.uid, e.Matches, e.Mismatches,
				r[targon.ReasonEqual], r[targon.ReasonMismatch])
		}
	}
	return int(lost)
}

// TestCrashAroundSetWeights: the chain took the weights, the ledger does not say so.
func TestCrashAroundSetWeights(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "honest")
		v, stop := w.start()
		for v.View().Set < 1 {
			time.Sleep(100 * time.Millisecond)
		}
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		entries := w.ledger.entries(t)
		for i, e := range entries {
			if _, ok := e.(targon.WeightsSet); ok {
				w.ledger.stored = w.ledger.stored[:i] // as if the append had never been
				break
			}
		}
		v, stop = w.start()
		time.Sleep(2 * time.Second)
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		if n := len(w.chain.sets); n != 1 || v.View().Set != 1 {
			t.Errorf("weights of one epoch were sent %d times, set %d", n, v.View().Set)
		}
	})
}

// TestRequestsNeverRepeat: a verifier that starts again asks nothing twice, even
// within one block.
func TestRequestsNeverRepeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "honest", "gone")
		for range 5 {
			w.run(300 * time.Millisecond)
		}
		seen, prompts := map[targon.Digest]bool{}, map[uint64]bool{}
		for _, r := range w.people.asked {
			if seen[r.Digest()] || prompts[r.Sampling.Seed] {
				t.Fatalf("request %v is asked twice", r.ID)
			}
			seen[r.Digest()], prompts[r.Sampling.Seed] = true, true
		}
		if len(seen) < 10 {
			t.Errorf("only %d requests", len(seen))
		}
	})
}

func TestOtherRootSecret(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "honest")
		w.run(3 * time.Second)
		w.config.Root = targon.Secret{8}
		_, stop := w.start()
		if err := stop(); !errors.Is(err, verifier.ErrRoot) {
			t.Errorf("run: %v, want %v", err, verifier.ErrRoot)
		}
	})
}
