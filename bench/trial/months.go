package trial

import (
	"math"
	"math/rand/v2"
	"runtime"
	"sync/atomic"

	"targon"
	"targon/evidence"
)

func workers() int { return runtime.GOMAXPROCS(0) }

// Months returns how many of n prover-months, each of a number of audited answers drawn
// from the pool, ever reach the threshold.
func (p Pool) Months(n, requests int, seed uint64) int {
	return months(n, requests, seed, func(rng *rand.Rand) evidence.Bet { return p[rng.IntN(len(p))].Bet })
}

// months looks at the evidence after every answer, as a verifier does, so a month counts
// when it looks worst.
func months(n, requests int, seed uint64, next func(*rand.Rand) evidence.Bet) int {
	var convicted atomic.Int64
	each(n, seed, func(_ int, rng *rand.Rand) {
		var s evidence.Stream
		for range requests {
			b := next(rng)
			s.Add(b)
			if b.Rises() && s.LogE() >= logConvict {
				convicted.Add(1)
				return
			}
		}
	})
	return int(convicted.Load())
}

// A worst is an answer whose every id flips just as often as the pack's bound allows.
type worst struct {
	bets   *evidence.Bets
	groups []group
	clean  evidence.Bet // of no flip at all
	none   float64      // its probability
}

// A group is the ids of one class in an answer.
type group struct {
	class  targon.GapClass
	ending bool
	n      uint32
	p      float64
	none   float64 // probability that no id of this or an earlier group flips
}

// worstOf makes the worst admissible null of an answer. Ids of classes without a bound
// are not bet on, and are left out.
func worstOf(t targon.Tally, bets *evidence.Bets) worst {
	w := worst{bets: bets, none: 1}
	for i, counts := range [][]targon.GapCount{t.Ids, t.Endings} {
		for _, c := range counts {
			g := group{class: c.Class, ending: i == 1, n: c.Matches + c.Flips, p: float64(bets.Bound(c.Class)) / 1e9}
			if g.p >= 0.5 {
				continue
			}
			w.none *= math.Pow(1-g.p, float64(g.n))
			g.none = w.none
			w.groups = append(w.groups, g)
		}
	}
	w.clean = bets.Of(w.tally(nil))
	return w
}

// tally returns the answer with a number of flips in each group.
func (w *worst) tally(flips []uint32) (t targon.Tally) {
	for i, g := range w.groups {
		c := targon.GapCount{Class: g.class, Matches: g.n}
		if flips != nil {
			c.Matches, c.Flips = g.n-flips[i], flips[i]
		}
		if g.ending {
			t.Endings = append(t.Endings, c)
		} else {
			t.Ids = append(t.Ids, c)
		}
	}
	return t
}

// draw draws flips for whole groups: one number decides whether there is any, which is
// nearly always all that there is to decide, and in which group the first one is.
func (w *worst) draw(rng *rand.Rand) evidence.Bet {
	u := 1 - rng.Float64() // in (0, 1]
	if u <= w.none {
		return w.clean
	}
	flips := make([]uint32, len(w.groups))
	found := false
	before := 1.0
	for i, g := range w.groups {
		switch {
		case found:
			flips[i] = binomial(rng, g.n, g.p)
		case u > g.none: // the first flip is here, among ids first to n of the group
			found = true
			skipped := uint32(min(math.Log(u/before)/math.Log1p(-g.p), float64(g.n-1)))
			flips[i] = 1 + binomial(rng, g.n-1-skipped, g.p)
		}
		before = g.none
	}
	return w.bets.Of(w.tally(flips))
}

// binomial draws by waiting times: the smaller p, the quicker.
func binomial(rng *rand.Rand, n uint32, p float64) (k uint32) {
	if p <= 0 {
		return 0
	}
	for at := 0.0; ; k++ {
		at += 1 + math.Floor(math.Log(1-rng.Float64())/math.Log1p(-p))
		if at > float64(n) {
			return k
		}
	}
}

// WorstMonths is Months under the worst admissible null: answers with the gaps of the
// pool's, each id flipping exactly as often as its bound says after the safety factor.
func (p Pool) WorstMonths(bets *evidence.Bets, n, requests int, seed uint64) int {
	all := make([]worst, len(p))
	for i, a := range p {
		all[i] = worstOf(a.Tally, bets)
	}
	return months(n, requests, seed, func(rng *rand.Rand) evidence.Bet { return all[rng.IntN(len(all))].draw(rng) })
}

// Upper95 is the one-sided 95 % upper bound of a share of which k of n were seen
// (Clopper and Pearson, 1934), by bisection of the binomial's lower tail.
func Upper95(k, n int) float64 {
	low, high := float64(k)/float64(n), 1.0
	for range 60 {
		mid := (low + high) / 2
		if lowerTail(k, n, mid) > 0.05 {
			low = mid
		} else {
			high = mid
		}
	}
	return high
}

// lowerTail is P(X ≤ k) of n trials.
func lowerTail(k, n int, p float64) float64 {
	if p >= 1 {
		return 0
	}
	sum := 0.0
	log := float64(n) * math.Log1p(-p) // of P(X = 0)
	for i := 0; i <= k; i++ {
		sum += math.Exp(log)
		log += math.Log(float64(n-i)) - math.Log(float64(i+1)) + math.Log(p) - math.Log1p(-p)
	}
	return sum
}
