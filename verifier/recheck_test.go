package verifier_test

import (
	"crypto/sha256"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"targon"
	"targon/verifier"
)

// settledEpochs of honestLedger have been scored when it ends.
const settledEpochs = 3

// honestLedger is what a verifier wrote in half a minute.
func honestLedger(t *testing.T) (entries []targon.Entry, w *world) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w = newWorld(t, "honest", "lying", "buffered", "honest", "gone")
		prompts := w.config.Prompts
		w.config.Prompts = func(r *randv2) targon.Draft { d := prompts(r); d.MaxTokens = 32; return d }
		w.config.AuditPPM = 300_000
		w.run(30 * time.Second)
		entries = w.ledger.entries(t)
	})
	return entries, w
}

// TestRecheck tampers with a ledger in every way that would pay somebody.
func TestRecheck(t *testing.T) {
	entries, w := honestLedger(t)
	audit, err := verifier.Recheck(each(entries), w.config.Policy, knownHash)
	if err != nil || audit.Drawn == 0 || audit.Spared <= audit.Drawn || audit.Unknown != 0 {
		t.Fatalf("the ledger as it is: %+v, %v", audit, err)
	}
	none := func(targon.Block) (targon.Digest, bool) { return targon.Digest{}, false }
	if audit, err := verifier.Recheck(each(entries), w.config.Policy, none); err != nil || audit.Unknown == 0 || audit.Drawn != 0 {
		t.Errorf("without hashes: %+v, %v", audit, err)
	}
	other := func(b targon.Block) (targon.Digest, bool) { return blockHash(b + 1), true }
	if _, err := verifier.Recheck(each(entries), w.config.Policy, other); !errors.Is(err, verifier.ErrLedger) {
		t.Errorf("with other hashes: %v", err)
	}

	passed := map[targon.Digest]bool{}
	for _, e := range entries {
		if j, ok := e.(targon.Judged); ok && j.Epoch < settledEpochs && j.Verdict.Outcome == targon.Passed {
			passed[j.Verdict.Request] = true
		}
	}
	judged := func(from targon.Reason, change func(*targon.Verdict)) func(targon.Entry) (targon.Entry, bool) {
		return func(e targon.Entry) (targon.Entry, bool) {
			j, ok := e.(targon.Judged)
			if !ok || j.Verdict.Reason != from || j.Epoch >= settledEpochs {
				return e, false
			}
			change(&j.Verdict)
			return j, true
		}
	}
	to := func(r targon.Reason) func(*targon.Verdict) {
		return func(v *targon.Verdict) { v.Reason, v.Outcome = r, r.Outcome() }
	}
	for _, c := range []struct {
		name   string
		change func(targon.Entry) (targon.Entry, bool) // of the first entry for which it says so
	}{
		{"a drawn receipt is spared", judged(targon.ReasonMismatch, to(targon.ReasonNotDrawn))},
		{"a spared receipt passes", judged(targon.ReasonNotDrawn, to(targon.ReasonMismatch))},
		{"a spared receipt is a fault of ours", judged(targon.ReasonNotDrawn, to(targon.ReasonReference))},
		{"a dump of ids passes", judged(targon.ReasonBuffered, to(targon.ReasonEqual))},
		{"a stream is called a dump", judged(targon.ReasonEqual, to(targon.ReasonBuffered))},
		{"a stream is called a lonely dump", judged(targon.ReasonEqual, to(targon.ReasonBufferedLone))},
		{"an answer is called none", judged(targon.ReasonEqual, to(targon.ReasonGone))},
		{"silence passes", judged(targon.ReasonGone, to(targon.ReasonEqual))},
		{"silence is another failure", judged(targon.ReasonGone, to(targon.ReasonRefused))},
		{"an answer opted out by nobody", judged(targon.ReasonEqual, to(targon.ReasonOptedOut))},
		{"a verdict without a reason", judged(targon.ReasonEqual, func(v *targon.Verdict) { v.Outcome = targon.Failed })},
		{"a verdict on another prover", judged(targon.ReasonEqual, func(v *targon.Verdict) { v.Prover[0]++ })},
		{"a verdict on another receipt", judged(targon.ReasonEqual, func(v *targon.Verdict) { v.Receipt[0]++ })},
		{"a verdict on nothing", judged(targon.ReasonEqual, func(v *targon.Verdict) { v.Request[0]++ })},
		{"a match becomes a mismatch", func(e targon.Entry) (targon.Entry, bool) {
			j, ok := e.(targon.Judged)
			if !ok || j.Verdict.Reason != targon.ReasonEqual {
				return e, false
			}
			j.Verdict.Reason, j.Verdict.Outcome = targon.ReasonMismatch, targon.Failed
			return j, true
		}},
		{"another secret is shown", func(e targon.Entry) (targon.Entry, bool) {
			o, ok := e.(targon.EpochClosed)
			o.Secret[0]++
			return entry(e, o, ok)
		}},
		{"another secret was committed to", func(e targon.Entry) (targon.Entry, bool) {
			o, ok := e.(targon.EpochOpened)
			o.SecretHash = sha256.Sum256(nil)
			return entry(e, o, ok)
		}},
		{"the rate is another", func(e targon.Entry) (targon.Entry, bool) {
			o, ok := e.(targon.EpochOpened)
			o.AuditPPM = 700_000
			return entry(e, o, ok)
		}},
		{"an arrival is dated otherwise", func(e targon.Entry) (targon.Entry, bool) {
			a, ok := e.(targon.Arrived)
			a.Block += 1000
			return entry(e, a, ok)
		}},
		{"an arrival was faster", func(e targon.Entry) (targon.Entry, bool) {
			a, ok := e.(targon.Arrived)
			a.Timing.Total /= 2
			return entry(e, a, ok && passed[a.Request])
		}},
		{"an arrival was longer", func(e targon.Entry) (targon.Entry, bool) {
			a, ok := e.(targon.Arrived)
			a.Receipt.Tokens *= 2
			return entry(e, a, ok && passed[a.Request])
		}},
		{"a score is higher", func(e targon.Entry) (targon.Entry, bool) {
			m, ok := e.(targon.ScoresMade)
			m.Scores = slices.Clone(m.Scores)
			if ok {
				m.Scores[1].Value++
			}
			return entry(e, m, ok)
		}},
		{"a convict is paid", func(e targon.Entry) (targon.Entry, bool) {
			d, ok := e.(targon.WeightsDecided)
			d.Weights = slices.Clone(d.Weights)
			if ok {
				d.Weights[1].Value = 65535
			}
			return entry(e, d, ok)
		}},
		{"weights of another epoch are set", func(e targon.Entry) (targon.Entry, bool) {
			s, ok := e.(targon.WeightsSet)
			s.Epoch++
			return entry(e, s, ok)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			tampered := slices.Clone(entries)
			for i, e := range tampered {
				if changed, ok := c.change(e); ok {
					tampered[i] = changed
					if _, err := verifier.Recheck(each(tampered), w.config.Policy, knownHash); !errors.Is(err, verifier.ErrLedger) {
						t.Errorf("recheck: %v", err)
					}
					return
				}
			}
			t.Fatal("there is nothing to tamper with")
		})
	}
}

func entry(was, is targon.Entry, ok bool) (targon.Entry, bool) {
	if !ok {
		return was, false
	}
	return is, true
}

// TestLedgerOrder: an entry that is left out, repeated, or swapped with the next of
// its epoch is noticed, or makes no difference to anybody.
func TestLedgerOrder(t *testing.T) {
	entries, w := honestLedger(t)
	for i := range entries {
		if raceEnabled && i%9 != 0 {
			continue
		}
		twice := slices.Insert(slices.Clone(entries), i, entries[i])
		if _, err := verifier.Recheck(each(twice), w.config.Policy, knownHash); !errors.Is(err, verifier.ErrLedger) {
			if _, ok := entries[i].(targon.WeightsDecided); !ok { // deciding the same anew is allowed
				t.Errorf("entry %d of type %T may be repeated: %v", i, entries[i], err)
			}
		}
		if i == len(entries)-1 {
			continue
		}
		without := slices.Delete(slices.Clone(entries), i, i+1)
		_, err := verifier.Recheck(each(without), w.config.Policy, knownHash)
		switch e := entries[i].(type) {
		case targon.WeightsSet:
		case targon.Arrived: // of the last epochs, nothing has been made yet
		case targon.Judged:
			if e.Epoch < settledEpochs && !errors.Is(err, verifier.ErrLedger) {
				t.Errorf("verdict %d may be left out: %v", i, err)
			}
		default:
			last := slices.ContainsFunc(entries[i+1:], func(o targon.Entry) bool { _, ok := o.(targon.EpochOpened); return ok })
			if last && !errors.Is(err, verifier.ErrLedger) {
				t.Errorf("entry %d of type %T may be left out: %v", i, e, err)
			}
		}
	}
}
