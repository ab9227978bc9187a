package evidence

import "targon"

// An answer that is cut short claims one end that did not win, and all its other ids are
// the model's. One flip cannot convict: somewhere among thousands of ids an honest prover
// flips as well. But few of its flips put an end in the place of a winner far ahead, and
// that can be counted before it happens.
//
// At position i an end-of-sequence id lacks d_i to win, by the verifier's own numbers. An
// honest prover claims it nevertheless with probability at most p_i, the bound of a gap
// d_i: the pack's flips at that gap are by the runner-up, or by anybody behind it, and the
// only assumption is that rounding moves an end no further than it moves runners-up. Go
// through the answer and take position i into account as long as the sum of p_i over those
// taken stays within a budget B. Whether i is taken depends on the ids before it and on
// the seed, never on the claim at i. So, over all that an honest prover may do,
//
//	P(an end is falsely claimed at a position that is taken) ≤ E[Σ p_i over those taken] ≤ B
//
// (union bound over stopping at a predictable set; own). Refusing the answers that end
// like that costs an honest prover at most one in 1/B, whatever the prompts are. It is no
// evidence: that is a bet made on every position, and it has been made.

const (
	// endBudget is B = 1e-3, in parts per billion.
	endBudget uint32 = 1_000_000
	// endMost is the largest bound that is taken: a near tie must not use up what serves
	// for a hundred positions at the floor.
	endMost uint32 = endBudget / 20
)

// FalseEnd reports whether an answer whose last position claims an end that did not win
// is too much of a coincidence for an honest prover. The lags are the classes of what an
// end lacked at each position in order, 0 where that is not known (proof.End).
func (b *Bets) FalseEnd(lags []targon.GapClass) bool {
	spent, taken := uint32(0), false
	for _, c := range lags {
		p := uint32(ppb)
		if c < targon.GapClasses {
			p = b.bounds[c]
		}
		taken = p <= endMost && spent+p <= endBudget
		if taken {
			spent += p
		}
	}
	return taken
}
