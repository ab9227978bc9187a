// Package proof decides whether a transcript is what the claimed model gives.
//
// [Precheck] looks at signature, commitment and structure, and says what it must know
// from the reference. [Judge] compares every claimed id with the seeded winner under the
// reference's scores. Between the two lies the only expensive step, one prefill, which
// the caller does; so a verifier, an offline re-check and a replay from the ledger run
// the same two functions.
//
// That holds for deterministic engines, which give the same logits as the reference bit
// for bit. For others [Weigh] takes the place of Judge: it replays every draw with the
// noise of the prover's engine ([Detect] finds which that is), counts by how much the
// reference's winner led where an id differs, and sums up how unlikely the ids are. What
// of it is chance only a calibrated null can say (package evidence); [Settle] puts that
// into the verdict.
//
// The comparators of earlier versions of Targon are here to be measured, not to judge
// ([Comparators]). The package does not multiply verdicts (package evidence), price them
// (package score), or decide what is audited (package challenge).
//
// Invariant: a verdict is Failed only by the prover's own signed words. Whatever could
// be a fault of ours ends in Undecided: a reference that contradicts itself, two
// computations that disagree, numbers that do not suffice.
package proof

import (
	"fmt"

	"targon"
	"targon/noise"
	"targon/sign"
)

// Model is what a check must know about the model before it is run.
type Model struct {
	Vocab int           // ids from 0 to Vocab-1 exist
	Noise noise.Profile // what the prover draws with; the zero profile is ours
}

// Precheck judges all that needs no model: the receipt's signature, that it answers this
// request, that it commits to these ids, and that counts, limits and finish reason do
// not contradict each other. If it returns true, the check goes on: score the ids
// with Need and pass the result to [Judge]; the verdict is then Undecided and stands
// only if nobody can score. If it returns false, the verdict is final.
//
// What fails here costs score but is never evidence: a broken client could do it.
func Precheck(t targon.Transcript, m Model) (targon.Verdict, targon.Need, bool) {
	v := about(t)
	if err := ours(t.Request, m); err != nil {
		return end(v, targon.ReasonOurs, err.Error()), targon.Need{}, false
	}
	if err := sign.Verify(t.Request.Prover, t.Receipt.Message(), t.Receipt.Signature); err != nil {
		return end(v, targon.ReasonSignature, err.Error()), targon.Need{}, false
	}
	if detail := commitment(t); detail != "" {
		return end(v, targon.ReasonChain, detail), targon.Need{}, false
	}
	if v, ok := structure(v, t, m); !ok {
		return v, targon.Need{}, false
	}
	return end(v, targon.ReasonReference, "not scored"), need(t, m, first(t.Request.Sampling)), true
}

// about starts the verdict on a transcript.
func about(t targon.Transcript) targon.Verdict {
	return targon.Verdict{
		Request: t.Request.Digest(), Receipt: t.Receipt.Digest(), Prover: t.Request.Prover,
		Tokens: uint32(len(t.Tokens)),
	}
}

// end gives a verdict its reason, and with it its outcome.
func end(v targon.Verdict, r targon.Reason, detail string) targon.Verdict {
	v.Reason, v.Outcome, v.Detail = r, r.Outcome(), detail
	return v
}

// ours reports what is wrong with the question. Nobody is blamed for answering it.
func ours(r targon.Request, m Model) error {
	if err := r.Validate(); err != nil {
		return err
	}
	for i, id := range r.Prompt {
		if int(id) >= m.Vocab {
			return fmt.Errorf("prompt id %d at position %d, model of %d ids", id, i, m.Vocab)
		}
	}
	return nil
}

// commitment says how the receipt's hashes differ from what was asked and streamed.
func commitment(t targon.Transcript) string {
	want := targon.ReceiptFor(t.Request, t.Tokens, t.Receipt.Finish)
	switch {
	case t.Receipt.Request != want.Request:
		return "receipt is for another request"
	case t.Receipt.Chain != want.Chain:
		return "receipt commits to other ids"
	}
	return ""
}

// structure checks counts, limits, finish reason and range, in this order.
func structure(v targon.Verdict, t targon.Transcript, m Model) (targon.Verdict, bool) {
	n, r := len(t.Tokens), t.Receipt
	detail := ""
	switch {
	case uint64(r.PromptTokens) != uint64(len(t.Request.Prompt)):
		detail = fmt.Sprintf("receipt counts %d prompt ids of %d", r.PromptTokens, len(t.Request.Prompt))
	case uint64(r.Tokens) != uint64(n):
		detail = fmt.Sprintf("receipt counts %d ids of %d", r.Tokens, n)
	case n == 0:
		detail = "no ids"
	case uint64(n) > uint64(t.Request.MaxTokens):
		detail = fmt.Sprintf("%d ids, limit %d", n, t.Request.MaxTokens)
	case r.Finish == targon.FinishLength && uint64(n) != uint64(t.Request.MaxTokens):
		detail = fmt.Sprintf("finish reason length after %d ids of %d", n, t.Request.MaxTokens)
	case r.Finish != targon.FinishLength && r.Finish != targon.FinishStop:
		detail = fmt.Sprintf("finish reason %v", r.Finish)
	}
	if detail != "" {
		return end(v, targon.ReasonStructure, detail), false
	}
	for i, id := range t.Tokens {
		if id < 0 || int(id) >= m.Vocab {
			v.Position, v.Claimed = uint32(i), id
			return end(v, targon.ReasonStructure, fmt.Sprintf("id outside the model's %d", m.Vocab)), false
		}
	}
	return v, true
}
