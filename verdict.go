package targon

import "fmt"

// Outcome is what a check concluded. A prover's failure is an outcome; a failure
// of ours is an error, or Undecided.
type Outcome uint8

// Outcomes. The zero value is no verdict.
const (
	OutcomeNone Outcome = iota
	Passed
	Failed
	Undecided
)

var outcomeNames = [...]string{"none", "passed", "failed", "undecided"}

// String returns the word used everywhere.
func (o Outcome) String() string {
	if int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return fmt.Sprintf("outcome(%d)", uint8(o))
}

// MarshalText returns the word used everywhere.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText reads the word used everywhere.
func (o *Outcome) UnmarshalText(b []byte) error {
	for i, n := range outcomeNames {
		if n == string(b) {
			*o = Outcome(i)
			return nil
		}
	}
	return fmt.Errorf("outcome %q is not known", b)
}

// Reason says, for machines, what decided a verdict. Numbers are stored in
// ledgers: append, never reorder.
type Reason uint8

// Reasons, grouped by outcome.
const (
	ReasonNone Reason = iota

	// Passed.
	ReasonEqual // every claimed id is the seeded winner under the reference

	// Failed, by the prover's own signed words. Only mismatches are evidence.
	ReasonMismatch    // a claimed id is not the seeded winner, confirmed by a second kernel
	ReasonTermination // an end-of-sequence id, or its absence, is the mismatch
	ReasonSignature   // the receipt is not signed by the prover
	ReasonChain       // the receipt commits to other ids than were streamed
	ReasonStructure   // ids out of range, counts or finish reason contradict each other
	ReasonBuffered    // all ids came at once at the end
	ReasonIncomplete  // no full answer before the deadline
	ReasonRefused     // refused to answer
	ReasonGone        // could not be reached
	ReasonBusy        // busy below the capacity that it had signed

	// Undecided: neutral.
	ReasonNotDrawn     // the audit draw said no
	ReasonUnconfirmed  // our two kernels disagree: a fault of ours
	ReasonReference    // the reference could not score it
	ReasonNoBlock      // no finalised block came to draw with
	ReasonRestart      // the text was lost in a restart of ours
	ReasonSpoolFull    // the spool could not hold the text
	ReasonTooEarly     // the prover had just restarted
	ReasonBusyNeutral  // busy above the signed capacity
	ReasonAborted      // the user went away
	ReasonOurs         // our own failure
	ReasonAmbiguous    // the reference's numbers did not suffice
	ReasonBufferedLone // came at once, but nobody else streamed normally then
	ReasonOptedOut     // the user asked for no audit
	ReasonUncalibrated // no null is known for this pair of engines

	// Later ones, of several outcomes.
	ReasonWithin // passed: no further from the reference than a calibrated null allows
	ReasonMargin // failed: further than that, in one answer
	reasonEnd
)

var reasonNames = [...]string{
	"none", "equal",
	"mismatch", "termination", "signature", "chain", "structure", "buffered", "incomplete", "refused", "gone", "busy",
	"not_drawn", "unconfirmed", "reference", "no_block", "restart", "spool_full", "too_early", "busy_neutral", "aborted", "ours",
	"ambiguous", "buffered_lone", "opted_out", "uncalibrated", "within", "margin",
}

// String returns the snake_case word used in JSON and metrics.
func (r Reason) String() string {
	if r < reasonEnd {
		return reasonNames[r]
	}
	return fmt.Sprintf("reason(%d)", uint8(r))
}

// MarshalText returns the snake_case word.
func (r Reason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads the snake_case word.
func (r *Reason) UnmarshalText(b []byte) error {
	for i, n := range reasonNames {
		if n == string(b) {
			*r = Reason(i)
			return nil
		}
	}
	return fmt.Errorf("reason %q is not known", b)
}

// Outcome returns the outcome that a reason belongs to.
func (r Reason) Outcome() Outcome {
	switch {
	case r == ReasonNone || r >= reasonEnd:
		return OutcomeNone
	case r == ReasonEqual || r == ReasonWithin:
		return Passed
	case r < ReasonNotDrawn || r == ReasonMargin:
		return Failed
	default:
		return Undecided
	}
}

// Verdict is what one check concluded about one exchange, with the numbers that
// decided it, so that anyone can look again.
type Verdict struct {
	Request Digest  `json:"request"` // which exchange
	Receipt Digest  `json:"receipt"` // zero when none came
	Prover  Hotkey  `json:"prover"`
	Outcome Outcome `json:"outcome"`
	Reason  Reason  `json:"reason"`
	Tokens  uint32  `json:"tokens"` // ids that the check covered
	// The offending position, for mismatch, termination and structure; of a check by
	// margins the one of the largest margin.
	Position uint32  `json:"position"`
	Claimed  TokenID `json:"claimed"`
	Winner   TokenID `json:"winner"`
	Gap      float64 `json:"gap"` // noisy score of Winner minus that of Claimed
	Detail   string  `json:"detail,omitempty"`
	// Of checks by margins; zero where ids were compared for equality.
	Tally    Tally    `json:"tally,omitzero"`
	Surprise Surprise `json:"surprise,omitzero"`
	// Nulls are what it was held against, sorted by pack: together the worst that is
	// admissible. Empty if no pack holds such a request.
	Nulls []Null `json:"nulls,omitempty"`
	// Bet is what it did to each process of the evidence: logarithms in units of 1e-9.
	// Empty if it is no evidence.
	Bet []int64 `json:"bet,omitempty"`
}

// Weighed reports whether the verdict carries what a check by margins counted. It is
// evidence by its counts then, and not by its reason.
func (v Verdict) Weighed() bool {
	return len(v.Tally.Ids)+len(v.Tally.Endings) > 0 || v.Tally.Undecided > 0 || v.Surprise != (Surprise{})
}

// Mismatch reports whether the verdict is evidence of a cheat: a signed answer
// that the claimed model did not give.
func (v Verdict) Mismatch() bool {
	return v.Outcome == Failed && !v.Weighed() && (v.Reason == ReasonMismatch || v.Reason == ReasonTermination)
}
