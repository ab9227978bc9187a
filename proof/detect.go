package proof

import (
	"targon"
	"targon/noise"
)

// Seeded is an answer that was drawn with a seed, and what the reference says about it.
type Seeded struct {
	Transcript targon.Transcript
	Scores     targon.Scores
}

// Detected is how well a noise profile explains seeded answers.
type Detected struct {
	Profile noise.Profile `json:"profile"`
	// Telling counts the positions at which noise decides: the profile's winner or the
	// claimed id is not that of the highest logit, and the winner is well ahead.
	Telling int `json:"telling"`
	Matches int `json:"matches"` // of these
}

// What it takes to be detected (own; honest seeded answers match at 98 % and more of all
// positions, arXiv 2511.20621, and with another noise at hardly any that is telling).
const (
	minTelling = 32
	tellingGap = 1.0 / 16
)

// fits reports more than 95 % matches.
func (d Detected) fits() bool { return d.Telling >= minTelling && 20*d.Matches > 19*d.Telling }

// Detect finds the noise that an engine draws with: the first of noise.Candidates that
// more than 95 % of the telling positions match, or false: then nobody knows how to
// replay that engine, and its answers are uncalibrated. Where none fits, the one that
// explains most is returned.
//
// Answers at temperature 0, filtered ones, whose noise may go by a rank that another
// machine's rounding moves, and those whose scores contradict themselves say nothing. The
// more the reference lists the better: a hundred ids a position are plenty.
func Detect(answers []Seeded) (Detected, bool) {
	var best Detected
	for _, p := range noise.Candidates() {
		d := Detected{Profile: p}
		for _, a := range answers {
			d.look(a)
		}
		if d.fits() {
			return d, true
		}
		if p == (noise.Profile{}) || d.Matches*best.Telling > best.Matches*d.Telling {
			best = d
		}
	}
	return best, false
}

func (d *Detected) look(a Seeded) {
	if by := a.Transcript.Request.Sampling; by.Temperature == 0 || by.Filtered() {
		return
	}
	marks, err := Margins(a.Transcript, a.Scores, Replay{Noise: d.Profile})
	if err != nil {
		return
	}
	for j, m := range marks {
		likeliest := a.Scores.Positions[j].Top[0].ID
		if !m.Decided() || m.Gap < tellingGap || m.Winner == likeliest && m.Claimed == likeliest {
			continue
		}
		d.Telling++
		if m.Standing == Match {
			d.Matches++
		}
	}
}
