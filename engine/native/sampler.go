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
	l := s.lot(by, position)
	l.take(0, logits)
	return l.winner
}

// A lot is one draw of all ids, whose logits come in pieces by rising id.
type lot struct {
	kernel  *kernel.Kernel
	by      targon.Sampling
	place   noise.Place
	contest kernel.Contest
	best    float64 // the winner's value
	winner  targon.TokenID
}

// lot begins the draw of the id that follows a number of ids (position).
func (s *sampler) lot(by targon.Sampling, position int) lot {
	l := lot{kernel: s.kernel, by: by, best: math.Inf(-1)}
	if by.Temperature > 0 {
		l.place = noise.At(by.Seed, uint32(position))
		l.contest = kernel.NewContest(l.place, by.Temperature)
	}
	return l
}

// take takes the logits of the ids from first on.
func (l *lot) take(first int, logits []float32) {
	if l.by.Temperature == 0 {
		l.greedy(first, logits)
		return
	}
	for from := 0; from < len(logits); {
		group, which := l.kernel.Contend(logits, first, from, &l.contest)
		for ; which != 0; which &= which - 1 {
			i := group + bits.TrailingZeros32(which)
			if v := noise.Perturb(logits[i], l.by.Temperature, l.place.Gumbel(uint32(first+i))); v > l.best {
				l.best, l.winner = v, targon.TokenID(first+i) // a tie is for the lower id
			}
		}
		l.contest.Raise(l.best)
		from = group + kernel.Lanes
	}
}

// greedy is take at temperature 0: the largest logit wins, the lowest id on equality.
func (l *lot) greedy(first int, logits []float32) {
	for i := 0; ; i++ {
		if i += l.kernel.FirstAbove(logits[i:], float32(l.best)); i == len(logits) {
			return
		}
		l.best, l.winner = float64(logits[i]), targon.TokenID(first+i)
	}
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

// finite reports whether all logits are numbers.
func finite(logits []float32) bool {
	bad := uint32(0)
	for _, l := range logits {
		// An all-ones exponent plus one carries into the sign's place.
		bad |= (math.Float32bits(l)&^(1<<31) + 1<<23) & (1 << 31)
	}
	return bad == 0
}
