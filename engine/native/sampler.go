package native

import (
	"math"
	"math/bits"

	"targon"
	"targon/engine/native/kernel"
	"targon/noise"
)

// A sampler draws ids. It is immutable.
//
// The winner is the id of the largest noise.Perturb(logit, T, noise), the lowest such
// id on equality. Logarithms are slow, so the noise of an id is worked out only where a
// bound of it could win (kernel.Contest); the winner is that of the plain loop.
type sampler struct{ kernel *kernel.Kernel }

// pick returns the id that follows a number of ids (position).
func (ws *workspace) pick(s *sampler, logits []float32, by targon.Sampling, position int) targon.TokenID {
	if !by.Filtered() {
		return s.draw(logits, by, position)
	}
	ids, _ := ws.filter.allowed(logits, by)
	return s.among(ids, logits, by, position)
}

// draw returns the id that follows a number of ids (position), every id being allowed.
func (s *sampler) draw(logits []float32, by targon.Sampling, position int) targon.TokenID {
	if by.Temperature == 0 {
		return s.greedy(logits)
	}
	place := noise.At(by.Seed, uint32(position))
	contest := kernel.NewContest(place, by.Temperature)
	best, winner := math.Inf(-1), 0
	for from := 0; from < len(logits); {
		group, which := s.kernel.Contend(logits, from, &contest)
		for ; which != 0; which &= which - 1 {
			id := group + bits.TrailingZeros32(which)
			if v := noise.Perturb(logits[id], by.Temperature, place.Gumbel(uint32(id))); v > best {
				best, winner = v, id // a tie is for the lower id
			}
		}
		contest.Raise(best)
		from = group + kernel.Lanes
	}
	return targon.TokenID(winner)
}

// among returns which of some ids follows a number of ids (position), at a temperature
// above 0.
func (s *sampler) among(ids []targon.TokenID, logits []float32, by targon.Sampling, position int) targon.TokenID {
	place := noise.At(by.Seed, uint32(position))
	contest := kernel.NewContest(place, by.Temperature)
	best, winner := math.Inf(-1), targon.TokenID(-1)
	for _, id := range ids {
		h := place.Hash(uint32(id))
		if !contest.May(logits[id], h) {
			continue
		}
		if v := noise.Perturb(logits[id], by.Temperature, noise.FromHash(h)); v > best || v == best && id < winner {
			best, winner = v, id
			contest.Raise(best)
		}
	}
	return winner
}

// greedy returns the id of the largest logit, the lowest on equality.
func (s *sampler) greedy(logits []float32) targon.TokenID {
	for winner := 0; ; {
		next := winner + 1 + s.kernel.FirstAbove(logits[winner+1:], logits[winner])
		if next == len(logits) {
			return targon.TokenID(winner)
		}
		winner = next
	}
}

// finite reports whether all logits are numbers.
func finite(logits []float32) bool {
	bad := uint32(0)
	for _, l := range logits {
		// An all-ones exponent plus one carries into the sign's place.
		bad |= (math.Float32bits(l)&^(1<<31) + 1<<23) & (1 << 31)
	}
	return bad == 0
}
