package verifier_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"targon"
	"targon/bundle"
)

// TestUserBundles: what users were answered and what was audited of it becomes a bundle
// that holds, for who takes users' bundles and for nobody else; and at every step the
// verifier says what became of it.
func TestUserBundles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "honest")
		w.config.AuditPPM, w.config.Epoch = 1_000_000, 10
		var mu sync.Mutex
		got := map[targon.Digest]bundle.Bundle{}
		w.config.UserBundles = func(b bundle.Bundle) {
			mu.Lock()
			defer mu.Unlock()
			got[b.Arrived.Request] = b
		}
		handed := func() int {
			mu.Lock()
			defer mu.Unlock()
			return len(got)
		}
		w.config.Bundles = func(b bundle.Bundle) {
			if b.Arrived.Origin != targon.OriginChallenge {
				t.Errorf("a user's answer is handed on with the challenges")
			}
		}
		v, stop := w.start()
		time.Sleep(1500 * time.Millisecond)
		want := func(when string, request targon.Digest, f targon.Fate) {
			t.Helper()
			if got := v.Fate(request); got != f {
				t.Errorf("%s: %s, want %s", when, got, f)
			}
		}
		want("never seen", targon.Digest{1}, targon.FateUnknown)
		mine := organic(t, w, v, false).Transcript.Request.Digest()
		want("at once", mine, targon.FateWaiting)
		kept := organic(t, w, v, true).Transcript.Request.Digest()
		want("opted out", kept, targon.FateOptedOut)
		time.Sleep(4 * time.Second)
		want("after its draw", mine, targon.FateJudged)
		if handed() != 0 {
			t.Error("a bundle before its epoch has closed")
		}
		time.Sleep(30 * time.Second)
		want("after its epoch", mine, targon.FateGone)
		want("opted out, later", kept, targon.FateOptedOut)
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		b, ok := got[mine]
		if !ok || len(got) != 1 {
			t.Fatalf("%d bundles, of mine: %v", len(got), ok)
		}
		if err := b.Sign(key(t, 0)); err != nil {
			t.Fatal(err)
		}
		if r := bundle.Check(b, bundle.Aids{}); !r.Holds() {
			t.Errorf("%+v", r)
		}
	})
}

// TestNoUserBundles: where nobody takes them, users' texts are gone with their verdicts;
// an answer that is spared says so.
func TestNoUserBundles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "honest")
		w.config.AuditPPM, w.config.Epoch = 1_000_000, 100
		v, stop := w.start()
		time.Sleep(1500 * time.Millisecond)
		mine := organic(t, w, v, false).Transcript.Request.Digest()
		time.Sleep(4 * time.Second)
		if f := v.Fate(mine); f != targon.FateGone {
			t.Errorf("audited and not kept: %s", f)
		}
		if err := stop(); err != nil {
			t.Fatal(err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "honest")
		w.config.AuditPPM, w.config.Epoch = 1, 100
		w.config.UserBundles = func(bundle.Bundle) {}
		v, stop := w.start()
		time.Sleep(1500 * time.Millisecond)
		mine := organic(t, w, v, false).Transcript.Request.Digest()
		time.Sleep(4 * time.Second)
		if f := v.Fate(mine); f != targon.FateNotDrawn {
			t.Errorf("spared: %s", f)
		}
		if err := stop(); err != nil {
			t.Fatal(err)
		}
	})
}
