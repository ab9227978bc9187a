package verifier_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"targon"
	"targon/bundle"
	"targon/evidence"
)

// TestBundles: every challenge that was judged on its merits becomes a bundle that holds,
// failed ones first, and no user's does.
func TestBundles(t *testing.T) {
	for name, packs := range map[string][]evidence.Pack{"by equality": nil, "by margins": {toyPack()}} {
		t.Run(name, func(t *testing.T) { testBundles(t, packs) })
	}
}

func testBundles(t *testing.T, packs []evidence.Pack) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "honest", "lying")
		w.config.Packs, w.config.Repute = packs, packs != nil
		var aids bundle.Aids
		if packs != nil {
			var err error
			if aids.Nulls, err = evidence.NewNulls(packs...); err != nil {
				t.Fatal(err)
			}
		}
		var got []bundle.Bundle
		w.config.Bundles = func(b bundle.Bundle) { got = append(got, b) }
		w.run(30 * time.Second)
		w.check()
		audited := map[targon.Digest]bool{}
		closed := map[targon.Epoch]bool{}
		for _, e := range w.ledger.entries(t) {
			switch e := e.(type) {
			case targon.Judged:
				merits := []targon.Reason{targon.ReasonEqual, targon.ReasonMismatch, targon.ReasonWithin, targon.ReasonMargin}
				if slices.Contains(merits, e.Verdict.Reason) {
					audited[e.Verdict.Request] = true
				}
			case targon.EpochClosed:
				closed[e.Epoch] = true
			}
		}
		failed, last := 0, map[targon.Epoch]targon.Outcome{}
		for i := range got {
			b := got[i]
			if err := b.Sign(key(t, 0)); err != nil {
				t.Fatal(err)
			}
			for _, l := range bundle.Check(b, aids) {
				if l.Result == bundle.NotOK {
					t.Errorf("%s: %s", l.Name, l.Detail)
				}
			}
			v := b.Judged.Verdict
			if !audited[v.Request] || !closed[b.Closed.Epoch] {
				t.Errorf("a bundle of request %s, epoch %d", v.Request, b.Closed.Epoch)
			}
			if v.Outcome == targon.Failed {
				failed++
				if last[b.Closed.Epoch] == targon.Passed {
					t.Errorf("epoch %d: a failed one after a passed one", b.Closed.Epoch)
				}
			}
			last[b.Closed.Epoch] = v.Outcome
			delete(audited, v.Request)
		}
		if failed == 0 || failed == len(got) || len(closed) < 2 {
			t.Errorf("%d bundles, %d of them failed, in %d epochs", len(got), failed, len(closed))
		}
	})
}

// TestBundlesAreBounded: where there is no room, passed ones give way.
func TestBundlesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "honest", "lying")
		var passed, failed int
		w.config.Bundles = func(b bundle.Bundle) {
			if b.Judged.Verdict.Outcome == targon.Passed {
				passed++
			} else {
				failed++
			}
		}
		w.config.BundleBytes = 14 << 10
		w.run(30 * time.Second)
		if failed == 0 || passed >= failed {
			t.Errorf("in little room: %d passed, %d failed", passed, failed)
		}
	})
}
