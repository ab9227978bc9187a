package evidence

import (
	"math"

	"targon"
	"targon/noise"
)

// The alternatives that are bet on, one process each. Their shares of the stake and
// all their constants are own.
//
// An ordinary id of a class flips at most at the bound p if the prover is honest. An
// alternative says max(p, q): q is the pack's usual rate at a gap narrower by a factor,
// which is what the same noise, widened by that factor, would do; or a flat rate. A
// match then never multiplies by more than 1, so a prover gains nothing by flipping
// less than the bound allows.
//
// Positions at which an end-of-sequence id won are a signal of their own: there are few,
// and one that was passed over must not drown among hundreds of matches. An end that was
// claimed where another id won is a flip like any other: if it were bet on apart, its
// position would be in the bet only when it is lost.
const (
	widened      = 6
	flat         = 3
	endings      = 2
	Alternatives = widened + flat + endings
)

// widths in quarters of an octave: 2^(6/4) = 2.8, 9.5, 32, 108, 304, 1024, for noise
// 3, 10, 30, 100, 300, 1000 times as wide.
var widths = [widened]int{6, 13, 20, 27, 33, 40}

// rates are the flat alternatives, in parts per billion.
var (
	flatRates   = [flat]uint32{3_000_000, 30_000_000, 300_000_000}
	endingRates = [endings]uint32{30_000_000, 300_000_000}
)

// shares of the stake in 1/1000: each ordinary process 100, each of endings 50.
var shares = [Alternatives]float64{0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.05, 0.05}

const (
	// noBet is the bound from which on a class is not bet on.
	noBet uint32 = ppb / 2
	// highest is the largest alternative.
	highest uint32 = 900_000_000
	// logCap is floor(1e9 × ln 1e6): one answer multiplies no process by more.
	logCap int64 = 13_815_510_557
)

// A Bet is what one answer does to each process: natural logarithms in units of 1e-9,
// rounded down.
type Bet [Alternatives]int64

// Bets turns tallies of one stratum into bets.
type Bets struct {
	match, flip [targon.GapClasses]Bet
	bounds      [targon.GapClasses]uint32
}

// Bets works out the table of a stratum, which takes some milliseconds. Equal packs
// give equal tables on every machine.
func (p Pack) Bets(stratum int) *Bets { return newBets(p.bounds(stratum), p.usual(stratum)) }

func newBets(bounds, usual [targon.GapClasses]uint32) *Bets {
	b := &Bets{bounds: bounds}
	for c, bound := range b.bounds {
		if bound >= noBet {
			continue
		}
		for a, width := range widths {
			b.set(c, a, bound, usual[max(c-width, 0)])
		}
		for a, rate := range flatRates {
			b.set(c, widened+a, bound, rate)
		}
		for a, rate := range endingRates {
			b.set(c, widened+flat+a, bound, rate)
		}
	}
	return b
}

// set fills in what alternative a pays in class c.
func (b *Bets) set(c, a int, bound, rate uint32) {
	rate = min(max(rate, bound), highest)
	if rate == bound {
		return // factor 1 both ways
	}
	b.flip[c][a] = floorLog(float64(rate) / float64(bound))
	b.match[c][a] = floorLog(float64(ppb-rate) / float64(ppb-bound))
}

// floorLog is the logarithm in units of 1e-9, rounded down by at least 1e-9 and so, the
// error of the logarithm and of its argument being far smaller, never up.
func floorLog(x float64) int64 {
	return int64(math.Floor(float64(1e9*noise.Log(x)))) - 1
}

// Bound returns the bound of a class in parts per billion, 1e9 when there is none.
func (b *Bets) Bound(c targon.GapClass) uint32 { return b.bounds[c] }

// Of returns what an answer does to the processes. The tally must be valid.
func (b *Bets) Of(t targon.Tally) Bet {
	var out Bet
	for _, c := range t.Ids {
		b.add(&out, c, 0, widened+flat)
	}
	for _, c := range t.Endings {
		b.add(&out, c, widened+flat, Alternatives)
	}
	for a := range out {
		out[a] = min(out[a], logCap)
	}
	return out
}

// add multiplies by what the positions of one class do to processes lo to hi. Nothing
// overflows: 98 classes of 2^17 positions of at most 2^34.
func (b *Bets) add(out *Bet, c targon.GapCount, lo, hi int) {
	for a := lo; a < hi; a++ {
		out[a] += int64(c.Matches)*b.match[c.Class][a] + int64(c.Flips)*b.flip[c.Class][a]
	}
}

// Rises reports whether any process grows. Where none does, evidence cannot.
func (b Bet) Rises() bool {
	for _, v := range b {
		if v > 0 {
			return true
		}
	}
	return false
}

// logSurprising is ceil(1e9 × ln 1000).
const logSurprising int64 = 6_907_755_279

// Surprising reports whether one answer alone would be too much of a coincidence for an
// honest prover: its factor, averaged over the processes, is at least 1000, which
// happens by chance to one answer in a thousand at most (Markov). Such an answer earns
// nothing; whether its prover is convicted is for the [Stream].
func (b Bet) Surprising() bool { return b.LogE() >= logSurprising }

// LogE is the logarithm of the factor averaged over the processes, rounded down.
func (b Bet) LogE() int64 { return average([]Bet{b}, []float64{1}, 0) }

// average returns the logarithm of rest + the sum over processes of weight × share ×
// e^log, rounded down. The order is fixed, and all functions are noise's.
func average(logs []Bet, weights []float64, rest float64) int64 {
	top := int64(0)
	for _, l := range logs {
		for _, v := range l {
			top = max(top, v)
		}
	}
	sum := float64(rest * noise.Exp(-float64(float64(top)*1e-9)))
	for k, l := range logs {
		for a, v := range l {
			// The difference may pass the smallest float: that adds 0, as it should.
			sum += float64(float64(weights[k]*shares[a]) * noise.Exp(float64(float64(v-top)*1e-9)))
		}
	}
	return top + floorLog(sum)
}
