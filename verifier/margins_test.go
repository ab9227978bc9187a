package verifier_test

import (
	"errors"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"targon"
	"targon/evidence"
	"targon/noise"
	"targon/score"
	"targon/verifier"
)

// foreignNoise is how wide the logits of the foreign prover of these tests are off, and
// packNoise what the pack of its stack was made with: far more than any real machine's,
// so that a few hundred ids show flips.
const foreignNoise, packNoise = 0.02, 0.03

// foreignAnswer is what a machine answers that rounds otherwise.
func foreignAnswer(r targon.Request) []targon.TokenID {
	ids := slices.Clone(r.Prompt)
	for range r.MaxTokens {
		best, most := targon.TokenID(0), -1e9
		for id, l := range toyLogits(ids[len(ids)-1], len(ids)) {
			off := noise.Gumbel(77, uint32(len(ids)), uint32(id)) // any fixed noise will do
			l += float32(foreignNoise / 3 * max(min(off, 3), -3))
			v := noise.Perturb(l, r.Sampling.Temperature, noise.Gumbel(r.Sampling.Seed, uint32(len(ids)), uint32(id)))
			if v > most {
				best, most = targon.TokenID(id), v
			}
		}
		ids = append(ids, best)
	}
	return ids[len(r.Prompt):]
}

// toyPack is a pack for the toy model, as honest traffic on a stack of noise packNoise
// would have made it.
func toyPack() evidence.Pack {
	p := evidence.NewPack()
	p.Model, p.Weights, p.Prover, p.Verifier, p.Sampler = "toy", toyDigest, "foreign", "toy", noise.Targon.Usual().String()
	s := evidence.Stratum{MinTemperature: 0.9, MaxTemperature: 1.1, MaxLength: 64, Positions: 1, Seeds: 16}
	below := 0.0
	for c := range targon.GapClass(targon.GapClasses) {
		gap := math.Exp2(-20 + float64(c)/4) // the class's upper edge; gaps are exponential
		upTo := 1 - math.Exp(-gap)
		if c == targon.GapClasses-1 {
			upTo = 1
		}
		if n := uint64(2e7 * (upTo - below)); n > 0 {
			flips := uint64(float64(n) * 0.5 * math.Erfc(gap*0.9/packNoise/math.Sqrt2))
			s.Counts = append(s.Counts, evidence.Draws{Class: c, Draws: n, Flips: flips})
		}
		below = upTo
	}
	cold := s
	cold.MinTemperature, cold.MaxTemperature = evidence.MinTemperature, 0.5
	p.Strata = []evidence.Stratum{s, cold}
	return p
}

// TestMargins: with a pack, an honest prover on another stack flips ids, passes and earns;
// a cheat is convicted by margins; and the ledger alone gives the same evidence.
func TestMargins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "honest", "foreign", "lying")
		w.config.Packs = []evidence.Pack{toyPack()}
		w.config.AuditPPM = 900_000
		prompts := w.config.Prompts
		w.config.Prompts = func(r *randv2) targon.Draft { d := prompts(r); d.MaxTokens = 32; return d } // room for flips
		v := w.run(90 * time.Second)
		audit := w.check()
		if audit.Drawn < 50 || v.View().Set < 3 {
			t.Fatalf("audit: %+v, weights set %d times", audit, v.View().Set)
		}
		last := w.chain.sets[len(w.chain.sets)-1]
		for _, p := range w.provers {
			got, cheats := of(t, v.View(), p.uid), p.kind == "lying"
			if got.Convicted != cheats || (last.Of(p.uid) == 0) != cheats {
				t.Errorf("%s: convicted %v, weight %d, reasons %v", p.kind, got.Convicted, last.Of(p.uid), got.Reasons)
			}
			if !cheats && (got.Reasons[targon.ReasonWithin] == 0 || got.Failed != 0 || got.Reasons[targon.ReasonUncalibrated] != 0) {
				t.Errorf("%s: %v", p.kind, got.Reasons)
			}
			if cheats && got.Reason != targon.ReasonMargin {
				t.Errorf("%s: convicted for %v", p.kind, got.Reason)
			}
		}
		entries := w.ledger.entries(t)
		if n := flipsOf(entries, w.provers[1].key.Hotkey()); n == 0 {
			t.Error("the foreign prover never flipped: nothing was tried")
		}
		record := convictions(entries)
		digest, _ := toyPack().Digest()
		if len(record) != 1 || record[0].UID != 3 || !slices.Equal(record[0].Packs, []targon.Digest{digest}) || len(record[0].Receipts) == 0 {
			t.Errorf("convictions: %+v", record)
		}
		rechecked(t, entries)
	})
}

// TestWithoutPack: the same prover, where ids are compared for equality.
func TestWithoutPack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "honest", "foreign")
		w.config.AuditPPM = 900_000
		v := w.run(40 * time.Second)
		w.check()
		if p := of(t, v.View(), 2); !p.Convicted || of(t, v.View(), 1).Convicted {
			t.Errorf("%+v", p)
		}
		record := convictions(w.ledger.entries(t))
		if len(record) != 1 || len(record[0].Packs) != 0 || record[0].Reason != targon.ReasonMismatch {
			t.Errorf("convictions: %+v", record)
		}
	})
}

// TestUncalibrated: requests that no pack holds say nothing about anybody.
func TestUncalibrated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "honest", "lying")
		prompts := w.config.Prompts
		w.config.Prompts = func(r *randv2) targon.Draft { d := prompts(r); d.Temperature = 1.5; return d }
		w.config.Packs = []evidence.Pack{toyPack()}
		v := w.run(20 * time.Second)
		w.check()
		for _, p := range v.View().Provers {
			if p.Reasons[targon.ReasonUncalibrated] == 0 || p.Passed+p.Failed != 0 || p.Convicted || p.Score != 0 {
				t.Errorf("uid %d: %+v", p.UID, p)
			}
		}
	})
}

func flipsOf(entries []targon.Entry, h targon.Hotkey) (flips uint64) {
	for _, e := range entries {
		if j, ok := e.(targon.Judged); ok && j.Verdict.Prover == h {
			_, n := j.Verdict.Tally.Total()
			flips += n
		}
	}
	return flips
}

func convictions(entries []targon.Entry) (out []targon.Convicted) {
	for _, e := range entries {
		if c, ok := e.(targon.Convicted); ok {
			out = append(out, c)
		}
	}
	return out
}

// rechecked holds a ledger against the pack, and tampers with what it says of margins.
func rechecked(t *testing.T, entries []targon.Entry) {
	t.Helper()
	got, err := verifier.RecheckBets(each(entries), toyPack())
	if err != nil || got.Same == 0 || got.Unknown != 0 {
		t.Errorf("bets: %+v, %v", got, err)
	}
	other := toyPack()
	other.Strata[0].Counts[80].Flips++
	if got, err = verifier.RecheckBets(each(entries), other); err != nil || got.Unknown == 0 || got.Same != 0 {
		t.Errorf("with another pack: %+v, %v", got, err)
	}
	first := func(of func(targon.Verdict) bool) int {
		return slices.IndexFunc(entries, func(e targon.Entry) bool {
			j, ok := e.(targon.Judged)
			return ok && of(j.Verdict)
		})
	}
	within := first(func(v targon.Verdict) bool { return v.Reason == targon.ReasonWithin && len(v.Bet) > 0 })
	margin := 0 // the last: convicted already, so nothing else depends on it
	for i, e := range entries {
		if j, ok := e.(targon.Judged); ok && j.Verdict.Reason == targon.ReasonMargin {
			margin = i
		}
	}
	record := slices.IndexFunc(entries, func(e targon.Entry) bool { _, ok := e.(targon.Convicted); return ok })
	for _, c := range []struct {
		name   string
		at     int
		change func(targon.Entry) targon.Entry
		bets   bool // only RecheckBets can tell
	}{
		{"a bet is a little worse", within, func(e targon.Entry) targon.Entry {
			j := e.(targon.Judged)
			j.Verdict.Bet = slices.Clone(j.Verdict.Bet)
			j.Verdict.Bet[6]--
			return j
		}, true},
		{"a match too many", within, func(e targon.Entry) targon.Entry {
			j := e.(targon.Judged)
			j.Verdict.Tally.Ids = slices.Clone(j.Verdict.Tally.Ids)
			j.Verdict.Tally.Ids[len(j.Verdict.Tally.Ids)-1].Matches++
			return j
		}, true},
		{"a bet of too many processes", within, func(e targon.Entry) targon.Entry {
			j := e.(targon.Judged)
			j.Verdict.Bet = append(slices.Clone(j.Verdict.Bet), 0)
			return j
		}, false},
		{"an honest answer fails", within, func(e targon.Entry) targon.Entry {
			j := e.(targon.Judged)
			j.Verdict.Reason, j.Verdict.Outcome = targon.ReasonMargin, targon.Failed
			return j
		}, false},
		{"an answer that is held against a pack is uncalibrated", within, func(e targon.Entry) targon.Entry {
			j := e.(targon.Judged)
			j.Verdict.Reason, j.Verdict.Outcome = targon.ReasonUncalibrated, targon.Undecided
			return j
		}, false},
		{"an answer passes by nothing", within, func(e targon.Entry) targon.Entry {
			j := e.(targon.Judged)
			j.Verdict.Nulls, j.Verdict.Bet = nil, nil
			return j
		}, false},
		{"an answer fails by nothing", margin, func(e targon.Entry) targon.Entry {
			j := e.(targon.Judged)
			j.Verdict.Nulls, j.Verdict.Bet = nil, nil
			return j
		}, false},
		{"weighed ids are called equal", within, func(e targon.Entry) targon.Entry {
			j := e.(targon.Judged)
			j.Verdict.Reason = targon.ReasonEqual
			return j
		}, false},
		{"a conviction names other receipts", record, func(e targon.Entry) targon.Entry {
			c := e.(targon.Convicted)
			c.Receipts = c.Receipts[1:]
			return c
		}, false},
		{"a conviction names another pack", record, func(e targon.Entry) targon.Entry {
			c := e.(targon.Convicted)
			c.Packs = nil
			return c
		}, false},
		{"a conviction is of another month", record, func(e targon.Entry) targon.Entry {
			c := e.(targon.Convicted)
			c.Month++
			return c
		}, false},
		{"stronger evidence", record, func(e targon.Entry) targon.Entry {
			c := e.(targon.Convicted)
			c.LogE++
			return c
		}, false},
	} {
		if c.at < 0 {
			t.Errorf("%s: there is nothing to tamper with", c.name)
			continue
		}
		tampered := slices.Clone(entries)
		tampered[c.at] = c.change(tampered[c.at])
		_, err := verifier.Recheck(each(tampered), score.Throughput{}, knownHash)
		if c.bets {
			_, err = verifier.RecheckBets(each(tampered), toyPack())
		}
		if !errors.Is(err, verifier.ErrLedger) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	closes := slices.IndexFunc(entries, func(e targon.Entry) bool { _, ok := e.(targon.EpochClosed); return ok })
	if closes < record {
		t.Fatalf("convicted at entry %d, after an epoch was closed at %d", record, closes)
	}
	for name, changed := range map[string][]targon.Entry{
		"no record when the epoch closes": slices.Delete(slices.Clone(entries[:closes+1]), record, record+1),
		"no record of the conviction":     slices.Delete(slices.Clone(entries), record, record+1),
		"two records of it":               slices.Insert(slices.Clone(entries), record, entries[record]),
	} {
		if _, err := verifier.Recheck(each(changed), score.Throughput{}, knownHash); !errors.Is(err, verifier.ErrLedger) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRepute: newcomers are audited four times as often as all, from the epoch after
// they were first seen; the rate is on the ledger before what it applies to.
func TestRepute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "honest", "honest")
		w.config.AuditPPM, w.config.Repute = 200_000, true
		v := w.run(30 * time.Second)
		if p := of(t, v.View(), 1); p.AuditPPM != 400_000 || p.Reputation <= 0.9 || p.Alarms != 0 {
			t.Errorf("%+v", p)
		}
		if score, share := of(t, v.View(), 1).Score, v.Scores()[0].Value; share != score/2 || share == 0 {
			t.Errorf("users are sent by a share of %v, the score is %v and audits are doubled", share, score)
		}
		w.check()
		type whose struct {
			epoch  targon.Epoch
			prover targon.Hotkey
		}
		entries, rates, set := w.ledger.entries(t), map[targon.Epoch]int{}, map[whose]uint32{}
		for i, e := range entries {
			if r, ok := e.(targon.RateSet); ok {
				rates[r.Epoch]++
				set[whose{r.Epoch, r.Prover}] = r.AuditPPM
				if want := uint32(800_000); r.Epoch == 1 && r.AuditPPM != want {
					t.Errorf("a newcomer is audited at %d, want %d", r.AuditPPM, want)
				}
				without := slices.Delete(slices.Clone(entries), i, i+1)
				if _, err := verifier.Recheck(each(without), score.Throughput{}, knownHash); r.Epoch == 1 && !errors.Is(err, verifier.ErrLedger) {
					t.Errorf("a rate of epoch %d may be left out: %v", r.Epoch, err)
				}
				r.AuditPPM--
				other := slices.Clone(entries)
				other[i] = r
				if _, err := verifier.Recheck(each(other), score.Throughput{}, knownHash); !errors.Is(err, verifier.ErrLedger) {
					t.Errorf("another rate in epoch %d: %v", r.Epoch, err)
				}
			}
		}
		if rates[0] != 0 || rates[1] != 2 || rates[2] != 2 {
			t.Errorf("rates set: %v", rates)
		}
		drawn, spared := map[bool]int{}, map[bool]int{}
		for d, err := range verifier.Draws(each(entries), knownHash) {
			if err != nil {
				t.Fatal(err)
			}
			if !d.Kept() || d.AuditPPM != max(set[whose{d.Epoch, d.Prover}], 200_000) {
				t.Errorf("%+v", d)
			}
			switch d.Due {
			case verifier.DueAudit:
				drawn[d.AuditPPM == 800_000]++
			case verifier.DueNothing:
				spared[d.AuditPPM == 800_000]++
			default:
				t.Errorf("%+v", d)
			}
		}
		if drawn[true] <= 2*spared[true] || drawn[false] >= 2*spared[false] {
			t.Errorf("drawn %v, spared %v", drawn, spared)
		}
	})
}

// TestDraws: what had to be audited and was not shows, receipt by receipt.
func TestDraws(t *testing.T) {
	entries, _ := honestLedger(t)
	broken := func(entries []targon.Entry, hashes func(targon.Block) (targon.Digest, bool)) (kept, not int, err error) {
		for d, err := range verifier.Draws(each(entries), hashes) {
			switch {
			case err != nil:
				return kept, not, err
			case d.Kept():
				kept++
			default:
				not++
			}
		}
		return kept, not, nil
	}
	whole, not, err := broken(entries, knownHash)
	if err != nil || whole < 50 || not != 0 {
		t.Fatalf("%d kept, %d not, %v", whole, not, err)
	}
	none := func(targon.Block) (targon.Digest, bool) { return targon.Digest{}, false }
	if kept, not, err := broken(entries, none); err != nil || kept != whole || not != 0 {
		t.Errorf("without hashes: %d kept, %d not, %v", kept, not, err)
	}
	for from, to := range map[targon.Reason]targon.Reason{
		targon.ReasonMismatch: targon.ReasonNotDrawn, targon.ReasonNotDrawn: targon.ReasonReference,
		targon.ReasonEqual: targon.ReasonRestart, // says aloud that it skipped
	} {
		changed, seen := slices.Clone(entries), 0
		for i, e := range changed {
			if j, ok := e.(targon.Judged); ok && j.Verdict.Reason == from {
				if seen++; seen == 2 { // the first mismatch convicts
					j.Verdict.Reason, j.Verdict.Outcome = to, to.Outcome()
					changed[i] = j
				}
			}
		}
		want := 1
		if to == targon.ReasonRestart {
			want = 0
		}
		if kept, not, err := broken(changed, knownHash); err != nil || kept+not != whole || not != want {
			t.Errorf("%v made %v: %d kept, %d not, %v", from, to, kept, not, err)
		}
	}
	for i, e := range entries {
		if c, ok := e.(targon.EpochClosed); ok {
			changed := slices.Clone(entries)
			c.Secret[0]++
			changed[i] = c
			if _, _, err := broken(changed, knownHash); !errors.Is(err, verifier.ErrLedger) {
				t.Errorf("another secret: %v", err)
			}
			break
		}
	}
}
