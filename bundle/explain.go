package bundle

import (
	"fmt"
	"math"
	"strings"

	"targon"
	"targon/evidence"
	"targon/noise"
	"targon/proof"
)

// Explain says in words what the verdict is and why. spell gives the text of an id; nil
// where no model is at hand.
func Explain(b Bundle, spell func(targon.TokenID) string) string {
	v := b.Judged.Verdict
	x := explainer{b: b, spell: spell}
	head := fmt.Sprintf("%s: ", v.Outcome)
	switch v.Reason {
	case targon.ReasonEqual:
		return head + fmt.Sprintf("each of the %d ids is the one that the seeded draw gives under the claimed model.", v.Tokens)
	case targon.ReasonMismatch, targon.ReasonTermination:
		return head + x.mismatch()
	case targon.ReasonWithin, targon.ReasonMargin, targon.ReasonUncalibrated:
		return head + x.margins()
	case targon.ReasonSignature:
		return head + "the receipt is not signed by the prover."
	case targon.ReasonChain:
		return head + "the receipt commits to other ids than were streamed."
	case targon.ReasonStructure:
		return head + "counts, ids and finish reason contradict each other."
	case targon.ReasonBuffered:
		return head + "the ids are right, but they all came at once while another prover streamed."
	case targon.ReasonBufferedLone:
		return head + "the ids are right; they all came at once, and nobody streamed meanwhile to compare with."
	default:
		return head + strings.ReplaceAll(v.Reason.String(), "_", " ") + ", which counts for nobody and against nobody."
	}
}

type explainer struct {
	b     Bundle
	spell func(targon.TokenID) string
}

// id names an id, with its text if that is known.
func (x explainer) id(id targon.TokenID) string {
	if x.spell == nil {
		return fmt.Sprintf("id %d", id)
	}
	return fmt.Sprintf("id %d (%q)", id, x.spell(id))
}

// place is the worst position: what was claimed, what won, by how much, and how likely
// the claim was.
func (x explainer) place() string {
	v := x.b.Judged.Verdict
	most := ""
	if x.b.margins() && v.Gap >= proof.MarginClip {
		most = " or more"
	}
	out := fmt.Sprintf("position %d has %s where the draw gives %s, which is ahead by %.4g%s", v.Position, x.id(v.Claimed), x.id(v.Winner), v.Gap, most)
	if s := x.b.Scores; s != nil && int(v.Position) < len(s.Positions) {
		p := s.Positions[v.Position]
		out += fmt.Sprintf("; the model gives the claim a probability of %.3g %% at temperature 1, rank %d", 100*noise.Exp(p.LogProb), p.Rank+1)
	}
	return out
}

func (x explainer) mismatch() string {
	v := x.b.Judged.Verdict
	if v.Claimed == v.Winner { // it is about where the answer ends
		return fmt.Sprintf("the answer does not end where its ids do, at position %d, %s.", v.Position, x.id(v.Claimed))
	}
	return x.place() + ". The engine is deterministic, so an honest prover never differs" + x.confirmed() + "."
}

func (x explainer) confirmed() string {
	if x.b.Again == nil || x.b.Scores == nil || x.b.Again.Kernel == x.b.Scores.Kernel {
		return ""
	}
	return fmt.Sprintf("; kernels %s and %s agree", x.b.Scores.Kernel, x.b.Again.Kernel)
}

func (x explainer) margins() string {
	v := x.b.Judged.Verdict
	matches, flips := v.Tally.Total()
	out := fmt.Sprintf("%d ids are those of the draw, %d are others, %d say nothing; cross-entropy is %+.1f standard deviations off",
		matches, flips, v.Tally.Undecided, v.Surprise.Z())
	if v.Gap > 0 {
		out += ". Worst: " + x.place()
	}
	bet, ok := evidence.BetOf(v.Bet)
	switch logE := bet.LogE(); {
	case !ok:
		return out + ". No calibration pack holds such a request, so this says nothing."
	case logE > 0:
		e := noise.Exp(float64(logE) * 1e-9)
		return out + fmt.Sprintf(". The evidence against the prover is multiplied by %.4g: an honest one is this far off in at most one answer of %.0f.", e, math.Floor(e))
	default:
		return out + fmt.Sprintf(". The evidence against the prover is multiplied by %.4g: this is what honest ones look like.", noise.Exp(float64(logE)*1e-9))
	}
}
