package proof

import (
	"fmt"

	"targon"
)

// An End is where an answer claims to have come to its end although another id had won
// the draw.
type End struct {
	Position int
	Claimed  targon.TokenID
	Winner   targon.TokenID
	Margin   float64 // the winner's value less the claim's, at most MarginClip
	// Lags are, for each position up to this one, the class of what an end-of-sequence id
	// lacked to win: at least so much. Class 0 is none, or not known.
	Lags []targon.GapClass
}

// FalseEnd looks at the last id of an answer, and only if that is an end which did not
// win, at all ids before it. One draw decides such an answer's length, so it is a flip
// like any other to the evidence and tells little; but an honest prover could have made
// the same claim at each position before. What that has of chance is for package
// evidence to say. The error is an [ErrReference].
func FalseEnd(t targon.Transcript, s targon.Scores, by Replay) (End, bool, error) {
	if detail := unfit(t, s); detail != "" {
		return End{}, false, fmt.Errorf("%w: %s", ErrReference, detail)
	}
	r := race{listing: newListing(s.Vocab, by.Noise), request: t.Request, by: by, eos: endings(s)}
	last := len(t.Tokens) - 1
	if !r.eos[t.Tokens[last]] {
		return End{}, false, nil
	}
	m, _, err := r.lagging(last, s.Positions[last])
	if err != nil || !m.Flipped() || m.Ending {
		return End{}, false, err
	}
	e := End{Position: last, Claimed: m.Claimed, Winner: m.Winner, Margin: m.Margin, Lags: make([]targon.GapClass, len(t.Tokens))}
	for j, p := range s.Positions {
		if _, e.Lags[j], err = r.lagging(j, p); err != nil {
			return End{}, false, err
		}
	}
	return e, true, nil
}

// lagging marks a position, and says by how much the best end-of-sequence id fell behind.
func (r *race) lagging(j int, p targon.Position) (Mark, targon.GapClass, error) {
	detail := r.fill(p)
	if detail == "" {
		detail = filtered(r.request.Sampling, p, len(r.stamp))
	}
	if detail != "" {
		return Mark{}, 0, fmt.Errorf("%w: position %d: %s", ErrReference, j, detail)
	}
	m := r.mark(j, p)
	if !m.Decided() || m.Ending || r.ranked() { // who is ranked below the list has a noise that nobody knows
		return m, 0, nil
	}
	at := place(r.by.Noise, r.request, j)
	winner := r.value(at, r.logit[m.Winner], uint32(m.Winner))
	core, outer := r.by.edges(r.request.Sampling, p, len(r.stamp))
	lag := float64(MaxGap)
	for id := range r.eos {
		logit := r.lowest // no unlisted id has a higher one
		if r.has(id) {
			logit = r.logit[id]
		}
		if may, _ := r.below(p, logit, core, outer); may || r.heads(id, p, outer) {
			lag = min(lag, clip(winner-r.value(at, logit, uint32(id)), MaxGap))
		}
	}
	return m, targon.GapClassOf(lag), nil
}

// heads reports whether an id is among the first of a list.
func (r *race) heads(id targon.TokenID, p targon.Position, n int) bool {
	for _, s := range p.Top[:n] {
		if s.ID == id {
			return true
		}
	}
	return false
}

// Ended holds an answer that passed against the chance that an honest prover's ends like
// it: coincidence says of the lags of a false end whether they leave too little
// (evidence.Bets.FalseEnd). Then it fails, and earns nothing; what it does to the
// evidence stays as it is. Other verdicts return unchanged.
func Ended(v targon.Verdict, t targon.Transcript, s targon.Scores, by Replay, coincidence func(lags []targon.GapClass) bool) targon.Verdict {
	if v.Reason != targon.ReasonWithin {
		return v
	}
	e, claimed, err := FalseEnd(t, s, by)
	if err != nil {
		return end(v, targon.ReasonReference, err.Error())
	}
	if !claimed || !coincidence(e.Lags) {
		return v
	}
	v.Position, v.Claimed, v.Winner, v.Gap = uint32(e.Position), e.Claimed, e.Winner, e.Margin
	return end(v, targon.ReasonTermination, fmt.Sprintf("an end is claimed where id %d had won; %s", e.Winner, v.Detail))
}
