package proof

import (
	"fmt"

	"targon"
)

// Weigh compares a transcript that passed [Precheck] with the reference's scores where
// the two engines round differently, so that ids may differ by chance. It replays every
// draw and counts: the verdict carries the tally and the surprise, and Position,
// Claimed, Winner and Gap tell of the largest margin.
//
// How many flips are chance is not known here, so the verdict is Undecided, uncalibrated:
// [Settle] decides it with what a calibrated null says. Only a finish reason that
// contradicts the ids fails at once, for no rounding explains it.
//
// Wide is asked for as in [Judge]; a caller that has enough may stop, and the positions
// that were not wide enough are undecided.
func Weigh(t targon.Transcript, s targon.Scores, by Replay) (targon.Verdict, Ask) {
	v := about(t)
	marks, err := Margins(t, s, by)
	if err != nil {
		return end(v, targon.ReasonReference, err.Error()), Ask{}
	}
	if v.Surprise, err = Surprise(t, s); err != nil {
		return end(v, targon.ReasonReference, err.Error()), Ask{}
	}
	v.Tally = Tally(marks)
	if f := contradiction(t, endings(s)); f.kind != equal {
		return f.verdict(v), Ask{}
	}
	var ask Ask
	worst := Mark{}
	for j, m := range marks {
		if m.Margin > worst.Margin {
			worst = m
			v.Position, v.Claimed, v.Winner, v.Gap = uint32(j), m.Claimed, m.Winner, m.Margin
		}
		if m.Standing == Beyond && !ask.Wanted() {
			ask = Ask{Need: need(t, Model{Vocab: s.Vocab, Noise: by.Noise}, 2*len(s.Positions[j].Top))}
		}
	}
	if undecided := int(v.Tally.Undecided); 2*undecided > len(marks) {
		return end(v, targon.ReasonAmbiguous, fmt.Sprintf("%d of %d positions say nothing", undecided, len(marks))), ask
	}
	return end(v, targon.ReasonUncalibrated, "not held against a calibrated null"), ask
}

// Settle decides what Weigh left uncalibrated: whether this one answer is further from
// the reference than a calibrated null allows. Other verdicts return unchanged.
func Settle(v targon.Verdict, further bool) targon.Verdict {
	if v.Reason != targon.ReasonUncalibrated {
		return v
	}
	matches, flips := v.Tally.Total()
	detail := fmt.Sprintf("%d flips, %d matches, %d undecided, cross-entropy %+.1f σ", flips, matches, v.Tally.Undecided, v.Surprise.Z())
	if further {
		return end(v, targon.ReasonMargin, detail)
	}
	return end(v, targon.ReasonWithin, detail)
}

// contradiction looks for an end within the answer, and compares the finish reason with
// the last id.
func contradiction(t targon.Transcript, eos map[targon.TokenID]bool) finding {
	for j, id := range t.Tokens[:len(t.Tokens)-1] {
		if eos[id] {
			return finding{
				kind: ending, reason: targon.ReasonTermination, detail: "ids after the end of the answer",
				position: j + 1, claimed: t.Tokens[j+1], winner: id,
			}
		}
	}
	return finish(t, eos)
}
