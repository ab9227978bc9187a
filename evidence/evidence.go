// Package evidence multiplies verdicts into a running e-value of one prover in one
// month, and convicts when it grows too large to be chance.
//
// The null hypothesis is an honest prover whose answers disagree with the reference,
// after confirmation by a second kernel, with probability at most p = 1e-8 a request,
// whatever came before (own assumption: a flipped bit that neither error-correcting
// memory nor the second kernel caught). Each audited request is a bet of λ = 1e-4
// against it. The stake is lost when the answer agrees and comes back 1e4-fold when
// it does not:
//
//	E[factor | past] = (1-p) × 0.9999 + p × 1e4
//	                 ≤ (1-1e-8) × 0.9999 + 1e-8 × 1e4 = 1 - 0.9999e-8 < 1
//
// so the product is a supermartingale that starts at 1, and by Ville's inequality
// P(it ever reaches 1250) ≤ 1/1250 = 8e-4: less than one accusation in a thousand
// prover-months, whenever one looks and whoever chose the prompts (source of bet and
// threshold: own). The first mismatch among up to 20793 matching requests convicts;
// after more of them it takes a second one.
//
// That null is for engines that give the same bits. For any other pair of engines a
// [Pack] says how often an honest token flips, given by how much the verifier's own
// winner leads; [Bets] makes bets of it and a [Stream] multiplies them. The same
// threshold holds.
//
// The package does not decide what a mismatch is; package proof does, and calls nothing
// one that its second computation did not confirm. It knows no engine, shares nothing
// between provers or verifiers, and is not moved by timing, availability or malformed
// answers: those cost score, not honour.
//
// Invariant: integers only, rounded against conviction, so the same verdicts give the
// same bits on every machine, and no rounding ever convicts.
package evidence

import (
	"math"

	"targon"
)

// Logarithms are in units of 1e-9. Each is rounded so that conviction comes no earlier
// than the real numbers would have it.
const (
	logMatch    int64 = -100_006      // floor(1e9 × ln 0.9999) = floor(-100005.0003...)
	logMismatch int64 = 9_210_340_371 // floor(1e9 × ln 1e4) = floor(9210340371.976...)
	logConvict  int64 = 7_130_898_831 // ceil(1e9 × ln 1250) = ceil(7130898830.29...)
)

// New starts a month: e-value 1, nothing seen.
func New(prover targon.Hotkey, month targon.Month) targon.Evidence {
	return targon.Evidence{Prover: prover, Month: month}
}

// In returns the evidence to go on with in a month: e itself, or a fresh start when e
// belongs to another month. A conviction ends with its month.
func In(e targon.Evidence, month targon.Month) targon.Evidence {
	if e.Month == month {
		return e
	}
	return New(e.Prover, month)
}

// Update takes one verdict into account. Only two kinds move the e-value: a check whose
// ids all matched, and a confirmed mismatch. Everything else, and verdicts about
// another prover, return e unchanged. Callers pass every verdict and choose none: a bet
// that is called off after it was won or lost is no fair bet.
//
// A verdict does not say when it was reached: the caller brings e into the month of
// the receipt's arrival first, with [In]. Once convicted, e stays so; counting goes on.
func Update(e targon.Evidence, v targon.Verdict) targon.Evidence {
	if v.Prover != e.Prover || v.Weighed() { // by margins: a Stream's business
		return e
	}
	switch {
	case v.Mismatch():
		e.Mismatches = addCount(e.Mismatches, 1)
		e.LogE = addLog(e.LogE, logMismatch)
	case matched(v):
		e.Matches = addCount(e.Matches, 1)
		e.LogE = addLog(e.LogE, logMatch)
	default:
		return e
	}
	e.Tokens = addCount(e.Tokens, uint64(v.Tokens))
	if !e.Convicted && e.LogE >= logConvict {
		e.Convicted, e.ConvictedAt, e.Reason = true, e.Tokens, v.Reason
	}
	return e
}

// matched reports that every id of an audited answer was the seeded winner. So it was
// where proof found afterwards that the ids came at once (proof.Streamed judges nothing
// else): timing takes the score away, and changes nothing about the ids.
func matched(v targon.Verdict) bool {
	return v.Reason == targon.ReasonEqual || v.Reason == targon.ReasonBuffered || v.Reason == targon.ReasonBufferedLone
}

// addCount adds without wrapping: a counter that is full stays full.
func addCount(a, b uint64) uint64 {
	if a > math.MaxUint64-b {
		return math.MaxUint64
	}
	return a + b
}

// addLog adds without wrapping in either direction: a wrapped logarithm would convict
// the most honest prover of all, or free the worst.
func addLog(a, b int64) int64 {
	switch {
	case b > 0 && a > math.MaxInt64-b:
		return math.MaxInt64
	case b < 0 && a < math.MinInt64-b:
		return math.MinInt64
	}
	return a + b
}
