package verifier

import (
	"fmt"
	"iter"
	"slices"

	"targon"
	"targon/evidence"
)

// Bets counts what RecheckBets went through.
type Bets struct {
	Same    int // that the packs give again from the tallies
	Unknown int // against a pack that is not at hand
}

// RecheckBets works out again, from the packs and the tallies on a ledger, every bet
// that it holds, and returns the first that is another. [State] takes the bets as they
// are written, so that evidence can be repeated without packs.
func RecheckBets(entries iter.Seq2[targon.Entry, error], packs ...evidence.Pack) (Bets, error) {
	var out Bets
	nulls, err := evidence.NewNulls(packs...)
	if err != nil {
		return out, err
	}
	m := &margins{nulls: nulls, bets: map[string]*evidence.Bets{}}
	for e, err := range entries {
		if err != nil {
			return out, fmt.Errorf("read ledger: %w", err)
		}
		j, ok := e.(targon.Judged)
		if !ok || len(j.Verdict.Bet) == 0 {
			continue
		}
		v := j.Verdict
		table := m.table(v.Nulls)
		if table == nil {
			out.Unknown++
			continue
		}
		if want := table.Of(v.Tally); !slices.Equal(want[:], v.Bet) {
			return out, fmt.Errorf("%w: request %s carries another bet than its tally makes", ErrLedger, v.Request)
		}
		out.Same++
	}
	return out, nil
}

// bets checks a verdict by margins against its own numbers.
func (c *checker) bets(v targon.Verdict) error {
	bet, made := evidence.BetOf(v.Bet)
	surprising, want := made && bet.Surprising(), true
	switch v.Reason {
	case targon.ReasonWithin:
		want = len(v.Nulls) > 0 && !surprising
	case targon.ReasonMargin:
		want = len(v.Nulls) > 0 && (!made || surprising)
	case targon.ReasonBuffered, targon.ReasonBufferedLone: // passed but for its timing
		want = !surprising
	case targon.ReasonUncalibrated:
		want = len(v.Nulls) == 0
	case targon.ReasonEqual, targon.ReasonMismatch:
		want = !v.Weighed()
	default:
	}
	if !want {
		return fmt.Errorf("%w: request %s is judged %s, its own numbers say otherwise", ErrLedger, v.Request, v.Reason)
	}
	return nil
}

// rate checks that a prover's rate is one that its alarms or its repute call for.
func (c *checker) rate(r targon.RateSet) error {
	e := c.state.current()
	if e == nil {
		return nil // Apply refuses it
	}
	month := targon.MonthOf(e.opened.Block)
	for _, byRepute := range []bool{false, true} {
		if r.AuditPPM == boosted(e.opened.AuditPPM, c.state.boost(r.Prover, month, byRepute)) {
			return nil
		}
	}
	return fmt.Errorf("%w: epoch %d audits %s at %d per million, which nothing calls for", ErrLedger, r.Epoch, r.Prover, r.AuditPPM)
}

// convictions checks that every conviction by an epoch's verdicts is on record when the
// epoch closes. Ledgers begun before roots were kept have no such records.
func (c *checker) convictions(closed targon.EpochClosed) error {
	if closed.Root == (targon.Digest{}) {
		return nil
	}
	for _, a := range c.state.unrecorded {
		if c.state.dossiers[a].convictedIn <= closed.Epoch {
			return fmt.Errorf("%w: epoch %d closes without a record that %s is convicted", ErrLedger, closed.Epoch, a.prover)
		}
	}
	return nil
}
