package verifier_test

import (
	"testing"
	"testing/synctest"
	"time"

	"targon"
	"targon/verifier"
)

// TestFaults: every fault of ours and of theirs, whether weights are still set while
// it lasts and after it, and who is blamed.
func TestFaults(t *testing.T) {
	for _, c := range []struct {
		name    string
		kinds   []string
		begin   func(*world)
		end     func(*world)
		during  bool            // weights are set meanwhile
		blamed  []targon.Reason // of the last prover; none: nobody may fail
		neutral targon.Reason   // some are, if not none
	}{
		{name: "nothing", during: true},
		{
			name: "reference fails", during: true, neutral: targon.ReasonReference,
			begin: func(w *world) { w.fast.set("fails") }, end: func(w *world) { w.fast.set("") },
		},
		{
			name: "reference hangs", neutral: targon.ReasonReference,
			begin: func(w *world) { w.fast.set("hangs") }, end: func(w *world) { w.fast.set("") },
		},
		{
			name: "reference lies, portable does not", during: true, neutral: targon.ReasonUnconfirmed,
			begin: func(w *world) { w.fast.set("lies") }, end: func(w *world) { w.fast.set("") },
		},
		{
			name:  "chain is out",
			begin: func(w *world) { w.chain.set("out") }, end: func(w *world) { w.chain.set("") },
		},
		{
			name:  "chain stalls",
			begin: func(w *world) { w.chain.set("stalled") }, end: func(w *world) { w.chain.set("") },
		},
		{
			name:  "weights are refused",
			begin: func(w *world) { w.chain.set("refuses") }, end: func(w *world) { w.chain.set("") },
		},
		{
			name: "weights are taken with an error", during: true,
			begin: func(w *world) { w.chain.set("takes-and-fails") }, end: func(w *world) { w.chain.set("") },
		},
		{
			name: "no private inputs", during: true,
			begin: func(w *world) { w.inputs.set(true) }, end: func(w *world) { w.inputs.set(false) },
		},
		{name: "asker fails", kinds: []string{"honest", "ours"}, during: true},
		{name: "prover is slow", kinds: []string{"honest", "slow"}, during: true, blamed: []targon.Reason{targon.ReasonIncomplete}},
		{name: "prover is silent", kinds: []string{"honest", "silent"}, during: true, blamed: []targon.Reason{targon.ReasonIncomplete}},
		{name: "prover is gone", kinds: []string{"honest", "gone"}, during: true, blamed: []targon.Reason{targon.ReasonGone}},
		{name: "prover lies", kinds: []string{"honest", "lying"}, during: true, blamed: []targon.Reason{targon.ReasonMismatch}},
		{name: "prover forges", kinds: []string{"honest", "forged"}, during: true, blamed: []targon.Reason{targon.ReasonSignature}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if c.kinds == nil {
					c.kinds = []string{"honest", "honest"}
				}
				w := newWorld(t, c.kinds...)
				w.config.ScoreTime = 30 * time.Second
				v, stop := w.start()
				time.Sleep(12500 * time.Millisecond)
				first := v.View()
				if c.begin != nil {
					c.begin(w)
				}
				time.Sleep(20 * time.Second)
				middle := v.View()
				if c.end != nil {
					c.end(w)
				}
				time.Sleep(40 * time.Second)
				last := v.View()
				if err := stop(); err != nil {
					t.Fatal(err)
				}
				w.check()
				if got := middle.Set > first.Set; got != c.during {
					t.Errorf("weights set meanwhile: %v (%d, then %d), want %v", got, first.Set, middle.Set, c.during)
				}
				if last.Set < middle.Set+2 {
					t.Errorf("weights set afterwards: %d, %d before", last.Set, middle.Set)
				}
				blame(t, last, len(c.kinds), c.blamed)
				if n := last.Total.Reasons[c.neutral]; c.neutral != targon.ReasonNone && n == 0 {
					t.Errorf("nothing is %v: %v", c.neutral, last.Total.Reasons)
				}
			})
		})
	}
}

// blame demands that only the last prover failed, and only by these reasons.
func blame(t *testing.T, v verifier.View, provers int, reasons []targon.Reason) {
	t.Helper()
	for uid := 1; uid <= provers; uid++ {
		p := of(t, v, targon.UID(uid))
		failed := uint64(0)
		if uid == provers {
			for _, r := range reasons {
				failed += p.Reasons[r]
			}
			if len(reasons) > 0 && failed == 0 {
				t.Errorf("uid %d never failed", uid)
			}
		}
		if p.Failed != failed {
			t.Errorf("uid %d failed %d times, want %d: %v", uid, p.Failed, failed, p.Reasons)
		}
		if convicted := uid == provers && len(reasons) > 0 && reasons[0] == targon.ReasonMismatch; p.Convicted != convicted {
			t.Errorf("uid %d: convicted %v", uid, p.Convicted)
		}
	}
}

// TestQuietChain: without blocks, challenges end after ten block times, and receipts
// are given up after fifty.
func TestQuietChain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "honest")
		v, stop := w.start()
		time.Sleep(7 * time.Second)
		w.chain.set("stalled")
		time.Sleep(9 * time.Second)
		asked := v.View().Total.Requests
		if !v.View().Asking {
			t.Error("challenges ended too soon")
		}
		time.Sleep(4 * time.Second)
		stopped := v.View()
		if stopped.Asking || stopped.Total.Requests == asked {
			t.Errorf("asking %v, %d requests, then %d", stopped.Asking, asked, stopped.Total.Requests)
		}
		time.Sleep(30 * time.Second)
		if got := v.View(); got.Total.Requests > stopped.Total.Requests || got.Total.Reasons[targon.ReasonNoBlock] != 0 {
			t.Errorf("%d requests, then %d; %v", stopped.Total.Requests, got.Total.Requests, got.Total.Reasons)
		}
		time.Sleep(25 * time.Second)
		got := v.View()
		if got.Total.Reasons[targon.ReasonNoBlock] == 0 || got.Waiting != 0 {
			t.Errorf("%d receipts still wait: %v", got.Waiting, got.Total.Reasons)
		}
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		w.check()
	})
}

// TestMissedBlock: a receipt is drawn with its own block or not at all.
func TestMissedBlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "honest")
		v, stop := w.start()
		time.Sleep(7 * time.Second)
		w.chain.set("out")
		time.Sleep(5 * time.Second)
		w.chain.set("")
		time.Sleep(10 * time.Second)
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		if v.View().Total.Reasons[targon.ReasonNoBlock] == 0 {
			t.Errorf("nothing missed its block: %v", v.View().Total.Reasons)
		}
		if audit := w.check(); audit.Skipped == 0 {
			t.Errorf("audit: %+v", audit)
		}
	})
}

// TestSpoolFull: the answer that does not fit is undecided, and challenges wait.
func TestSpoolFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "honest", "honest", "honest", "honest", "honest", "honest")
		w.config.SpoolBytes = 1500
		v := w.run(20 * time.Second)
		w.check()
		full, all := v.View().Total.Reasons[targon.ReasonSpoolFull], v.View().Total.Requests
		if full == 0 || full > all/2 || v.View().Total.Failed != 0 {
			t.Errorf("%d of %d answers did not fit: %v", full, all, v.View().Total.Reasons)
		}
		if v.View().Set == 0 {
			t.Error("no weights are set")
		}
	})
}

// TestBusy: busy is neutral above what was signed, a failure up to it.
func TestBusy(t *testing.T) {
	for _, c := range []struct {
		signs uint32
		want  targon.Reason
	}{{0, targon.ReasonBusyNeutral}, {1, targon.ReasonBusyNeutral}, {2, targon.ReasonBusy}, {3, targon.ReasonBusy}} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, "busy")
			w.provers[0].signs = c.signs
			v, stop := w.start()
			time.Sleep(1500 * time.Millisecond)
			// A user's request is under way all the while.
			if _, err := v.Address(t.Context(), draft, w.chain.neurons[1]); err != nil {
				t.Fatal(err)
			}
			before := reasons(v.View(), 1)[c.want]
			time.Sleep(3 * time.Second)
			after := v.View()
			if err := stop(); err != nil {
				t.Fatal(err)
			}
			other := targon.ReasonBusy + targon.ReasonBusyNeutral - c.want
			if reasons(after, 1)[c.want] == before {
				t.Errorf("signed for %d: %v, want %v", c.signs, reasons(after, 1), c.want)
			}
			if c.signs != 1 && reasons(after, 1)[other] != 0 { // for 1: a failure until the user came
				t.Errorf("signed for %d: %v", c.signs, reasons(after, 1))
			}
			w.check()
		})
	}
}

// TestBuffered: all at once is a failure while another streams, else nothing.
func TestBuffered(t *testing.T) {
	for _, c := range []struct {
		kinds []string
		want  targon.Reason
	}{
		{[]string{"buffered", "honest"}, targon.ReasonBuffered},
		{[]string{"buffered", "buffered"}, targon.ReasonBufferedLone},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, c.kinds...)
			prompts := w.config.Prompts
			w.config.Prompts = func(r *randv2) targon.Draft { d := prompts(r); d.MaxTokens = 32; return d }
			v := w.run(20 * time.Second)
			w.check()
			r := reasons(v.View(), 1)
			if r[c.want] == 0 || r[targon.ReasonEqual] != 0 {
				t.Errorf("%v: %v", c.kinds, r)
			}
			if p := of(t, v.View(), 1); p.Convicted || p.Weight != 0 {
				t.Errorf("%v: convicted %v, weight %d", c.kinds, p.Convicted, p.Weight)
			}
		})
	}
}
