package evidence

import (
	"math"

	"targon"
	"targon/noise"
)

// Bounds on how often an honest prover's token flips, from a stratum's counts.
//
// The only assumption about the shape is that a flip is not more likely at a larger
// gap. Then the share of flips over any set of classes below class c is at least that
// of c at each of its gaps, so an upper confidence bound of the one bounds the other:
//
//	P(flip | gap in c) ≤ min over j < c of U(flips, draws of classes j to c-1)
//
// U is the Chernoff bound turned round (Hoeffding 1963, theorem 1): the p above the
// share k/n at which n·KL(k/n, p) = ln(1/δ). The confidence is divided by the number of
// strata and of pairs (j, c), so all bounds hold together with probability 1 - BoundPPM
// (draws taken as independent; that they share positions is what the safety factor,
// and the fresh texts that a pack is tried on, are for). Class 0 has no bound and is
// never bet on.

// parts per billion
const ppb = 1_000_000_000

// bounds returns for each class the bound after safety and floor, in parts per billion;
// ppb means none.
func (p Pack) bounds(stratum int) [targon.GapClasses]uint32 {
	var flips, draws [targon.GapClasses]uint64
	for _, c := range p.Strata[stratum].Counts {
		flips[c.Class], draws[c.Class] = c.Flips, c.Draws
	}
	tests := float64(len(p.Strata)) * float64(targon.GapClasses) * float64(targon.GapClasses-1) / 2
	need := -noise.Log(float64(p.BoundPPM) / 1e6 / tests)
	var out [targon.GapClasses]uint32
	out[0] = ppb
	last := 1.0
	for c := 1; c < len(out); c++ {
		best := last // what bounds a class bounds those above it
		var k, n uint64
		for j := c - 1; j >= 0; j-- {
			k, n = k+flips[j], n+draws[j]
			if draws[j] > 0 {
				best = min(best, upper(k, n, need, best))
			}
		}
		out[c], last = padded(best, p), best
	}
	return out
}

// padded applies safety and floor and rounds up.
func padded(bound float64, p Pack) uint32 {
	v := math.Ceil(float64(float64(bound*float64(p.Safety)) * ppb))
	return max(uint32(min(v, ppb)), p.FloorPPB)
}

// upper returns the bound for k flips of n draws, or best when it is not below that.
func upper(k, n uint64, need, best float64) float64 {
	share := float64(k) / float64(n)
	if share >= best || float64(float64(n)*divergence(share, best)) <= need {
		return best
	}
	low, high := share, best
	for range 64 {
		mid := low + float64(0.5*(high-low))
		if float64(float64(n)*divergence(share, mid)) < need {
			low = mid
		} else {
			high = mid
		}
	}
	return high
}

// divergence is the Kullback-Leibler divergence of two coins, 0 ≤ q < p ≤ 1.
func divergence(q, p float64) float64 {
	d := float64((1 - q) * (noise.Log1p(-q) - noise.Log1p(-p))) // infinite at p = 1
	if q > 0 {
		d += float64(q * noise.Log(q/p))
	}
	return d
}

// usual returns how often a token of each class flips, in parts per billion: the counts,
// with half a flip more, pooled where they would rise with the gap. It only shapes the
// alternatives, which may be anything that is fixed in advance.
func (p Pack) usual(stratum int) [targon.GapClasses]uint32 {
	type pool struct {
		flips, draws float64
		classes      int
	}
	counts := map[targon.GapClass]Draws{}
	for _, c := range p.Strata[stratum].Counts {
		counts[c.Class] = c
	}
	var pools []pool
	for c := range targon.GapClass(targon.GapClasses) {
		one := pool{0.5 + float64(counts[c].Flips), 1 + float64(counts[c].Draws), 1}
		for len(pools) > 0 {
			last := pools[len(pools)-1]
			if last.flips/last.draws >= one.flips/one.draws {
				break
			}
			one = pool{one.flips + last.flips, one.draws + last.draws, one.classes + last.classes}
			pools = pools[:len(pools)-1]
		}
		pools = append(pools, one)
	}
	var out [targon.GapClasses]uint32
	c := 0
	for _, v := range pools {
		for range v.classes {
			out[c] = uint32(float64(ppb * (v.flips / v.draws)))
			c++
		}
	}
	return out
}
