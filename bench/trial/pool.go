// Package trial measures how well proof and evidence catch a cast of cheats, and how
// often they accuse somebody honest.
//
// Answers are made once, by real engines, and judged by the same code that a verifier
// runs; streams and months are then resampled from whole answers, since the ids of one
// answer depend on each other. It trains nothing and tunes nothing on what it measures:
// the bounds come from a calibration pack made of other texts.
//
// Invariant: the same models, pack and seed give the same figures on every machine,
// costs excepted.
package trial

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"

	"targon"
	"targon/evidence"
)

// An Answer is one judged answer: what it does to the evidence, and how long it is.
type Answer struct {
	Tally  targon.Tally
	Bet    evidence.Bet
	Tokens uint32
	// Bets is the table that Bet comes of, nil where nothing was bet.
	Bets *evidence.Bets
	// Denied means that the verdict is a failure, and Undecided that it is none: with or
	// without evidence, such an answer earns nothing.
	Denied, Undecided bool
	// Uncalibrated means that no stratum of the pack holds the request.
	Uncalibrated bool
	Reason       targon.Reason // of the verdict, where there was one

	challenge bool // it is what challenges ask: temperature 1, no filter
}

// A Pool is what streams are resampled from.
type Pool []Answer

// Tokens returns how many ids the pool's answers have together.
func (p Pool) Tokens() (n uint64) {
	for _, a := range p {
		n += uint64(a.Tokens)
	}
	return n
}

// FlipRate returns the share of ids that are not the reference's winner.
func (p Pool) FlipRate() float64 {
	var m, f uint64
	for _, a := range p {
		matches, flips := a.Tally.Total()
		m, f = m+matches, f+flips
	}
	if f == 0 {
		return 0
	}
	return float64(f) / float64(m+f)
}

// UndecidedRate returns the share of ids that say nothing.
func (p Pool) UndecidedRate() float64 {
	var n uint64
	for _, a := range p {
		n += uint64(a.Tally.Undecided)
	}
	return float64(n) / float64(max(p.Tokens(), 1))
}

// logConvict is the threshold of package evidence: ceil(1e9 × ln 1250).
const logConvict = 7_130_898_831

// streams is from how many resampled streams a share or a mean is taken.
const streams = 2000

// each calls f for n streams, each with a generator of its own, on all processors.
func each(n int, seed uint64, f func(i int, rng *rand.Rand)) {
	const share = 64
	var wg sync.WaitGroup
	next := make(chan int, n/share+1)
	for lo := 0; lo < n; lo += share {
		next <- lo
	}
	close(next)
	for range workers() {
		wg.Go(func() {
			for lo := range next {
				for i := lo; i < min(lo+share, n); i++ {
					f(i, rand.New(rand.NewPCG(seed, uint64(i))))
				}
			}
		})
	}
	wg.Wait()
}

// evidenceAt returns the evidence after a number of ids, whole answers drawn with
// replacement, for each of many streams, sorted.
func (p Pool) evidenceAt(tokens uint64, seed uint64) []int64 {
	out := make([]int64, streams)
	each(streams, seed, func(i int, rng *rand.Rand) {
		var s evidence.Stream
		for n := uint64(0); n < tokens; {
			a := p[rng.IntN(len(p))]
			s.Add(a.Bet)
			n += uint64(a.Tokens)
		}
		out[i] = s.LogE()
	})
	slices.Sort(out)
	return out
}

// AUC is the probability that a stream of cheat has more evidence against it than one of
// honest, after a number of ids each; an equal amount counts half.
func AUC(honest, cheat Pool, tokens uint64, seed uint64) float64 {
	h, c := honest.evidenceAt(tokens, seed), cheat.evidenceAt(tokens, seed+1)
	wins, below := 0.0, 0
	for _, v := range c {
		for below < len(h) && h[below] < v {
			below++
		}
		equal := below
		for equal < len(h) && h[equal] == v {
			equal++
		}
		wins += float64(below) + float64(equal-below)/2
	}
	return wins / float64(len(h)) / float64(len(c))
}

// Caught says how soon streams of a pool are convicted.
type Caught struct {
	Mean, P95 float64 // ids until conviction; +Inf when a stream is not within the limit
	Share     float64 // of streams convicted within some number of ids
}

// Caught follows streams until they are convicted, for at most limit ids, and says what
// share was within a number of ids, but always within the first answer.
func (p Pool) Caught(within, limit uint64, seed uint64) Caught {
	took, first := p.follow(limit, seed)
	c := Caught{}
	for i, v := range took {
		c.Mean += v
		if v <= float64(within) || first[i] {
			c.Share++
		}
	}
	slices.Sort(took)
	c.P95 = took[streams*95/100]
	c.Mean /= streams
	c.Share /= streams
	return c
}

// follow returns how many ids each of many streams had when it was convicted, +Inf where
// it was not within the limit, and whether that was its first answer.
func (p Pool) follow(limit, seed uint64) (took []float64, first []bool) {
	took, first = make([]float64, streams), make([]bool, streams)
	each(streams, seed, func(i int, rng *rand.Rand) {
		var s evidence.Stream
		took[i] = math.Inf(1)
		for n := uint64(0); n < limit; {
			a := p[rng.IntN(len(p))]
			alone := n == 0
			s.Add(a.Bet)
			n += uint64(a.Tokens)
			if a.Bet.Rises() && s.LogE() >= logConvict {
				took[i], first[i] = float64(n), alone
				return
			}
		}
	})
	return took, first
}

// Refused is the share of single answers that earn nothing: denied, or too much of a
// coincidence for an honest prover.
func (p Pool) Refused() float64 {
	n := 0
	for _, a := range p {
		if a.Denied || a.Bet.Surprising() {
			n++
		}
	}
	return float64(n) / float64(max(len(p), 1))
}

// Power is the share of single answers of a cheat that a threshold tells from all but one
// in a thousand of the honest ones. What is denied for other reasons than margins is
// told, too.
func Power(honest, cheat Pool) float64 {
	var factors []int64
	for _, a := range honest {
		factors = append(factors, a.Bet.LogE())
	}
	slices.Sort(factors)
	if len(factors) == 0 || len(cheat) == 0 {
		return 0
	}
	threshold, n := factors[len(factors)-1-len(factors)/1000], 0
	for _, a := range cheat {
		if a.Denied && a.Reason != targon.ReasonMargin || a.Bet.LogE() > threshold {
			n++
		}
	}
	return float64(n) / float64(len(cheat))
}
