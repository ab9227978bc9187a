package native

import (
	"math"

	"targon"
	"targon/noise"
)

// A sampler draws ids. It is immutable.
//
// The winner is the id of the largest noise.Perturb(logit, T, noise), the lowest such
// id on equality. Logarithms are slow, so the noise of an id is worked out only when
// the largest noise that its hash's leading bits allow could win; the winner is that
// of the plain loop.
type sampler struct{ bound [1 << boundBits]float64 }

const boundBits = 10

func newSampler() *sampler {
	s := new(sampler)
	for i := range s.bound {
		// Noise falls with the hash, up to its rounding, which the margin covers.
		s.bound[i] = noise.FromHash(uint32(i)<<(32-boundBits)) + 1e-9
	}
	return s
}

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
		return greedy(logits)
	}
	place := noise.At(by.Seed, uint32(position))
	best, winner := math.Inf(-1), 0
	for id, l := range logits {
		h := place.Hash(uint32(id))
		if noise.Perturb(l, by.Temperature, s.bound[h>>(32-boundBits)]) <= best {
			continue // not above best, and a tie is for the lower id
		}
		if v := noise.Perturb(l, by.Temperature, noise.FromHash(h)); v > best {
			best, winner = v, id
		}
	}
	return targon.TokenID(winner)
}

// among returns which of some ids follows a number of ids (position), at a temperature
// above 0.
func (s *sampler) among(ids []targon.TokenID, logits []float32, by targon.Sampling, position int) targon.TokenID {
	place := noise.At(by.Seed, uint32(position))
	best, winner := math.Inf(-1), targon.TokenID(-1)
	for _, id := range ids {
		h := place.Hash(uint32(id))
		if noise.Perturb(logits[id], by.Temperature, s.bound[h>>(32-boundBits)]) < best {
			continue
		}
		if v := noise.Perturb(logits[id], by.Temperature, noise.FromHash(h)); v > best || v == best && id < winner {
			best, winner = v, id
		}
	}
	return winner
}

// greedy returns the id of the largest logit, the lowest on equality.
func greedy(logits []float32) targon.TokenID {
	winner := 0
	for id, l := range logits {
		if l > logits[winner] {
			winner = id
		}
	}
	return targon.TokenID(winner)
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
