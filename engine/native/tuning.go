package native

import (
	"context"
	"fmt"
	"iter"
	"math"
	"slices"

	"targon"
)

// Tuning changes the logits before an id is drawn, as vLLM's sampling parameters of
// these names do. A request on the wire has none of it, since nobody could check the
// answer without it. The zero value changes nothing.
//
// In this order, in float32 (vLLM's v1/sample/sampler.py and ops/penalties.py): Bias is
// added. Ids of prompt or answer have a logit above 0 divided by Repetition and another
// multiplied by it. Ids of the answer lose Frequency for each time that they came, and
// Presence once. Ids that would end the answer cannot be drawn before MinTokens others.
// What a [Drawn] tells of its position is without all that.
type Tuning struct {
	Bias       map[targon.TokenID]float32 // -100 to 100
	Repetition float64                    // above 0, at most 100; 0 is 1, which changes nothing
	Frequency  float64                    // -2 to 2
	Presence   float64                    // -2 to 2
	MinTokens  uint32                     // of the answer, the one that ends it not counted
	Stops      []targon.TokenID           // what MinTokens keeps away besides the model's ends
	IgnoreEnds bool                       // the model's ends end nothing
	// CacheSalt keeps others from learning by the time that they are answered in what
	// this call's prompt begins with: calls share their cache with those of the same
	// salt alone. At most 256 bytes.
	CacheSalt string
}

// mostRepetition keeps logits within float32.
const mostRepetition = 100

// check refuses what no model could follow.
func (t Tuning) check(vocab int) error {
	within := func(v, lo, hi float64) bool { return v >= lo && v <= hi }
	switch {
	case len(t.CacheSalt) > 256:
		return fmt.Errorf("%w: cache salt of %d bytes", targon.ErrRequest, len(t.CacheSalt))
	case !within(t.Repetition, 0, mostRepetition):
		return fmt.Errorf("%w: repetition penalty %v, want more than 0, to %d", targon.ErrRequest, t.Repetition, mostRepetition)
	case !within(t.Frequency, -2, 2) || !within(t.Presence, -2, 2):
		return fmt.Errorf("%w: frequency and presence penalties %v and %v, want -2 to 2", targon.ErrRequest, t.Frequency, t.Presence)
	}
	for id, bias := range t.Bias {
		if id < 0 || int(id) >= vocab {
			return fmt.Errorf("%w: bias of id %d, the model has %d", ErrVocabulary, id, vocab)
		}
		if !within(float64(bias), -100, 100) {
			return fmt.Errorf("%w: bias %v, want -100 to 100", targon.ErrRequest, bias)
		}
	}
	for _, id := range t.Stops {
		if id < 0 || int(id) >= vocab {
			return fmt.Errorf("%w: id %d ends an answer, the model has %d", ErrVocabulary, id, vocab)
		}
	}
	return nil
}

// Tuned yields what Generate yields, its logits tuned, each id with its position and the
// top highest logits there as Trace has them; with none where top is below 0.
func (e *Engine) Tuned(ctx context.Context, r targon.Request, t Tuning, top int) iter.Seq2[Drawn, error] {
	var look look
	if top >= 0 {
		look = func(ws *workspace, logits []float32, id targon.TokenID) targon.Position {
			return ws.position(logits, id, r.Sampling, top, nil)
		}
	}
	return func(yield func(Drawn, error) bool) {
		err := t.check(e.model.w.vocab)
		if err == nil {
			by := manner{drawing: e.drawing(r, look), ends: e.ends, salt: t.CacheSalt}
			if t.IgnoreEnds {
				by.ends = func(targon.TokenID) bool { return false }
			}
			if u := newTuner(t, r.Prompt, e.model.text.eos); u != nil {
				by.drawing = drawing{draw: u.drawer(e.drawer(r, nil), look)}
			}
			err = e.answer(ctx, r, by, func(d Drawn) bool { return yield(d, nil) })
		}
		if err != nil {
			yield(Drawn{}, fmt.Errorf("generate: %w", err))
		}
	}
}

// A tuner applies a tuning to one answer.
type tuner struct {
	Tuning
	ends  []targon.TokenID       // all that MinTokens keeps away
	seen  []targon.TokenID       // ids of prompt and answer, each once
	count map[targon.TokenID]int // how often each of them came in the answer
	n     uint32                 // ids of the answer
}

// newTuner returns nil where nothing is tuned.
func newTuner(t Tuning, prompt, ends []targon.TokenID) *tuner {
	if t.Repetition == 1 {
		t.Repetition = 0
	}
	if len(t.Bias) == 0 && t.Repetition == 0 && t.Frequency == 0 && t.Presence == 0 && t.MinTokens == 0 {
		return nil
	}
	u := &tuner{Tuning: t, ends: slices.Concat(ends, t.Stops), count: map[targon.TokenID]int{}}
	for _, id := range prompt {
		u.see(id, 0)
	}
	return u
}

func (u *tuner) see(id targon.TokenID, times int) {
	if _, known := u.count[id]; !known {
		u.seen = append(u.seen, id)
	}
	u.count[id] += times
}

// drew notes an id of the answer.
func (u *tuner) drew(id targon.TokenID) {
	u.see(id, 1)
	u.n++
}

// drawer has draw draw from tuned logits, and looks at what they were, unless that is nil.
func (u *tuner) drawer(draw drawer, look look) drawer {
	return func(ws *workspace, logits []float32, before int) (targon.TokenID, targon.Position, error) {
		ws.tuned = append(ws.tuned[:0], logits...)
		if err := u.tune(ws.tuned); err != nil {
			return 0, targon.Position{}, err
		}
		id, _, err := draw(ws, ws.tuned, before)
		u.drew(id)
		var at targon.Position
		if look != nil {
			at = look(ws, logits, id)
		}
		return id, at, err
	}
}

// tune changes logits.
func (u *tuner) tune(logits []float32) error {
	for id, bias := range u.Bias { // each id by itself: their order means nothing
		logits[id] += bias
	}
	repetition := float32(u.Repetition)
	for _, id := range u.seen {
		l := logits[id]
		switch {
		case u.Repetition == 0:
		case l > 0:
			l /= repetition
		default:
			l *= repetition
		}
		if n := u.count[id]; n > 0 {
			l -= float32(float32(u.Frequency) * float32(n))
			l -= float32(u.Presence)
		}
		logits[id] = l
	}
	if !finite(logits) {
		return fmt.Errorf("%w: penalties make logits infinite", targon.ErrRequest)
	}
	if u.n < u.MinTokens {
		for _, id := range u.ends {
			logits[id] = float32(math.Inf(-1))
		}
	}
	if !slices.ContainsFunc(logits, func(l float32) bool { return l >= -math.MaxFloat32 }) {
		return fmt.Errorf("%w: every id would end the answer before min_tokens", targon.ErrRequest)
	}
	return nil
}
