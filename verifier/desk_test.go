package verifier_test

import (
	"errors"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"targon"
	"targon/verifier"
)

type randv2 = rand.Rand

var draft = targon.Draft{Model: "toy", Prompt: []targon.TokenID{3, 4}, Temperature: 1, MaxTokens: 4}

// organic sends a user's request as a gateway would.
func organic(t *testing.T, w *world, v *verifier.Verifier, optedOut bool) targon.Exchange {
	t.Helper()
	n := w.chain.neurons[1]
	r, err := v.Address(t.Context(), draft, n)
	if err != nil {
		t.Fatal(err)
	}
	x, err := w.people.Ask(t.Context(), n, r, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Record(t.Context(), x, optedOut); err != nil {
		t.Fatal(err)
	}
	return x
}

func TestDesk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "honest")
		w.config.AuditPPM = 1_000_000
		w.config.Epoch = 100
		v, err := verifier.New(w.config)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := v.Address(t.Context(), draft, w.chain.neurons[1]); !errors.Is(err, verifier.ErrNotReady) {
			t.Errorf("address before the first block: %v", err)
		}
		if err := v.Record(t.Context(), targon.Exchange{}, false); !errors.Is(err, verifier.ErrNotReady) {
			t.Errorf("record before the first block: %v", err)
		}
		v, stop := w.start()
		time.Sleep(1500 * time.Millisecond)
		w.inputs.set(true) // users are served without private inputs
		time.Sleep(time.Second)
		if v.View().Asking {
			t.Error("challenges go on without private input")
		}
		for range 3 {
			organic(t, w, v, false)
		}
		x := organic(t, w, v, true)
		if err := v.Record(t.Context(), x, false); !errors.Is(err, verifier.ErrTwice) {
			t.Errorf("recorded twice: %v", err)
		}
		bad := draft
		bad.MaxTokens = 0
		if _, err := v.Address(t.Context(), bad, w.chain.neurons[1]); !errors.Is(err, targon.ErrRequest) {
			t.Errorf("address of a bad draft: %v", err)
		}
		time.Sleep(5 * time.Second)
		view := v.View()
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		if got := (verifier.OrganicView{Requests: 4, Verified: 3}); view.Organic != got {
			t.Errorf("organic: %+v", view.Organic)
		}
		if view.Total.Reasons[targon.ReasonOptedOut] != 1 {
			t.Errorf("opted out: %v", view.Total.Reasons)
		}
		w.check()
	})
}

// TestOptedOut: it looks like any other request, and earns nothing.
func TestOptedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "honest")
		w.config.AuditPPM = 1_000_000
		v, stop := w.start()
		time.Sleep(1500 * time.Millisecond)
		w.inputs.set(true)
		time.Sleep(time.Second)
		audited := v.View().Total.AuditedTokens
		organic(t, w, v, true)
		time.Sleep(4 * time.Second)
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		if waiting := v.View().Waiting; waiting != 0 {
			t.Errorf("%d wait", waiting)
		}
		for _, e := range w.ledger.entries(t) {
			if j, ok := e.(targon.Judged); ok && j.Verdict.Reason == targon.ReasonOptedOut && j.Verdict.Outcome != targon.Undecided {
				t.Errorf("verdict: %+v", j.Verdict)
			}
		}
		if audit := w.check(); audit.OptedOut != 0 && audit.Epochs == 0 {
			t.Errorf("audit: %+v, audited before: %d", audit, audited)
		}
	})
}

func TestScores(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "honest", "lying")
		v, stop := w.start()
		if got := v.Scores(); len(got) != 0 {
			t.Errorf("scores before the first epoch: %v", got)
		}
		time.Sleep(9 * time.Second)
		w.people.mu.Lock()
		w.provers[0].kind = "lying" // honest until its score is made
		w.people.mu.Unlock()
		good, serving := v.Scores(), v.Provers()
		time.Sleep(6 * time.Second)
		bad, left := v.Scores(), v.Provers()
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		if len(good) != 2 || good[0].UID != 1 || good[0].Value <= 0 || good[1].Value != 0 {
			t.Errorf("scores: %v", good)
		}
		if len(bad) != 2 || bad[0].Value != 0 {
			t.Errorf("a convict's score is %v", bad)
		}
		if len(serving) != 1 || serving[0].UID != 1 || len(left) != 0 {
			t.Errorf("users are sent to %v, then to %v, want the honest one while it is", serving, left)
		}
	})
}

// TestRegistration: provers come, move and go, and weights follow the hotkey.
func TestRegistration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "honest", "honest")
		w.chain.set("refuses")
		v, stop := w.start()
		for v.View().Scored < 1 {
			time.Sleep(100 * time.Millisecond)
		}
		// UID 2 changes hands after its weight is decided and before it is set.
		old := w.chain.neurons[2].Hotkey
		next := &prover{key: key(t, 77), uid: 2, kind: "gone"}
		w.people.mu.Lock()
		w.people.by[next.key.Hotkey()] = next
		w.people.mu.Unlock()
		w.chain.mu.Lock()
		w.chain.neurons[2].Hotkey = next.key.Hotkey()
		w.chain.fault = ""
		w.chain.mu.Unlock()
		for v.View().Set < 1 {
			time.Sleep(100 * time.Millisecond)
		}
		w.chain.mu.Lock()
		sets := w.chain.sets
		w.chain.mu.Unlock()
		if got, want := sets[0], (targon.Weights{{UID: 1, Value: 65535}}); !cmp.Equal(got, want) {
			t.Errorf("weights %v, want %v", got, want)
		}
		time.Sleep(10 * time.Second)
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		w.check()
		var was, is uint64
		for _, p := range v.View().Provers {
			switch p.Hotkey {
			case old:
				was = p.Requests
			case next.key.Hotkey():
				is = p.Requests
			}
		}
		if was == 0 || is == 0 {
			t.Errorf("%d requests to the old hotkey, %d to the new", was, is)
		}
	})
}

// TestDeskRemembers: what a gateway brings a second time does not count twice, also when
// the epoch of the first time is over and after a restart.
func TestDeskRemembers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "honest")
		w.config.Epoch = 3
		v, stop := w.start()
		time.Sleep(1500 * time.Millisecond)
		x := organic(t, w, v, false)
		time.Sleep(30 * time.Second)
		if v.View().Scored < 3 {
			t.Fatalf("%d epochs are over, want some", v.View().Scored)
		}
		if err := v.Record(t.Context(), x, false); !errors.Is(err, verifier.ErrTwice) {
			t.Errorf("in a later epoch: %v, want ErrTwice", err)
		}
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		v, stop = w.start()
		time.Sleep(5 * time.Second)
		if err := v.Record(t.Context(), x, false); !errors.Is(err, verifier.ErrTwice) {
			t.Errorf("after a restart: %v, want ErrTwice", err)
		}
		if err := stop(); err != nil {
			t.Fatal(err)
		}
	})
}
