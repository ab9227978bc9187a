// Package score turns an epoch's checked requests into one number a prover.
//
// The policy is [Throughput], the reward of Targon 1.9.9: tokens a second, raised
// exponentially against the average, smoothed over epochs. It does not check
// answers (package proof), does not convict (package evidence) and does not make weights
// (package weights); who is convicted gets its score here and its zero there.
//
// # What changed from 1.9.9, and why
//
//   - Only requests that were audited and passed are speed; the original counted what
//     text similarity let through. Tokens are ids, not stream chunks, and time runs
//     from the request to the last id on the verifier's clock.
//   - Failures were part of the average that others are compared with, so one's failure
//     raised all others. Here the average and the maximum are made of passed requests
//     alone: adding a failure changes nobody else's score by a single bit.
//   - The maximum never decayed, so one burst of speed, or one glitch of a clock,
//     flattened the curve for ever. Here it falls towards the present at the rate at
//     which everything else is smoothed.
//   - The average began at 10 tokens a second. With faster provers that made the first
//     steps worth up to e^10 of later ones. Here it begins at the first epoch's mean.
//   - Nothing decayed for who was no longer asked. Here every epoch counts.
//
// The minimum began at 0 and could not rise, so the range was the maximum; it is so
// here by definition. A range is then never near 0, and equal provers whose times
// differ by 1 % have rewards that differ by about 11 % (e^0.1 × 1.01): no race of
// noise decides it all.
//
// Invariant: sums are integers, everything is sorted by hotkey or UID, and no product
// and sum can be fused, so the same samples in any order give the same bits on every
// machine.
package score

import (
	"bytes"
	"cmp"
	"math/bits"
	"slices"
	"time"

	"targon"
	"targon/noise"
	"targon/proof"
)

// Sample is one request of the epoch and what became of it. Passed and Failed are the
// outcome of its verdict; neither means Undecided, such as not drawn for audit.
type Sample struct {
	UID    targon.UID
	Hotkey targon.Hotkey
	Origin targon.Origin
	// Tokens is how many ids a complete answer had, 0 if no receipt came.
	Tokens uint32
	// Total is from sending the request to the last id, on the verifier's clock.
	Total time.Duration
	// Passed: audited and passed. Failed: failed, for whatever reason.
	Passed, Failed bool
	// Buffered: all ids came at once while another prover streamed normally.
	Buffered bool
}

// Standing is one prover's smoothed reward.
type Standing struct {
	Hotkey targon.Hotkey
	Value  float64
}

// Book is what the policy carries from epoch to epoch. The zero Book is the start, and
// folding all epochs of a ledger over it gives the present one.
type Book struct {
	Average   float64    // smoothed mean speed, tokens a second; 0 before the first
	Max       float64    // highest speed, falling towards the present
	Standings []Standing // sorted by hotkey
}

// Of returns a prover's smoothed reward. It belongs to the hotkey: whoever takes over a
// UID starts at 0.
func (b Book) Of(h targon.Hotkey) float64 {
	i, ok := slices.BinarySearchFunc(b.Standings, h, func(s Standing, h targon.Hotkey) int {
		return bytes.Compare(s.Hotkey[:], h[:])
	})
	if !ok {
		return 0
	}
	return b.Standings[i].Value
}

// The constants of 1.9.9 (neurons/validator: moving_average_alpha 0.1, factor 10, and
// 1e-7 tokens a second for a request that failed).
const (
	defaultAlpha  = 0.1
	defaultFactor = 10
	failedSpeed   = 1e-7
	// forgotten is the standing below which a hotkey is dropped.
	forgotten = 1e-9
)

// Throughput is the policy. The zero value has the constants of 1.9.9.
type Throughput struct {
	Alpha  float64 // weight of this epoch against all before, at most 1; 0 means 0.1
	Factor float64 // how steeply speed is rewarded, at most 100; 0 means 10
}

// Close ends an epoch: it folds samples into the book and returns one score for each of
// provers, sorted by UID. It changes neither argument.
//
// With v a prover's speed, A the average and M the maximum, both with this epoch in:
//
//	reward  = share × v × exp(Factor × (v - A) / M)
//	average = Alpha × reward + (1 - Alpha) × average before
//
// where share is the part of its requests that did not fail; those that did are
// rewarded as 1e-7 tokens a second. Who passed nothing has reward 0. Organic tokens count up to
// as many as the prover's challenge tokens, with their part of the time.
//
// The score is the new average; but it is 0 in an epoch in which all that the prover was
// asked failed, such as when it was silent, or in which it buffered nine in ten of its
// audited answers of 32 ids or more. An epoch in which nobody passed anything was no
// measurement, and changes no average. Samples of hotkeys that are not among provers do
// not count.
func (t Throughput) Close(b Book, provers []targon.Neuron, samples []Sample) (Book, []targon.Score) {
	tallies := tally(provers, samples)
	speeds, fastest := speeds(provers, tallies)
	next := Book{Average: b.Average, Max: b.Max, Standings: slices.Clone(b.Standings)}
	if len(speeds) > 0 {
		next.observe(t.alpha(), mean(speeds), fastest)
		next.Standings = nil
		for _, h := range everyone(b, provers) {
			reward := t.reward(next, tallies[h])
			value := blend(t.alpha(), reward, b.Of(h))
			if value >= forgotten {
				next.Standings = append(next.Standings, Standing{Hotkey: h, Value: value})
			}
		}
	}
	scores := make([]targon.Score, 0, len(provers))
	for _, n := range provers {
		s := targon.Score{UID: n.UID, Hotkey: n.Hotkey, Value: next.Of(n.Hotkey)}
		if tallies[n.Hotkey].worthless() {
			s.Value = 0
		}
		scores = append(scores, s)
	}
	slices.SortFunc(scores, func(a, b targon.Score) int { return cmp.Compare(a.UID, b.UID) })
	return next, scores
}

func (t Throughput) alpha() float64  { return cmp.Or(t.Alpha, defaultAlpha) }
func (t Throughput) factor() float64 { return cmp.Or(t.Factor, defaultFactor) }

// blend is the moving average. The conversions forbid a fused multiply-add.
func blend(alpha, now, before float64) float64 {
	return float64(alpha*now) + float64((1-alpha)*before)
}

// observe takes this epoch's speeds into average and maximum. Since the average follows
// means and the maximum follows maxima at the same rate, Average ≤ Max always holds,
// and the exponent of a reward stays within ± Factor.
func (b *Book) observe(alpha, mean, fastest float64) {
	if b.Max == 0 {
		b.Average, b.Max = mean, fastest
		return
	}
	b.Average = blend(alpha, mean, b.Average)
	b.Max = max(fastest, blend(alpha, fastest, b.Max))
}

// reward is what one prover earned in this epoch.
func (t Throughput) reward(b Book, c *counts) float64 {
	if c == nil || c.tokens() == 0 {
		return 0
	}
	share := c.share()
	return float64(share*t.curve(b, c.speed())) + float64((1-share)*t.curve(b, failedSpeed))
}

// curve is the reward of one speed.
func (t Throughput) curve(b Book, v float64) float64 {
	return v * noise.Exp(t.factor()*(v-b.Average)/b.Max)
}

// everyone returns all hotkeys that have a standing or are provers, sorted.
func everyone(b Book, provers []targon.Neuron) []targon.Hotkey {
	var out []targon.Hotkey
	for _, s := range b.Standings {
		out = append(out, s.Hotkey)
	}
	for _, n := range provers {
		out = append(out, n.Hotkey)
	}
	slices.SortFunc(out, func(a, b targon.Hotkey) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(out)
}

// speeds returns the speeds of the provers that passed anything, sorted, and the highest.
func speeds(provers []targon.Neuron, tallies map[targon.Hotkey]*counts) (out []float64, fastest float64) {
	for _, n := range provers {
		if c := tallies[n.Hotkey]; c.tokens() > 0 {
			out = append(out, c.speed())
			fastest = max(fastest, c.speed())
		}
	}
	slices.Sort(out)
	return out, fastest
}

func mean(sorted []float64) float64 {
	sum := 0.0
	for _, v := range sorted {
		sum += v
	}
	return sum / float64(len(sorted))
}

// counts are one prover's sums over an epoch, integers all.
type counts struct {
	passed     [2]uint64 // requests, of challenges and organic
	ids        [2]uint64 // tokens of those
	nanos      [2]uint64 // time of those
	failed     uint64    // complete answers that failed
	answered   uint64    // complete answers, audited or not, the failed included
	unanswered uint64    // requests that failed without an answer
	long       int       // audited answers of at least 32 ids that passed, or failed only by buffering
	buffered   int       // of those, how many came at once
}

const (
	challenge = iota
	organic
)

// tally sums up the samples of each prover; the others have nil.
func tally(provers []targon.Neuron, samples []Sample) map[targon.Hotkey]*counts {
	out := map[targon.Hotkey]*counts{}
	for _, n := range provers {
		out[n.Hotkey] = &counts{}
	}
	for _, s := range samples {
		if c := out[s.Hotkey]; c != nil {
			c.add(s)
		}
	}
	return out
}

// add takes in one sample. A passed answer that took no time is a fault of our clock and
// counts for nothing; a buffered one is a failure whatever its ids.
func (c *counts) add(s Sample) {
	failed := s.Failed || s.Buffered
	if s.Tokens == 0 {
		if failed {
			c.unanswered++
		}
		return
	}
	c.answered++
	if s.Tokens >= proof.BurstTokens && (s.Passed || s.Buffered) {
		c.long++
		if s.Buffered {
			c.buffered++
		}
	}
	switch {
	case failed:
		c.failed++
	case s.Passed && s.Total > 0:
		kind := challenge
		if s.Origin == targon.OriginOrganic {
			kind = organic
		}
		c.passed[kind]++
		c.ids[kind] += uint64(s.Tokens)
		c.nanos[kind] += uint64(s.Total)
	}
}

// tokens returns how many tokens count: organic ones at most as many as challenges'.
func (c *counts) tokens() uint64 {
	return c.ids[challenge] + min(c.ids[organic], c.ids[challenge])
}

// speed returns counted tokens a second, an organic answer's time being cut in the same
// proportion as its tokens. Call it only if tokens is not 0.
func (c *counts) speed() float64 {
	nanos := c.nanos[challenge]
	if c.ids[organic] > 0 {
		hi, lo := bits.Mul64(c.nanos[organic], min(c.ids[organic], c.ids[challenge]))
		cut, _ := bits.Div64(hi, lo, c.ids[organic]) // ≤ nanos, so it does not overflow
		nanos += cut
	}
	return float64(c.tokens()) / (float64(nanos) / float64(time.Second))
}

// share returns the part of the requests that did not fail. Failures without an answer
// are known of every request, failed answers only of audited ones, so the two are
// estimated apart: answered of asked × passed of audited. Organic passes count like
// organic tokens, at most as many as challenges', or users who are the prover's
// friends could thin out its failures.
func (c *counts) share() float64 {
	passed := c.passed[challenge] + min(c.passed[organic], c.passed[challenge])
	answers := float64(c.answered) / float64(c.answered+c.unanswered)
	passes := float64(passed) / float64(passed+c.failed)
	return float64(answers * passes) // rounded here: callers subtract it
}

// worthless reports that the epoch's score is 0 whatever the average says.
func (c *counts) worthless() bool {
	allFailed := c.answered == c.failed && c.failed+c.unanswered > 0
	return allFailed || proof.Buffering(c.long, c.buffered)
}
