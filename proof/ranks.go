package proof

import (
	"fmt"

	"targon"
)

// rankRules are what Targon's verifiers of October 2024 (4) and February 2025 (5) asked of
// the ranks that a reference gives to claimed ids, the highest logit having rank 1. An
// end-of-sequence id outside the list that the reference gives is taken for unlikely.
type rankRules struct {
	unlikely int     // a rank from here on fails
	doubtful int     // so many
	doubts   int     // ranks of doubtful and more fail
	first    float64 // a share of ranks beyond the first above this fails
	skipped  int     // an end of sequence before an id that ranks beyond this fails
	early    int     // an end of sequence that ranks beyond this fails
	picks    bool    // some ranks must be within int(10T)+3, up to T = 0.75
	surprise bool    // log-probabilities below -13 fail, and five below -8
}

var (
	ranksV4 = rankRules{unlikely: 75, doubtful: 25, doubts: 5, first: 0.5, skipped: 10, early: 15, picks: true}
	ranksV5 = rankRules{unlikely: 75, doubtful: 25, doubts: 5, first: 0.5, skipped: 15, early: 15, surprise: true}
)

// The rest of the rules' constants.
const (
	fewestIDs     = 3
	hottestPick   = 0.75
	farLogProb    = -13
	distantLog    = -8
	distantDoubts = 5
)

// compareRanks holds an answer to the rules; the value is the share of ids of rank 1.
func compareRanks(p Pair, rules rankRules) (Likeness, error) {
	if detail := unfit(p.Claimed, p.Scores); detail != "" {
		return Likeness{}, fmt.Errorf("%w: %s", ErrIncomparable, detail)
	}
	n := len(p.Scores.Positions)
	eos := endings(p.Scores)
	first, doubtful, distant, reason := 0, 0, 0, ""
	for _, at := range p.Scores.Positions {
		rank := int(at.Rank) + 1
		if rank == 1 {
			first++
		}
		if rank >= rules.doubtful {
			doubtful++
		}
		if at.LogProb <= distantLog {
			distant++
		}
		if r := rules.failure(at, rank, eos); reason == "" {
			reason = r
		}
	}
	last := p.Scores.Positions[n-1]
	stopped := p.Claimed.Receipt.Finish == targon.FinishStop
	switch {
	case n < fewestIDs:
		reason = "too_short"
	case reason != "":
	case doubtful >= rules.doubts:
		reason = "unlikely_tokens"
	case float64(n-first) > rules.first*float64(n):
		reason = "not_first"
	case rules.surprise && distant >= distantDoubts:
		reason = "improbable_tokens"
	case stopped && (!eos[last.Claimed.ID] || int(last.Rank)+1 > rules.early):
		reason = "early_end"
	case rules.picks && p.astray():
		reason = "pick"
	}
	return Likeness{Pass: reason == "", Value: float64(first) / float64(n), Reason: reason}, nil
}

// failure is what one position alone fails by, or "".
func (r rankRules) failure(at targon.Position, rank int, eos map[targon.TokenID]bool) string {
	switch {
	case rank >= r.unlikely:
		return "unlikely_token"
	case r.surprise && at.LogProb <= farLogProb:
		return "improbable_token"
	case rank > r.skipped && !eos[at.Claimed.ID]:
		for _, c := range at.Top {
			if eos[c.ID] && !follows(c, at.Claimed) {
				return "skipped_end"
			}
		}
	}
	return ""
}

// astray reports whether the first, the last, or a picked id ranks too low.
func (p Pair) astray() bool {
	t := p.Claimed.Request.Sampling.Temperature
	n := len(p.Scores.Positions)
	if t > hottestPick {
		return false
	}
	for _, i := range append([]int{0, n - 1}, p.Picks...) {
		if i >= 0 && i < n && int(p.Scores.Positions[i].Rank)+1 > int(10*t)+3 {
			return true
		}
	}
	return false
}
