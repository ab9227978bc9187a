package proof

import (
	"fmt"

	"targon"
	"targon/noise"
)

// Ask is what [Judge] wants before its verdict stands. The zero Ask wants nothing.
type Ask struct {
	// Confirm is set when the answer wanted is again: a second computation by the
	// portable kernels. Otherwise it is s.
	Confirm bool
	// Need is what to score for; Need.Top is 0 only in the zero Ask.
	Need targon.Need
}

// Wanted reports whether anything is wanted. The caller's loop is
//
//	v, ask := proof.Judge(t, s, nil)
//	for ask.Wanted() {
//		// score again for ask.Need: into again if ask.Confirm, else into s
//		v, ask = proof.Judge(t, s, again)
//	}
//
// It ends: each Need lists at least twice as many logits as the answer it replaces, and
// one that lists the whole vocabulary decides. A reference that returns less than asked
// breaks that, so a caller stops after [MaxAsks] and keeps the verdict, which is then
// Undecided.
func (a Ask) Wanted() bool { return a.Need.Top > 0 }

// MaxAsks is more often than Judge ever asks a reference that keeps to its Need: from 64
// ids to 2^31 by doubling, for the first computation and for the second.
const MaxAsks = 64

// Judge compares a transcript that passed [Precheck] with the reference's scores s.
//
// Every claimed id must be the seeded winner: the id with the highest value of
// noise.Perturb (at temperature 0 the highest logit), the lower id on equality, over the
// ids that the request's filters allow. An answer ends with its first end-of-sequence id and not before,
// unless it is of full length. The first position that is otherwise decides.
//
// A mismatch counts only if again, computed a second time by the portable kernels,
// gives the same position and the same winner. Until then the verdict is Undecided and
// Ask says what is wanted.
func Judge(t targon.Transcript, s targon.Scores, again *targon.Scores) (targon.Verdict, Ask) {
	v := about(t)
	first := examine(t, s)
	if first.kind != mismatch {
		return first.verdict(v), first.ask(t, s.Vocab, false)
	}
	if again == nil {
		v = end(v, targon.ReasonUnconfirmed, "mismatch is not confirmed yet")
		return v, Ask{Confirm: true, Need: need(t, Model{Vocab: s.Vocab}, first.top)}
	}
	second := examine(t, *again)
	switch second.kind {
	case broken, narrow:
		return second.verdict(v), second.ask(t, again.Vocab, true)
	case mismatch:
		if second.position == first.position && second.winner == first.winner {
			return first.verdict(v), Ask{}
		}
	case equal, ending: // all ids are winners: no confirmation
	}
	return end(v, targon.ReasonUnconfirmed, fmt.Sprintf("%s and %s kernels disagree at position %d",
		s.Kernel, again.Kernel, first.position)), Ask{}
}

// kind is what one set of scores says about a transcript.
type kind uint8

const (
	broken   kind = iota // the scores contradict themselves or the question
	narrow               // they list too little to know a winner
	equal                // every id is the winner, and the answer ends as it says
	mismatch             // an id is not the winner
	ending               // all ids are winners, the finish reason is not theirs
)

// finding is what one set of scores says, with the numbers.
type finding struct {
	kind     kind
	reason   targon.Reason // of mismatch and ending
	detail   string
	position int
	claimed  targon.TokenID
	winner   targon.TokenID
	gap      float64
	top      int // highest logits listed at the position
}

// verdict turns a finding into a verdict.
func (f finding) verdict(v targon.Verdict) targon.Verdict {
	switch f.kind {
	case equal:
		return end(v, targon.ReasonEqual, "")
	case mismatch, ending:
		v.Position, v.Claimed, v.Winner, v.Gap = uint32(f.position), f.claimed, f.winner, f.gap
		return end(v, f.reason, f.detail)
	case narrow:
		return end(v, targon.ReasonAmbiguous, f.detail)
	default:
		return end(v, targon.ReasonReference, f.detail)
	}
}

// ask asks for twice as much when a finding is narrow, and for nothing otherwise.
func (f finding) ask(t targon.Transcript, vocab int, confirm bool) Ask {
	if f.kind != narrow {
		return Ask{}
	}
	return Ask{Confirm: confirm, Need: need(t, Model{Vocab: vocab}, 2*f.top)}
}

// examine goes through the positions in order and stops at the first that decides.
func examine(t targon.Transcript, s targon.Scores) finding {
	if detail := unfit(t, s); detail != "" {
		return finding{kind: broken, detail: detail}
	}
	eos := endings(s)
	l := newListing(s.Vocab, noise.Profile{})
	for j, p := range s.Positions {
		if j > 0 && eos[t.Tokens[j-1]] {
			return finding{
				kind: ending, reason: targon.ReasonTermination, detail: "ids after the end of the answer",
				position: j, claimed: t.Tokens[j], winner: t.Tokens[j-1],
			}
		}
		f := l.winner(t.Request, j, p)
		f.position, f.claimed, f.top = j, t.Tokens[j], len(p.Top)
		if f.kind != equal {
			if f.kind == mismatch && (eos[f.claimed] || eos[f.winner]) {
				f.reason = targon.ReasonTermination
			}
			return f
		}
	}
	return finish(t, eos)
}

// finish compares the finish reason with the last id, all ids being winners.
//
// To say stop where the model did not is to cut an answer short, and evidence like any
// other id that the model did not give. To say length where the model happened to end
// at the limit gains nothing, and is a matter of structure.
func finish(t targon.Transcript, eos map[targon.TokenID]bool) finding {
	last := len(t.Tokens) - 1
	id := t.Tokens[last]
	f := finding{kind: ending, position: last, claimed: id, winner: id}
	switch stop := t.Receipt.Finish == targon.FinishStop; {
	case stop && !eos[id]:
		f.reason, f.detail = targon.ReasonTermination, "finish reason stop without an end-of-sequence id"
	case !stop && eos[id]:
		f.reason, f.detail = targon.ReasonStructure, "finish reason length after an end-of-sequence id"
	default:
		f.kind = equal
	}
	return f
}
