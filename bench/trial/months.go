package trial

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sort"
	"sync/atomic"

	"targon"
	"targon/evidence"
)

func workers() int { return runtime.GOMAXPROCS(0) }

// Months returns how many of n prover-months, each of a number of audited answers drawn
// from the pool, ever reach the threshold. It looks at the evidence after every answer,
// as a verifier does, so a month counts when it looks worst.
func (p Pool) Months(n, requests int, seed uint64) int {
	// Only answers that raise some process need a look, and most of them are in nobody's way.
	bets, rises := make([]evidence.Bet, len(p)), make([]bool, len(p))
	for i, a := range p {
		bets[i], rises[i] = a.Bet, a.Bet.Rises()
	}
	var convicted atomic.Int64
	each(n, seed, func(_ int, rng *rand.Rand) {
		var s evidence.Stream
		for range requests {
			i := rng.IntN(len(bets))
			s.Add(bets[i])
			if rises[i] && s.LogE() >= logConvict {
				convicted.Add(1)
				return
			}
		}
	})
	return int(convicted.Load())
}

// A worst is answers in a fixed order, each of whose ids flips just as often as its
// bound allows, made ready for going from one flip to the next.
//
// Which requests come in which order is the prompts' business and not chance: the bound
// holds for each id, whatever comes before. So a month is a stretch of a list that was
// shuffled once, beginning anywhere. Flips are independent, hence the ids until the next
// one are told by one exponential draw: the hazard of an id that flips with probability
// p is -ln(1-p), and the next flip is where the sum of hazards passes the draw. What the
// answers before it do to the evidence is a difference of two sums. Nothing is left out:
// among answers without a flip no process rises, so neither evidence nor alarm is due,
// and a Stream makes of their sum what it would make of them one by one.
type worst struct {
	answers []odds
	hazard  []float64      // of all answers before the i-th, the list going round
	clean   []evidence.Bet // of these without a flip
}

// odds are the ids of one answer, class by class.
type odds struct {
	bets   *evidence.Bets
	groups []group
}

// A group is the ids of one class in an answer.
type group struct {
	class  targon.GapClass
	ending bool
	n      uint32
	p      float64
}

// hazard of one id.
func (g group) hazard() float64 { return -math.Log1p(-g.p) }

// worstOf makes the worst admissible null of a pool, for months of so many answers.
func worstOf(p Pool, requests int, seed uint64) *worst {
	w := &worst{hazard: make([]float64, 1), clean: make([]evidence.Bet, 1)}
	p = slices.DeleteFunc(slices.Clone(p), func(a Answer) bool { return a.Bets == nil })
	rand.New(rand.NewPCG(seed, 0)).Shuffle(len(p), func(i, j int) { p[i], p[j] = p[j], p[i] })
	for _, a := range p {
		w.answers = append(w.answers, oddsOf(a))
	}
	if len(p) == 0 {
		return w // nothing was bet on
	}
	for i := range len(p) + requests {
		o := w.answers[i%len(p)]
		h, clean := w.hazard[i], o.bets.Of(o.tally(nil))
		for _, g := range o.groups {
			h += float64(g.n) * g.hazard()
		}
		for a := range clean {
			clean[a] += w.clean[i][a]
		}
		w.hazard, w.clean = append(w.hazard, h), append(w.clean, clean)
	}
	return w
}

// oddsOf leaves out ids of classes without a bound, which are not bet on.
func oddsOf(a Answer) odds {
	o := odds{bets: a.Bets}
	for i, counts := range [][]targon.GapCount{a.Tally.Ids, a.Tally.Endings} {
		for _, c := range counts {
			p := float64(a.Bets.Bound(c.Class)) / 1e9
			if p < 0.5 {
				o.groups = append(o.groups, group{c.Class, i == 1, c.Matches + c.Flips, p})
			}
		}
	}
	return o
}

// tally returns the answer with a number of flips in each group; nil: none at all.
func (o odds) tally(flips []uint32) (t targon.Tally) {
	for i, g := range o.groups {
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

// flipped returns what the answer does with its first flip where the sum of hazards
// within it passes a number, and others after that one as chance has it.
func (o odds) flipped(at float64, rng *rand.Rand) evidence.Bet {
	flips := make([]uint32, len(o.groups))
	found := false
	for i, g := range o.groups {
		h := float64(g.n) * g.hazard()
		switch {
		case found:
			flips[i] = binomial(rng, g.n, g.p)
		case at < h || i == len(o.groups)-1: // the last where sums were rounded
			found = true
			before := min(uint32(at/g.hazard()), g.n-1)
			flips[i] = 1 + binomial(rng, g.n-1-before, g.p)
		default:
			at -= h
		}
	}
	return o.bets.Of(o.tally(flips))
}

// month reports whether one month ever reaches the threshold.
func (w *worst) month(requests int, rng *rand.Rand) bool {
	var s evidence.Stream
	i := rng.IntN(len(w.answers))
	for end := i + requests; ; {
		passed := w.hazard[i] + rng.ExpFloat64()
		// The answer at which the sum passes; those before it have no flip.
		k := i + sort.Search(end-i, func(k int) bool { return w.hazard[i+k+1] > passed })
		var calm evidence.Bet
		for a := range calm {
			calm[a] = w.clean[k][a] - w.clean[i][a]
		}
		s.Add(calm)
		if k == end {
			return false
		}
		b := w.answers[k%len(w.answers)].flipped(passed-w.hazard[k], rng)
		s.Add(b)
		if b.Rises() && s.LogE() >= logConvict {
			return true
		}
		i = k + 1
	}
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
func (p Pool) WorstMonths(n, requests int, seed uint64) int {
	w := worstOf(p, requests, seed)
	if len(w.answers) == 0 {
		return 0
	}
	var convicted atomic.Int64
	each(n, seed, func(_ int, rng *rand.Rand) {
		if w.month(requests, rng) {
			convicted.Add(1)
		}
	})
	return int(convicted.Load())
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
