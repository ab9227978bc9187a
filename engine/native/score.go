package native

import (
	"context"
	"fmt"
	"slices"

	"targon"
	"targon/noise"
)

// Score tells what the model says about given ids as the answer to a request: one
// pass over prompt and ids, logits only where an answer id was due. The request's
// sampling and MaxTokens are not looked at.
func (e *Engine) Score(ctx context.Context, r targon.Request, ids []targon.TokenID, need targon.Need) (targon.Scores, error) {
	s, err := e.score(ctx, r, ids, need)
	if err != nil {
		return targon.Scores{}, fmt.Errorf("score: %w", err)
	}
	return s, nil
}

func (e *Engine) score(ctx context.Context, r targon.Request, ids []targon.TokenID, need targon.Need) (targon.Scores, error) {
	out := targon.Scores{Weights: e.model.digest, Kernel: e.kernel.Name(), Vocab: e.model.w.vocab, EOS: e.model.EOS()}
	r.Sampling.Temperature = 0
	if err := e.check(r, len(ids)); err != nil {
		return out, err
	}
	if err := e.checkIDs(ids); err != nil {
		return out, err
	}
	for _, also := range need.Also {
		if err := e.checkIDs(also); err != nil {
			return out, err
		}
	}
	if len(need.Also) > len(ids) || need.Top < 0 {
		return out, fmt.Errorf("%w: %d lists of further ids for %d positions, top %d", targon.ErrRequest, len(need.Also), len(ids), need.Top)
	}
	if len(ids) == 0 {
		return out, nil
	}
	out.Positions = make([]targon.Position, len(ids))
	fed := slices.Concat(r.Prompt, ids[:len(ids)-1])
	from := len(r.Prompt) - 1
	err := e.prefill(ctx, fed, from, func(at int, logits []float32) error {
		j := at - from
		var also []targon.TokenID
		if j < len(need.Also) {
			also = need.Also[j]
		}
		out.Positions[j] = position(logits, ids[j], need.Top, also)
		return nil
	})
	return out, err
}

// Logits calls each, in order, with the logits after every one of the ids: one pass.
// The slice is only valid during the call.
func (e *Engine) Logits(ctx context.Context, ids []targon.TokenID, each func(position int, logits []float32) error) error {
	if err := e.check(targon.Request{Prompt: ids}, 0); err != nil {
		return fmt.Errorf("logits: %w", err)
	}
	if err := e.prefill(ctx, ids, 0, each); err != nil {
		return fmt.Errorf("logits: %w", err)
	}
	return nil
}

// prefill runs ids through the model and calls each with the logits from one on.
func (e *Engine) prefill(ctx context.Context, ids []targon.TokenID, from int, each func(int, []float32) error) error {
	if err := e.enter(ctx); err != nil {
		return err
	}
	defer e.leave()
	s := newSequence(e.model.w, len(ids))
	for lo := 0; lo < len(ids); lo += chunk {
		part := ids[lo:min(lo+chunk, len(ids))]
		err := e.step(ctx, func(ws *workspace) error {
			ws.forward(s, part)
			return ws.rows(max(from-lo, 0), len(part), func(b int, logits []float32) error { return each(lo+b, logits) })
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// rows calls each with the logits of positions lo to n of the last forward.
func (ws *workspace) rows(lo, n int, each func(int, []float32) error) error {
	for ; lo < n; lo += logitRows {
		m := min(logitRows, n-lo)
		ws.output(lo, m)
		for b := range m {
			logits := ws.logits.At(b)[:ws.w.vocab]
			if !finite(logits) {
				return fmt.Errorf("%w at position %d", ErrNumeric, lo+b)
			}
			if err := each(lo+b, logits); err != nil {
				return err
			}
		}
	}
	return nil
}

// position reads everything that is asked for out of one row of logits.
func position(logits []float32, claimed targon.TokenID, top int, also []targon.TokenID) targon.Position {
	l := logits[claimed]
	p := targon.Position{
		Claimed: targon.Scored{ID: claimed, Logit: l},
		LogProb: logProb(logits, l),
		Rank:    rank(logits, claimed),
		Top:     highest(logits, top),
	}
	for _, id := range also {
		p.Also = append(p.Also, targon.Scored{ID: id, Logit: logits[id]})
	}
	return p
}

// negligible is how far below the highest logit a term of the sum of exponentials is
// left out: a million times e^-60 of it is below float64's rounding.
const negligible = 60

// logProb returns ln softmax at temperature 1, in float64, summing by rising id.
func logProb(logits []float32, l float32) float64 {
	high := logits[greedy(logits)]
	sum := 0.0
	for _, v := range logits {
		if d := float64(v) - float64(high); d > -negligible {
			sum += noise.Exp(d)
		}
	}
	return (float64(l) - float64(high)) - noise.Log(sum)
}

// rank counts the ids that a greedy sampler prefers.
func rank(logits []float32, claimed targon.TokenID) uint32 {
	l, n := logits[claimed], uint32(0)
	for id, v := range logits {
		if v > l || v == l && id < int(claimed) {
			n++
		}
	}
	return n
}

// highest returns the k highest logits, falling, ties by rising id.
func highest(logits []float32, k int) []targon.Scored {
	k = min(k, len(logits))
	if k == 0 {
		return nil
	}
	before := func(a, b targon.Scored) int {
		switch {
		case a.Logit > b.Logit || a.Logit == b.Logit && a.ID < b.ID:
			return -1
		case a.ID == b.ID:
			return 0
		}
		return 1
	}
	// A buffer of 2k is sorted and halved whenever it is full: what is not above the
	// k-th of the last halving cannot be among the k highest, since ids rise.
	best := make([]targon.Scored, 0, 2*k)
	halve := func() {
		slices.SortFunc(best, before)
		best = best[:min(k, len(best))]
	}
	full := false
	var least float32
	for id, v := range logits {
		if full && v <= least {
			continue
		}
		if best = append(best, targon.Scored{ID: targon.TokenID(id), Logit: v}); len(best) == 2*k {
			halve()
			full, least = true, best[k-1].Logit
		}
	}
	halve()
	return slices.Clip(best)
}
