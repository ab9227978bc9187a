package verifier

import (
	"bytes"
	"fmt"
	"slices"

	"targon"
	"targon/evidence"
)

// dossier is what is kept about a prover in a month.
type dossier struct {
	evidence targon.Evidence
	stream   evidence.Stream
	packs    []targon.Digest   // that its bets were made against, sorted
	against  []targon.Digest   // the last receipts that raised the evidence
	record   *targon.Convicted // once it is convicted
	recorded bool              // on the ledger
	// convictedIn is the epoch of the receipt that convicted.
	convictedIn targon.Epoch
}

func (s *State) dossier(a account) *dossier {
	d := s.dossiers[a]
	if d == nil {
		d = &dossier{evidence: evidence.New(a.prover, a.month)}
		s.dossiers[a] = d
	}
	return d
}

// weigh lets package evidence take every verdict into account, chosen by nobody: it
// moves by matches and confirmed mismatches, by bets that are on the ledger, and by
// nothing else.
func (s *State) weigh(r *record) {
	a := account{r.arrived.Prover, targon.MonthOf(r.arrived.Block)}
	d, v := s.dossier(a), r.verdict
	was := d.evidence
	if bet, ok := evidence.BetOf(v.Bet); ok {
		d.evidence, _ = d.stream.Update(was, v, bet)
		for _, n := range v.Nulls {
			d.heldAgainst(n.Pack)
		}
	} else {
		d.evidence = evidence.Update(was, v)
	}
	if d.evidence.LogE > was.LogE {
		if len(d.against) == targon.MaxConvicting {
			d.against = d.against[1:]
		}
		d.against = append(d.against, v.Receipt)
	}
	if was.Convicted || !d.evidence.Convicted {
		return
	}
	d.record = &targon.Convicted{
		UID: r.arrived.UID, Prover: a.prover, Month: a.month, Reason: d.evidence.Reason, Tokens: d.evidence.ConvictedAt,
		LogE: d.evidence.LogE, Packs: slices.Clone(d.packs), Receipts: slices.Clone(d.against),
	}
	d.convictedIn = r.arrived.Epoch
	s.unrecorded = append(s.unrecorded, a)
	s.debts[a.prover] = &debt{month: a.month}
}

// heldAgainst notes a pack, unless a month that changed its policy all the time has too
// many for a record.
func (d *dossier) heldAgainst(pack targon.Digest) {
	i, known := slices.BinarySearchFunc(d.packs, pack, func(a, b targon.Digest) int { return bytes.Compare(a[:], b[:]) })
	if !known && len(d.packs) < targon.MaxNulls {
		d.packs = slices.Insert(d.packs, i, pack)
	}
}

// record takes in what the verdicts before it have done already. It is written for who
// reads the ledger; without it, nobody is less convicted.
func (s *State) record(c targon.Convicted) error {
	a := account{c.Prover, c.Month}
	d := s.dossiers[a]
	switch {
	case d == nil || d.record == nil:
		return fmt.Errorf("%w: %s is said to be convicted in month %d", ErrLedger, c.Prover, c.Month)
	case d.recorded:
		return fmt.Errorf("%w: the conviction of %s in month %d is recorded twice", ErrLedger, c.Prover, c.Month)
	case !sameConviction(c, *d.record):
		return fmt.Errorf("%w: %s is convicted by other evidence than the verdicts'", ErrLedger, c.Prover)
	}
	d.recorded = true
	s.unrecorded = slices.DeleteFunc(s.unrecorded, func(u account) bool { return u == a })
	return nil
}

func sameConviction(a, b targon.Convicted) bool {
	same := slices.Equal(a.Packs, b.Packs) && slices.Equal(a.Receipts, b.Receipts)
	return same && a.UID == b.UID && a.Prover == b.Prover && a.Month == b.Month &&
		a.Reason == b.Reason && a.Tokens == b.Tokens && a.LogE == b.LogE
}

// clearance is how many audited answers a convict must pass one after the other, once
// the month of its conviction is over, before it is paid again (own: whoever swaps its
// model for every other answer fails one of 32 with all but certainty).
const clearance = 32

// debt is what a convict owes before it is paid again. It is the hotkey's: whoever takes
// over its UID owes nothing.
type debt struct {
	month   targon.Month // of the last conviction
	passes  int          // since then, in a row
	cleared targon.Epoch // in which the last of them arrived
}

// clear counts towards a convict's clearance.
func (s *State) clear(r *record) {
	d := s.debts[r.arrived.Prover]
	if d == nil || d.passes == clearance || targon.MonthOf(r.arrived.Block) <= d.month || !audited(r.verdict.Reason) {
		return
	}
	switch r.verdict.Outcome {
	case targon.Passed:
		d.passes++
		d.cleared = r.arrived.Epoch
	case targon.Failed:
		d.passes = 0
	default:
	}
}

// owing reports whether a prover that was convicted in an earlier month is not to be
// paid for an epoch: nothing of one in which it was not cleared from the start.
func (s *State) owing(h targon.Hotkey, e *epoch) bool {
	d := s.debts[h]
	return d != nil && d.month < targon.MonthOf(e.end-1) && (d.passes < clearance || e.opened.Epoch <= d.cleared)
}

// lacks is how many passes a prover still owes, 0 for who owes none.
func (s *State) lacks(h targon.Hotkey) int {
	if d := s.debts[h]; d != nil {
		return clearance - d.passes
	}
	return 0
}

// shunned reports whether a prover is convicted, or has been and is not cleared: no user
// is sent to it.
func (s *State) shunned(h targon.Hotkey, m targon.Month) bool {
	return s.convicted(h, m, m) || s.lacks(h) > 0
}

// repute remembers how the audits of a prover went.
func (s *State) repute(r *record) {
	if !audited(r.verdict.Reason) || r.verdict.Outcome == targon.Undecided {
		return
	}
	t := s.tally(r.arrived.Prover, r.arrived.UID)
	t.repute = t.reputation().After(r.verdict.Outcome == targon.Passed)
}

func (t *tally) reputation() evidence.Reputation {
	if t == nil || t.repute == (evidence.Reputation{}) {
		return evidence.NewReputation()
	}
	return t.repute
}
