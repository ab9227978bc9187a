package verifier

import (
	"errors"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"targon"
	"targon/evidence"
	"targon/score"
)

// bettingOn is a verdict by margins whose bet raises or lowers the processes of the
// widened alternatives by so many 1e-9, and the last of the flat ones by others.
func bettingOn(a targon.Arrived, all, one int64) targon.Judged {
	j := judged(a, targon.ReasonWithin)
	j.Verdict.Tokens, j.Verdict.Tally = 40, targon.Tally{Ids: []targon.GapCount{{Class: 60, Matches: 40}}}
	j.Verdict.Nulls = []targon.Null{{Pack: targon.Digest{1 + a.Request[0]%2}}}
	b := evidence.Bet{all, all, all, all, all, all, all, all, one, all, all}
	j.Verdict.Bet = b[:]
	return j
}

// fold applies entries and returns the error of the last; no other may fail.
func fold(t *testing.T, s *State, entries ...targon.Entry) error {
	t.Helper()
	for i, e := range entries {
		err := s.Apply(e)
		if i == len(entries)-1 {
			return err
		}
		if err != nil {
			t.Fatalf("entry %d of type %T: %v", i, e, err)
		}
	}
	return nil
}

// TestAlarm: a change of ways raises the audit rate from the next epoch of the month on,
// and convicts nobody.
func TestAlarm(t *testing.T) {
	s := NewState(score.Throughput{})
	quiet, loud := arrived(1, 0, 12), arrived(2, 0, 13)
	must(t, fold(t, s, opened(0, 10), quiet, bettingOn(quiet, -5e9, -5e9), loud, bettingOn(loud, -5e9, 9_300_000_000)))
	ev := s.Evidence(quiet.Prover, 0)
	view := s.View().Provers[0]
	if view.Alarms != 1 || ev.Convicted || view.Convicted || len(s.unrecorded) != 0 || ev.Matches != 2 {
		t.Fatalf("%+v, %+v", view, ev)
	}
	v := &Verifier{state: s}
	v.meta.Neurons = []targon.Neuron{
		{UID: 3, Hotkey: quiet.Prover, Axon: netip.MustParseAddrPort("127.0.0.1:1")}, {UID: 4, Hotkey: targon.Hotkey{4}, Axon: netip.MustParseAddrPort("127.0.0.1:2")},
	}
	o := opened(1, 15)
	o.AuditPPM = 100_000
	want := []targon.Entry{o, targon.RateSet{Epoch: 1, Prover: quiet.Prover, AuditPPM: 400_000}}
	if diff := cmp.Diff(want, v.opening(o)); diff != "" {
		t.Error(diff)
	}
	o.AuditPPM = 300_000
	if got := v.opening(o); len(got) != 2 || got[1].(targon.RateSet).AuditPPM != 1_000_000 {
		t.Errorf("rates: %v", got)
	}
	if o.AuditPPM = 1_000_000; len(v.opening(o)) != 1 {
		t.Error("more than everything is to be audited")
	}
	if o.AuditPPM, o.Block = 100_000, monthEnd; len(v.opening(o)) != 1 {
		t.Error("the alarm outlives its month")
	}
	o.Block = 15
	v.cfg.Repute = true
	if got := v.opening(o); len(got) != 3 || got[2] != (targon.RateSet{Epoch: 1, Prover: targon.Hotkey{4}, AuditPPM: 400_000}) {
		t.Errorf("a newcomer's rate: %v", got)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestRateSet is when a rate may be written, and whose it is.
func TestRateSet(t *testing.T) {
	rate := func(e targon.Epoch, ppm uint32) targon.Entry {
		return targon.RateSet{Epoch: e, Prover: targon.Hotkey{3}, AuditPPM: ppm}
	}
	for _, c := range []struct {
		name    string
		entries []targon.Entry
		bad     bool
	}{
		{"as it opens", []targon.Entry{opened(0, 10), rate(0, 2)}, false},
		{"everything", []targon.Entry{opened(0, 10), rate(0, 1_000_000)}, false},
		{"more than everything", []targon.Entry{opened(0, 10), rate(0, 1_000_001)}, true},
		{"the same as all others'", []targon.Entry{opened(0, 10), rate(0, 1)}, true},
		{"less", []targon.Entry{opened(0, 10), rate(0, 0)}, true},
		{"twice", []targon.Entry{opened(0, 10), rate(0, 2), rate(0, 3)}, true},
		{"before any epoch", []targon.Entry{rate(0, 2)}, true},
		{"after an arrival", []targon.Entry{opened(0, 10), arrived(1, 0, 10), rate(0, 2)}, true},
		{"in the epoch before", []targon.Entry{opened(0, 10), opened(1, 15), rate(0, 2)}, true},
		{"in the epoch to come", []targon.Entry{opened(0, 10), rate(1, 2)}, true},
	} {
		s := NewState(score.Throughput{})
		if err := fold(t, s, c.entries...); (err != nil) != c.bad || c.bad && !errors.Is(err, ErrLedger) {
			t.Errorf("%s: %v", c.name, err)
		} else if !c.bad && (s.current().rate(targon.Hotkey{3}) < 2 || s.current().rate(targon.Hotkey{4}) != 1) {
			t.Errorf("%s: another rate is in force", c.name)
		}
	}
}

// TestConviction: it names what it rests on, counts without its record, and the record
// must say the same.
func TestConviction(t *testing.T) {
	s := NewState(score.Throughput{})
	must(t, fold(t, s, opened(0, 10)))
	var raising []targon.Digest
	for i := byte(1); !s.convicted(targon.Hotkey{3}, 0, 0); i++ {
		a := arrived(i, 0, 12)
		j := bettingOn(a, 0, 400_000_000)
		switch i % 10 {
		case 0:
			j = bettingOn(a, -100, -100)
		case 5:
			j = bettingOn(a, 0, 0)
		default:
			raising = append(raising, j.Verdict.Receipt)
		}
		must(t, fold(t, s, a, j))
	}
	if len(raising) < 17 || len(s.unrecorded) != 1 {
		t.Fatalf("convicted after %d receipts, %d records are due", len(raising), len(s.unrecorded))
	}
	want := targon.Convicted{
		UID: 3, Prover: targon.Hotkey{3}, Reason: targon.ReasonMargin, Tokens: s.Evidence(targon.Hotkey{3}, 0).ConvictedAt,
		LogE: s.Evidence(targon.Hotkey{3}, 0).LogE, Packs: []targon.Digest{{1}, {2}}, Receipts: raising[len(raising)-targon.MaxConvicting:],
	}
	v := &Verifier{state: s}
	due, err := v.due()
	if diff := cmp.Diff(targon.Entry(want), due); diff != "" || err != nil {
		t.Error(diff, err)
	}
	for name, change := range map[string]func(*targon.Convicted){
		"uid": func(c *targon.Convicted) { c.UID++ }, "prover": func(c *targon.Convicted) { c.Prover[0]++ },
		"month": func(c *targon.Convicted) { c.Month++ }, "reason": func(c *targon.Convicted) { c.Reason-- },
		"tokens": func(c *targon.Convicted) { c.Tokens++ }, "evidence": func(c *targon.Convicted) { c.LogE-- },
		"packs": func(c *targon.Convicted) { c.Packs = c.Packs[:1] }, "receipts": func(c *targon.Convicted) { c.Receipts = c.Receipts[:15] },
	} {
		other := want
		change(&other)
		if err := s.Apply(other); !errors.Is(err, ErrLedger) {
			t.Errorf("another %s: %v", name, err)
		}
	}
	must(t, s.Apply(want))
	if len(s.unrecorded) != 0 {
		t.Error("the record is due still")
	}
	if err := s.Apply(want); !errors.Is(err, ErrLedger) {
		t.Errorf("recorded twice: %v", err)
	}
	// Further evidence in the month makes no second conviction.
	a := arrived(200, 0, 12)
	must(t, fold(t, s, a, bettingOn(a, 0, 400_000_000)))
	if len(s.unrecorded) != 0 {
		t.Error("convicted twice in a month")
	}
}

// TestHeldAgainst: packs are sorted, each once, no more than a record can name.
func TestHeldAgainst(t *testing.T) {
	var d dossier
	for i := range 2 * (targon.MaxNulls + 1) {
		d.heldAgainst(targon.Digest{byte(100 - i/2)})
	}
	if len(d.packs) != targon.MaxNulls || !slices.IsSortedFunc(d.packs, func(a, b targon.Digest) int { return int(a[0]) - int(b[0]) }) ||
		d.packs[0] != (targon.Digest{100 - targon.MaxNulls + 1}) {
		t.Errorf("held against %v", d.packs)
	}
}

// TestClearance is what counts towards it.
func TestClearance(t *testing.T) {
	h := targon.Hotkey{3}
	convict := arrived(1, 0, monthEnd-1)
	begin := func() *State {
		s := NewState(score.Throughput{})
		must(t, fold(t, s, opened(0, monthEnd-5), convict, judged(convict, targon.ReasonMismatch), opened(1, monthEnd+100)))
		return s
	}
	n := byte(1)
	pass := func(s *State, at targon.Block, r targon.Reason, by targon.Hotkey) {
		n++
		a := arrived(n, 0, at)
		if at >= monthEnd+100 {
			a.Epoch = 1
		}
		a.Prover = by
		must(t, fold(t, s, a, judged(a, r)))
	}
	for _, c := range []struct {
		name  string
		at    targon.Block
		r     targon.Reason
		by    targon.Hotkey
		lacks int
	}{
		{"a pass", monthEnd, targon.ReasonEqual, h, clearance - 4},
		{"a pass by margins", monthEnd, targon.ReasonWithin, h, clearance - 4},
		{"a pass in the month itself", monthEnd - 1, targon.ReasonEqual, h, clearance - 3},
		{"a failure", monthEnd, targon.ReasonStructure, h, clearance},
		{"a buffered answer", monthEnd, targon.ReasonBuffered, h, clearance},
		{"one that was not drawn", monthEnd, targon.ReasonNotDrawn, h, clearance - 3},
		{"one that nobody can judge", monthEnd, targon.ReasonBufferedLone, h, clearance - 3},
		{"another prover's", monthEnd, targon.ReasonEqual, targon.Hotkey{4}, clearance - 3},
		{"another mismatch", monthEnd, targon.ReasonMismatch, h, clearance},
	} {
		s := begin()
		for range 3 {
			pass(s, monthEnd+1, targon.ReasonEqual, h)
		}
		pass(s, c.at, c.r, c.by)
		if got := s.lacks(h); got != c.lacks {
			t.Errorf("%s: lacks %d, want %d", c.name, got, c.lacks)
		}
		if s.lacks(targon.Hotkey{4}) != 0 || s.shunned(targon.Hotkey{4}, 1) || !s.shunned(h, 1) {
			t.Errorf("%s: shuns the wrong one", c.name)
		}
	}
	s := begin()
	for i := range clearance {
		if s.lacks(h) != clearance-i || !s.owing(h, &epoch{opened: targon.EpochOpened{Epoch: 1}, end: monthEnd + 200}) {
			t.Fatalf("after %d passes: lacks %d", i, s.lacks(h))
		}
		pass(s, monthEnd+targon.Block(90+i), targon.ReasonEqual, h) // the last in epoch 1
	}
	for e, want := range []bool{true, true, false} {
		if got := s.owing(h, &epoch{opened: targon.EpochOpened{Epoch: targon.Epoch(e)}, end: monthEnd + 300}); got != want {
			t.Errorf("cleared, and owing in epoch %d: %v", e, got)
		}
	}
	if s.lacks(h) != 0 || s.shunned(h, 1) || s.owing(h, &epoch{end: monthEnd}) {
		t.Error("not cleared")
	}
	pass(s, monthEnd+150, targon.ReasonStructure, h)
	if s.lacks(h) != 0 {
		t.Error("who is cleared owes again for a failure")
	}
	if s.tallies[h].reputation().Boost() != 2 || s.tallies[targon.Hotkey{9}].reputation() != evidence.NewReputation() {
		t.Error("repute is not kept by audits")
	}
}

// TestSettle: which answers are evidence, which score, and which nothing.
func TestSettle(t *testing.T) {
	weights := targon.Digest{9}
	flips := targon.Tally{Ids: []targon.GapCount{{Class: 80, Matches: 4, Flips: 4}}}
	fine := targon.Tally{Ids: []targon.GapCount{{Class: 80, Matches: 8}}}
	m, err := newMargins([]evidence.Pack{widePack(weights)}, weights)
	must(t, err)
	if _, err := newMargins([]evidence.Pack{widePack(weights)}, targon.Digest{8}); !errors.Is(err, ErrConfig) {
		t.Errorf("a pack of another model: %v", err)
	}
	odd := widePack(weights)
	odd.Sampler = "dice"
	if _, err := newMargins([]evidence.Pack{odd}, weights); !errors.Is(err, ErrConfig) {
		t.Errorf("a pack of an unknown sampler: %v", err)
	}
	for _, c := range []struct {
		name        string
		temperature float64
		origin      targon.Origin
		from        targon.Reason
		tally       targon.Tally
		want        targon.Reason
		nulls, bet  bool
	}{
		{"warm", 1, targon.OriginChallenge, targon.ReasonUncalibrated, fine, targon.ReasonWithin, true, true},
		{"warm, a user's", 1, targon.OriginOrganic, targon.ReasonUncalibrated, fine, targon.ReasonWithin, true, true},
		{"a cheat", 1, targon.OriginChallenge, targon.ReasonUncalibrated, flips, targon.ReasonMargin, true, true},
		{"at the least temperature", 0.3, targon.OriginChallenge, targon.ReasonUncalibrated, fine, targon.ReasonWithin, true, true},
		{"colder, a user's", 0.29, targon.OriginOrganic, targon.ReasonUncalibrated, fine, targon.ReasonWithin, true, false},
		{"greedy, a user's", 0, targon.OriginOrganic, targon.ReasonUncalibrated, fine, targon.ReasonWithin, true, false},
		{"greedy, a cheat", 0, targon.OriginOrganic, targon.ReasonUncalibrated, flips, targon.ReasonMargin, true, false},
		{"colder, a challenge", 0.29, targon.OriginChallenge, targon.ReasonUncalibrated, flips, targon.ReasonUncalibrated, false, false},
		{"too warm", 2, targon.OriginOrganic, targon.ReasonUncalibrated, flips, targon.ReasonUncalibrated, false, false},
		{"a contradiction is bet on", 1, targon.OriginChallenge, targon.ReasonTermination, flips, targon.ReasonTermination, true, true},
		{"mostly undecided, too", 1, targon.OriginChallenge, targon.ReasonAmbiguous, fine, targon.ReasonAmbiguous, true, true},
		{"nothing was counted", 1, targon.OriginChallenge, targon.ReasonReference, targon.Tally{}, targon.ReasonReference, false, false},
	} {
		v := judged(arrived(1, 0, 12), c.from).Verdict
		v.Tally = c.tally
		r := targon.Request{Prompt: make([]targon.TokenID, 4), MaxTokens: 8, Sampling: targon.Sampling{Temperature: c.temperature}}
		scores := targon.Scores{Vocab: 2, Positions: slices.Repeat([]targon.Position{{Top: make([]targon.Scored, 1)}}, 8)}
		got := m.settle(v, c.origin, targon.Transcript{Request: r, Tokens: make([]targon.TokenID, 8)}, scores)
		if got.Reason != c.want || got.Outcome != c.want.Outcome() || (len(got.Nulls) > 0) != c.nulls || (len(got.Bet) > 0) != c.bet {
			t.Errorf("%s: %v, nulls %v, bet %v", c.name, got.Reason, got.Nulls, got.Bet)
		}
		if bet, ok := evidence.BetOf(got.Bet); ok != c.bet || ok && bet.Surprising() != (len(c.tally.Ids) > 0 && c.tally.Ids[0].Flips > 0) {
			t.Errorf("%s: bet %v", c.name, got.Bet)
		}
		if c.nulls && !slices.Equal(got.Nulls, []targon.Null{{Pack: m.nullsOf()}}) && c.temperature >= 0.3 {
			t.Errorf("%s: held against %v", c.name, got.Nulls)
		}
	}
}

// TestFalseEnd: an answer that claims an end where another id had won by far earns nothing,
// and bets as it would without.
func TestFalseEnd(t *testing.T) {
	m, err := newMargins([]evidence.Pack{widePack(targon.Digest{})}, targon.Digest{})
	must(t, err)
	r := targon.Request{Prompt: make([]targon.TokenID, 4), MaxTokens: 8, Sampling: targon.Sampling{Temperature: 1}}
	x := targon.Transcript{Request: r, Tokens: []targon.TokenID{1}}
	scores := targon.Scores{Vocab: 2, EOS: []targon.TokenID{1}, Positions: []targon.Position{{
		Claimed: targon.Scored{ID: 1}, Top: []targon.Scored{{ID: 0, Logit: 60}, {ID: 1}},
	}}}
	v := judged(arrived(1, 0, 12), targon.ReasonUncalibrated).Verdict
	v.Tally = targon.Tally{Ids: []targon.GapCount{{Class: 90, Matches: 30}}}
	got := m.settle(v, targon.OriginChallenge, x, scores)
	if got.Reason != targon.ReasonTermination || got.Outcome != targon.Failed || got.Winner != 0 || got.Claimed != 1 {
		t.Errorf("%+v", got)
	}
	scores.EOS = nil // just an id
	if same := m.settle(v, targon.OriginChallenge, x, scores); same.Reason != targon.ReasonWithin || !slices.Equal(same.Bet, got.Bet) {
		t.Errorf("not an end: %+v", same)
	}
}

// nullsOf is the one pack of a test.
func (m *margins) nullsOf() targon.Digest {
	of, _ := m.nulls.Of(targon.Request{MaxTokens: 1, Sampling: targon.Sampling{Temperature: 1}}, 1)
	return of[0].Pack
}

// widePack is a pack of a stack that nearly never flips.
func widePack(weights targon.Digest) evidence.Pack {
	p := evidence.NewPack()
	p.Model, p.Weights, p.Prover, p.Verifier, p.Sampler = "m", weights, "a", "b", "targon"
	s := evidence.Stratum{MinTemperature: 0.3, MaxTemperature: 1.5, MaxLength: 64, Positions: 1, Seeds: 16}
	for c := range targon.GapClass(targon.GapClasses) {
		s.Counts = append(s.Counts, evidence.Draws{Class: c, Draws: 100_000, Flips: map[bool]uint64{true: 30_000}[c < 20]})
	}
	p.Strata = []evidence.Stratum{s}
	return p
}
