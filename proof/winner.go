package proof

import (
	"fmt"
	"math"
	"slices"

	"targon"
	"targon/noise"
)

// unfit says why scores cannot be about this transcript, or "".
func unfit(t targon.Transcript, s targon.Scores) string {
	switch {
	case s.Weights != t.Request.Weights:
		return "scores are of another model"
	case len(s.Positions) != len(t.Tokens):
		return fmt.Sprintf("scores of %d positions, want %d", len(s.Positions), len(t.Tokens))
	case len(t.Tokens) == 0 || s.Vocab <= 0:
		return fmt.Sprintf("scores of %d positions over %d ids", len(t.Tokens), s.Vocab)
	}
	for j, p := range s.Positions {
		if p.Claimed.ID != t.Tokens[j] || len(p.Top) == 0 {
			return fmt.Sprintf("scores at position %d are of id %d with %d others, want id %d",
				j, p.Claimed.ID, len(p.Top), t.Tokens[j])
		}
	}
	return ""
}

// listing holds the logits that the reference gave at one position. It is used again
// for each position: an id is listed if its stamp is the current one.
type listing struct {
	stamp  []uint32
	logit  []float32
	round  uint32
	ids    []targon.TokenID // listed ones, in the order in which they came
	lowest float32          // of Top: no unlisted id has a higher logit
	bounds noise.Bounds     // of the noise that it is held against
	lucky  []uint32         // columns of high noise
}

func newListing(vocab int, p noise.Profile) *listing {
	return &listing{stamp: make([]uint32, vocab), logit: make([]float32, vocab), bounds: p.Bounds()}
}

// fill takes over what the reference said about a position, or says what is wrong.
func (l *listing) fill(p targon.Position) string {
	l.round++
	l.ids = l.ids[:0]
	l.lowest = float32(math.Inf(1))
	for _, c := range p.Top {
		n := len(l.ids)
		if detail := l.put(c); detail != "" {
			return detail
		}
		if len(l.ids) == n {
			return fmt.Sprintf("id %d is twice among the highest logits", c.ID)
		}
		l.lowest = min(l.lowest, c.Logit)
	}
	n := len(l.ids)
	for _, c := range append(slices.Clip(p.Also), p.Claimed) {
		if detail := l.put(c); detail != "" {
			return detail
		}
	}
	for _, id := range l.ids[n:] {
		if l.logit[id] > l.lowest {
			return fmt.Sprintf("id %d belongs among the highest logits and is not there", id)
		}
	}
	return ""
}

func (l *listing) put(c targon.Scored) string {
	switch {
	case c.ID < 0 || int(c.ID) >= len(l.stamp):
		return fmt.Sprintf("id %d of %d is scored", c.ID, len(l.stamp))
	case math.IsNaN(float64(c.Logit)) || math.IsInf(float64(c.Logit), 0):
		return fmt.Sprintf("logit of id %d is %v", c.ID, c.Logit)
	case !l.has(c.ID):
		l.stamp[c.ID], l.logit[c.ID] = l.round, c.Logit
		l.ids = append(l.ids, c.ID)
	case l.logit[c.ID] != c.Logit:
		return fmt.Sprintf("logit of id %d is both %v and %v", c.ID, l.logit[c.ID], c.Logit)
	}
	return ""
}

func (l *listing) has(id targon.TokenID) bool { return l.stamp[id] == l.round }

// winner finds the seeded winner at output position j and compares it with the claim.
func (l *listing) winner(r targon.Request, j int, p targon.Position) finding {
	detail := l.fill(p)
	if detail == "" {
		detail = filtered(r.Sampling, p, len(l.stamp))
	}
	if detail != "" {
		return finding{kind: broken, detail: fmt.Sprintf("position %d: %s", j, detail)}
	}
	at, temperature := place(noise.Profile{}, r, j), r.Sampling.Temperature
	value := func(id targon.TokenID) float64 {
		if temperature == 0 {
			return float64(l.logit[id])
		}
		return noise.Perturb(l.logit[id], temperature, at.Noise(uint32(id)))
	}
	best, most := targon.TokenID(-1), math.Inf(-1)
	for _, id := range l.ids {
		if !allowed(p.Drawn, targon.Scored{ID: id, Logit: l.logit[id]}) || l.short(at, id, uint32(id), temperature, most) {
			continue
		}
		if v := value(id); v > most || v == most && id < best {
			best, most = id, v
		}
	}
	// Of the ids that are not listed, some are allowed only if more are than head the list.
	if int(p.Drawn.Allowed) > len(p.Top) || p.Drawn.Allowed == 0 {
		if l.reach(at, temperature, most) >= most {
			return finding{kind: narrow, detail: fmt.Sprintf("position %d: an id beyond the %d listed may win", j, len(l.ids))}
		}
	}
	if best == p.Claimed.ID {
		return finding{kind: equal}
	}
	f := finding{kind: mismatch, reason: targon.ReasonMismatch, winner: best, gap: most - value(p.Claimed.ID)}
	if !allowed(p.Drawn, p.Claimed) { // it may have had the highest value, and was not in the race
		f.gap, f.detail = max(f.gap, MarginClip), fmt.Sprintf("id %d is not among the %d allowed", p.Claimed.ID, p.Drawn.Allowed)
	}
	return f
}

// filtered says how a reference contradicts itself, or the request, about the ids that
// the request's filters allow.
func filtered(by targon.Sampling, p targon.Position, vocab int) string {
	d := p.Drawn
	n := int(d.Allowed)
	switch {
	case !by.Filtered() && n != 0:
		return fmt.Sprintf("%d ids are allowed by a request that filters none", n)
	case !by.Filtered():
		return ""
	case n == 0 || n > vocab || by.TopK > 0 && d.Allowed > by.TopK:
		return fmt.Sprintf("%d of %d ids are allowed, top-k %d", n, vocab, by.TopK)
	}
	for i := 1; i < len(p.Top); i++ {
		if follows(p.Top[i-1], p.Top[i]) {
			return fmt.Sprintf("id %d is listed after id %d", p.Top[i].ID, p.Top[i-1].ID)
		}
	}
	last := p.Top[len(p.Top)-1]
	switch {
	case n <= len(p.Top) && p.Top[n-1] != d.Last:
		return fmt.Sprintf("id %d is the last of %d allowed, and id %d is listed there", d.Last.ID, n, p.Top[n-1].ID)
	case n > len(p.Top) && !follows(d.Last, last):
		return fmt.Sprintf("id %d is the last of %d allowed and comes before the %d listed", d.Last.ID, n, len(p.Top))
	}
	return ""
}

// follows reports whether a comes after b in the order of falling logits, ties by rising
// id.
func follows(a, b targon.Scored) bool {
	return a.Logit < b.Logit || a.Logit == b.Logit && a.ID > b.ID
}

// allowed reports whether a listed id is among those that could be drawn.
func allowed(d targon.Draw, s targon.Scored) bool { return d.Allowed == 0 || !follows(s, d.Last) }

// short reports that an id with its noise in a column cannot come up to a value, which is
// known without that noise.
func (l *listing) short(at noise.Field, id targon.TokenID, column uint32, t, value float64) bool {
	return t > 0 && noise.Perturb(l.logit[id], t, l.bounds.Of(at.Key(column))) < value
}

// reach returns a bound on what an unlisted id can have, if that is a value or more: the
// lowest listed of the highest logits, with the highest noise among the unlisted. Else
// -Inf.
func (l *listing) reach(at noise.Field, temperature, value float64) float64 {
	if len(l.ids) == len(l.stamp) {
		return math.Inf(-1)
	}
	if temperature == 0 {
		return float64(l.lowest)
	}
	best := math.Inf(-1)
	// A little less than what is needed, for the rounding of the quotient.
	enough := (value-float64(l.lowest))/temperature - float64(1e-9*(1+math.Abs(value/temperature)))
	l.lucky = at.Under(l.bounds.Limit(enough), len(l.stamp), l.lucky[:0])
	for _, c := range l.lucky {
		if !l.has(targon.TokenID(c)) {
			best = max(best, noise.Perturb(l.lowest, temperature, at.Noise(c)))
		}
	}
	return best
}
