package verifier_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"targon"
	"targon/challenge"
	"targon/verifier"
)

func TestConfig(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good := newWorld(t).config
		if _, err := verifier.New(good); err != nil {
			t.Fatal(err)
		}
		for name, spoil := range map[string]func(*verifier.Config){
			"hotkey":             func(c *verifier.Config) { c.Hotkey = targon.Hotkey{} },
			"root secret":        func(c *verifier.Config) { c.Root = targon.Secret{} },
			"model name":         func(c *verifier.Config) { c.Model = "" },
			"model digest":       func(c *verifier.Config) { c.Weights = targon.Digest{} },
			"vocabulary":         func(c *verifier.Config) { c.Vocab = 0 },
			"chain":              func(c *verifier.Config) { c.Chain = nil },
			"asker":              func(c *verifier.Config) { c.Asker = nil },
			"reference":          func(c *verifier.Config) { c.Reference = nil },
			"portable reference": func(c *verifier.Config) { c.Portable = nil },
			"ledger":             func(c *verifier.Config) { c.Ledger = nil },
			"private inputs":     func(c *verifier.Config) { c.Inputs = nil },
			"prompts":            func(c *verifier.Config) { c.Prompts = nil },
			"audit rate of 0":    func(c *verifier.Config) { c.AuditPPM = 0 },
			"1000001":            func(c *verifier.Config) { c.AuditPPM = 1_000_001 },
		} {
			c := good
			spoil(&c)
			if _, err := verifier.New(c); !errors.Is(err, verifier.ErrConfig) || !strings.Contains(err.Error(), name) {
				t.Errorf("without %s: %v", name, err)
			}
		}
	})
}

// TestCloseEpoch: the hook holds an epoch open beyond its length, never shortens it.
func TestCloseEpoch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "honest", "gone", "silent")
		w.config.Deadline = time.Minute
		var asked []verifier.Progress
		w.config.CloseEpoch = func(p verifier.Progress) bool {
			asked = append(asked, p)
			return p.Elapsed >= 8*time.Second
		}
		w.run(20 * time.Second)
		var opened []targon.Block
		for _, e := range w.ledger.entries(t) {
			if o, ok := e.(targon.EpochOpened); ok {
				opened = append(opened, o.Block)
			}
		}
		if want := []targon.Block{1000, 1008, 1016}; !slices.Equal(opened, want) {
			t.Errorf("epochs open at %v, want %v", opened, want)
		}
		p := asked[3]
		if p.Epoch != 0 || p.Opened != 1000 || p.Height != 1008 || len(p.Provers) != 3 {
			t.Fatalf("progress: %+v", p)
		}
		if p.Provers[0].Complete < 8 || p.Provers[0].Audited == 0 || p.Provers[1].Complete != 0 || p.Provers[1].UID != 2 {
			t.Errorf("progress: %+v", p.Provers)
		}
		// Those that ended, with or without an answer, and those under way.
		if open := p.Provers[0].Asked - p.Provers[0].Complete; open < 0 || open > 1 || p.Provers[1].Asked < 2 || p.Provers[2].Asked != 1 {
			t.Errorf("progress: %+v", p.Provers)
		}
		w.check()
	})
}

// TestMonth: a conviction bars from every epoch that touches its month, and from those
// after it until 32 audited answers in a row have passed, the last one's epoch included.
func TestMonth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "honest", "lying")
		w.chain.base = targon.MonthOf(0).End() - 8 // epochs open 8 and 3 blocks before the month's end, and 2 after
		w.config.AuditPPM = 1_000_000
		v, stop := w.start()
		time.Sleep(4 * time.Second)
		w.people.mu.Lock()
		w.provers[1].kind = "honest"
		w.people.mu.Unlock()
		time.Sleep(11 * time.Second)
		if p := of(t, v.View(), 2); p.Convicted || p.Lacks == 0 || p.Lacks == 32 || len(v.Provers()) != 1 || v.Scores()[1].Value != 0 {
			t.Errorf("not cleared, and yet: %+v, users are sent to %v by %v", p, v.Provers(), v.Scores())
		}
		time.Sleep(40 * time.Second)
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		w.check()
		cleared := clearedIn(w.ledger.entries(t), w.provers[1].key.Hotkey(), targon.MonthOf(0).End())
		if cleared < 3 || int(cleared)+2 > len(w.chain.sets) {
			t.Fatalf("cleared in epoch %d of %d", cleared, len(w.chain.sets))
		}
		for i, set := range w.chain.sets {
			if barred, want := set.Of(2) == 0, i <= int(cleared); barred != want {
				t.Errorf("epoch %d: barred %v, want %v", i, barred, want)
			}
		}
		if p := of(t, v.View(), 2); p.Convicted || p.Lacks != 0 || len(v.Provers()) != 2 || v.Scores()[1].Value == 0 {
			t.Errorf("the month after: %+v, users are sent to %v by %v", p, v.Provers(), v.Scores())
		}
	})
}

// clearedIn is the epoch in which the 32nd audited answer from a block on arrived, all
// having passed.
func clearedIn(entries []targon.Entry, h targon.Hotkey, from targon.Block) targon.Epoch {
	counts, n := map[targon.Digest]bool{}, 0
	for _, e := range entries {
		switch e := e.(type) {
		case targon.Arrived:
			counts[e.Request] = e.Prover == h && e.Block >= from
		case targon.Judged:
			if counts[e.Verdict.Request] && e.Verdict.Outcome == targon.Passed {
				if n++; n == 32 {
					return e.Epoch
				}
			}
		}
	}
	return 0
}

// TestStop: a judgement under way is finished, one that hangs is not waited for, and
// what was left is settled by the next start.
func TestStop(t *testing.T) {
	for _, fault := range []string{"slow", "hangs"} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, "honest", "honest")
			w.config.AuditPPM = 1_000_000
			v, stop := w.start()
			w.fast.set(fault)
			time.Sleep(4500 * time.Millisecond)
			before, begun := v.View(), time.Now()
			if err := stop(); err != nil {
				t.Fatal(err)
			}
			after, took := v.View(), time.Since(begun)
			switch fault {
			case "slow":
				if after.Total.Passed == before.Total.Passed || took > 1100*time.Millisecond {
					t.Errorf("%d passed, then %d, in %v", before.Total.Passed, after.Total.Passed, took)
				}
			case "hangs":
				if took != 2*time.Second {
					t.Errorf("waited %v", took)
				}
			}
			if after.Total.Failed+after.Total.Reasons[targon.ReasonReference] != 0 || after.Waiting == 0 {
				t.Errorf("%d wait, %v", after.Waiting, after.Total.Reasons)
			}
			w.fast.set("")
			v = w.run(10 * time.Second)
			if v.View().Total.Reasons[targon.ReasonRestart] != uint64(after.Waiting) {
				t.Errorf("%d were left, %v", after.Waiting, v.View().Total.Reasons)
			}
			w.check()
		})
	}
}

// TestRateInForce: a new rate begins with a new epoch.
func TestRateInForce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "honest")
		w.run(2 * time.Second)
		w.config.AuditPPM = 1_000_000
		w.run(18 * time.Second)
		w.check()
		var rates []uint32
		for _, e := range w.ledger.entries(t) {
			if o, ok := e.(targon.EpochOpened); ok {
				rates = append(rates, o.AuditPPM)
			}
		}
		if len(rates) < 3 || rates[0] != 500_000 || rates[1] != 1_000_000 {
			t.Errorf("rates %v", rates)
		}
	})
}

// TestSlowProverAlone: others are asked at their own pace whatever one does.
func TestSlowProverAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "honest", "silent", "gone", "slow")
		v := w.run(15 * time.Second)
		if n := of(t, v.View(), 1).Requests; n < 19 { // 0.71 s each, from the first block on
			t.Errorf("the honest one was asked %d times", n)
		}
		if n := of(t, v.View(), 3).Requests; n > 20 { // at most a block apart in the end
			t.Errorf("the one that is gone was asked %d times", n)
		}
	})
}

// TestObserve sees what the ledger holds, in order.
func TestObserve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "honest")
		var v *verifier.Verifier
		seen := 0
		w.config.Observe = func(targon.Entry) { seen++ }
		v = w.run(9 * time.Second)
		if n := len(w.ledger.stored); n != seen || n == 0 {
			t.Errorf("%d entries, %d seen", n, seen)
		}
		if err := v.Run(t.Context()); err == nil {
			t.Error("a verifier runs twice")
		}
	})
}

// TestBackwardsChain: blocks below what is on record are not acted on.
func TestBackwardsChain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "honest")
		w.run(8 * time.Second)
		n := len(w.ledger.stored)
		w.chain.base -= 100
		v := w.run(5 * time.Second)
		if waiting := len(w.ledger.stored) - n - int(v.View().Total.Reasons[targon.ReasonRestart]); waiting != 0 {
			t.Errorf("%d entries were written on a chain that lies behind", waiting)
		}
		w.check()
	})
}

func TestReadFails(t *testing.T) {
	l := &ledger{left: -1, stored: [][]byte{[]byte("nonsense")}}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.config.Ledger = l
		v, err := verifier.New(w.config)
		if err != nil {
			t.Fatal(err)
		}
		if err := v.Run(context.Background()); !errors.Is(err, targon.ErrEncoding) {
			t.Errorf("run: %v", err)
		}
	})
	if _, err := verifier.Replay(t.Context(), l, verifier.Config{}.Policy); !errors.Is(err, targon.ErrEncoding) {
		t.Errorf("replay: %v", err)
	}
}

// TestDrawBlock: the draw is made when the second block after the arrival comes, with
// that block's hash; the secret is shown two blocks after the epoch at the earliest.
func TestDrawBlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "honest", "honest")
		dated := map[targon.Digest]targon.Arrived{}
		spared := map[targon.Digest]bool{}
		draws := 0
		w.config.Observe = func(e targon.Entry) {
			switch e := e.(type) {
			case targon.Arrived:
				dated[e.Request] = e
			case targon.Judged:
				if at := w.chain.height() - dated[e.Verdict.Request].Block; at != 2 && e.Verdict.Reason != targon.ReasonAborted {
					t.Errorf("judged %v %d blocks after its arrival", e.Verdict.Reason, at)
				}
				spared[e.Verdict.Request] = e.Verdict.Reason == targon.ReasonNotDrawn
			case targon.EpochClosed:
				if at := w.chain.height() - e.Block; at != 2 {
					t.Errorf("closed %d blocks after its end", at)
				}
				for _, a := range dated {
					if was, ok := spared[a.Request]; ok && a.Epoch == e.Epoch && a.Status == targon.StatusComplete {
						draws++
						if challenge.Drawn(targon.Secret(e.Secret), a.Receipt.Digest(), blockHash(a.Block+2), 500_000) == was {
							t.Error("the draw is another")
						}
					}
				}
			}
		}
		w.run(20500 * time.Millisecond)
		if draws < 20 {
			t.Errorf("only %d draws", draws)
		}
	})
}

// TestRestartInTheBlock: a verifier that starts again in the block in which its last
// arrival is dated opens no epoch there, though one is due.
func TestRestartInTheBlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "honest")
		w.config.CloseEpoch = func(verifier.Progress) bool { return false }
		w.run(7900 * time.Millisecond)
		w.config.CloseEpoch = nil
		if v := w.run(10 * time.Second); v.View().Scored == 0 {
			t.Error("no epoch is scored")
		}
		w.check()
	})
}

// TestUnrecordedRequests: what was asked and never recorded is not asked again.
func TestUnrecordedRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "honest")
		w.config.Concurrency = 8
		w.ledger.left = 2
		_, stop := w.start()
		time.Sleep(900 * time.Millisecond)
		if err := stop(); !errors.Is(err, errFault) {
			t.Fatal(err)
		}
		w.ledger.left = -1
		w.run(50 * time.Millisecond)
		seen := map[targon.RequestID]bool{}
		for _, r := range w.people.asked {
			if seen[r.ID] {
				t.Fatalf("request %v is asked twice", r.ID)
			}
			seen[r.ID] = true
		}
		if len(seen) < 16 {
			t.Errorf("only %d requests", len(seen))
		}
	})
}

// TestOldWeights: what the chain holds from before the ledger pays nothing.
func TestOldWeights(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "honest")
		w.chain.updated = 900
		v := w.run(8 * time.Second)
		if len(w.chain.sets) != 1 || v.View().Set != 1 {
			t.Errorf("sent %d times, set %d", len(w.chain.sets), v.View().Set)
		}
	})
}

// TestStopBlamesNobody: an answer that we cut short is no failure, whatever the asker
// makes of it.
func TestStopBlamesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "cut")
		v := w.run(2 * time.Second)
		if r := v.View().Total; r.Failed != 0 || r.Reasons[targon.ReasonAborted] != 1 {
			t.Errorf("verdicts: %v", r.Reasons)
		}
	})
}

// TestPace: from one challenge to the next at least so long, however fast the answer.
func TestPace(t *testing.T) {
	for _, c := range []struct {
		takes, pace time.Duration
		least, most int // requests in ten seconds
	}{
		{time.Millisecond, 500 * time.Millisecond, 18, 21},
		{time.Second, 500 * time.Millisecond, 9, 10},
		{time.Millisecond, 0, 500, 1000},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, "honest")
			w.config.Pace = c.pace
			w.config.AuditPPM = 1
			w.provers[0].takes = c.takes
			v := w.run(10 * time.Second)
			if n := int(v.View().Total.Requests); n < c.least || n > c.most {
				t.Errorf("answers in %v, pace %v: %d requests, want %d to %d", c.takes, c.pace, n, c.least, c.most)
			}
		})
	}
}

// TestBacklog: challenges wait for a reference that is slower than the provers, so
// that verdicts do not come later and later.
func TestBacklog(t *testing.T) {
	for _, c := range []struct {
		backlog    int
		least, all uint64 // requests in forty seconds
	}{
		{backlog: 4, least: 70, all: 130},
		{backlog: 1000, least: 1000, all: 10000},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, "honest")
			w.config.Backlog, w.config.AuditPPM = c.backlog, 1_000_000
			w.provers[0].takes = 10 * time.Millisecond
			w.fast.set("slow") // a second for each of two auditors
			v, stop := w.start()
			time.Sleep(40 * time.Second)
			got := v.View()
			if err := stop(); err != nil {
				t.Fatal(err)
			}
			// What waits is the backlog and what comes within three blocks of asking.
			if n := got.Total.Requests; n < c.least || n > c.all {
				t.Errorf("backlog of %d: %d requests, want %d to %d", c.backlog, n, c.least, c.all)
			}
		})
	}
}

// TestNoSecondLookAtTheConvicted: the portable reference is asked until a prover is
// convicted, and not about that prover afterwards.
func TestNoSecondLookAtTheConvicted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "lying", "honest")
		w.config.Auditors = 1
		v := w.run(30 * time.Second)
		w.check()
		r := reasons(v.View(), 1)
		if p := of(t, v.View(), 1); !p.Convicted || r[targon.ReasonMismatch] < 3 {
			t.Fatalf("convicted %v with %v", p.Convicted, r)
		}
		if w.portable.calls != 1 {
			t.Errorf("the portable reference was asked %d times about %d mismatches, want once", w.portable.calls, r[targon.ReasonMismatch])
		}
	})
}
