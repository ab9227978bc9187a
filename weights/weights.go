// Package weights turns scores into the integer vector that the chain accepts.
//
// It does not decide who is barred, does not normalise to a sum, caps nothing and does
// not know how many weights a subnet wants: the chain max-upscales what it stores, so
// only the ratio to the largest matters.
//
// Invariant: the same scores in any order give the same bytes; the largest value is
// 65535 unless all are 0; a positive score never becomes 0.
package weights

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"targon"
)

// full is the largest value that a weight can have.
const full = math.MaxUint16

// Of returns one weight for every score, sorted by UID: 65535 × score / largest score,
// rounded to the nearest integer, halves to even, as Bittensor's own client rounds
// (bittensor, utils/weight_utils.py). A positive score that rounds to 0 becomes 1.
//
// Provers in barred get 0 and do not count as the largest. If no score is left that is
// positive, all weights are 0, which is a valid vector.
//
// Scores are finite and not negative and no UID comes twice; anything else is a broken
// invariant of ours and panics, since a guess would move money.
func Of(scores []targon.Score, barred map[targon.UID]bool) targon.Weights {
	sorted := slices.Clone(scores)
	slices.SortFunc(sorted, func(a, b targon.Score) int { return cmp.Compare(a.UID, b.UID) })
	largest := 0.0
	for i, s := range sorted {
		if math.IsNaN(s.Value) || math.IsInf(s.Value, 0) || s.Value < 0 {
			panic(fmt.Sprintf("internal error: score of uid %d is %v", s.UID, s.Value))
		}
		if i > 0 && sorted[i-1].UID == s.UID {
			panic(fmt.Sprintf("internal error: two scores for uid %d", s.UID))
		}
		if !barred[s.UID] {
			largest = max(largest, s.Value)
		}
	}
	out := make(targon.Weights, len(sorted))
	for i, s := range sorted {
		out[i].UID = s.UID
		if s.Value > 0 && !barred[s.UID] {
			out[i].Value = upscale(s.Value, largest)
		}
	}
	return out
}

// upscale returns the weight of a score that is > 0 and ≤ largest.
func upscale(score, largest float64) uint16 {
	share := score / largest // ≤ 1: division rounds monotonically
	return uint16(max(1, math.RoundToEven(share*full)))
}
