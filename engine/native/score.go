package native

import (
	"cmp"
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
	out := targon.Scores{Weights: e.model.Digest(), Kernel: e.kernel.Name(), Vocab: e.model.w.vocab, EOS: e.model.EOS()}
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
	err := e.prefill(ctx, fed, from, func(ws *workspace, at int, logits []float32) error {
		j := at - from
		var also []targon.TokenID
		if j < len(need.Also) {
			also = need.Also[j]
		}
		out.Positions[j] = ws.position(logits, ids[j], need.Top, also)
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
	if err := e.prefill(ctx, ids, 0, func(_ *workspace, at int, row []float32) error { return each(at, row) }); err != nil {
		return fmt.Errorf("logits: %w", err)
	}
	return nil
}

// prefill runs ids through the model and calls each with the logits from one on.
func (e *Engine) prefill(ctx context.Context, ids []targon.TokenID, from int, each func(*workspace, int, []float32) error) error {
	if err := e.enter(ctx); err != nil {
		return err
	}
	defer e.leave()
	s := newSequence(e.model.w, len(ids))
	for lo := 0; lo < len(ids); lo += chunk {
		part := ids[lo:min(lo+chunk, len(ids))]
		err := e.step(ctx, func(ws *workspace) error {
			ws.forward(s, part)
			return ws.rows(max(from-lo, 0), len(part), func(b int, logits []float32) error { return each(ws, lo+b, logits) })
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// rows calls each with the logits of positions lo to n of the last forward.
func (ws *workspace) rows(lo, n int, each func(int, []float32) error) error {
	step := logitRows(ws.w.vocab)
	for ; lo < n; lo += step {
		m := min(step, n-lo)
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
func (ws *workspace) position(logits []float32, claimed targon.TokenID, top int, also []targon.TokenID) targon.Position {
	l := logits[claimed]
	p := targon.Position{
		Claimed: targon.Scored{ID: claimed, Logit: l},
		LogProb: ws.logProb(logits, l),
		Rank:    rank(logits, claimed),
		Top:     highest(logits, top),
	}
	for _, id := range also {
		p.Also = append(p.Also, targon.Scored{ID: id, Logit: logits[id]})
	}
	return p
}

// logProb returns ln softmax at temperature 1: exponentials by the kernel, their sum
// in float64 by rising id, about 1e-7 from exact.
func (ws *workspace) logProb(logits []float32, l float32) float64 {
	n := copy(ws.exps, logits)
	for i := n; i < len(ws.exps); i++ {
		ws.exps[i] = logits[0] // padding, which is not summed
	}
	high := ws.kernel.Max(ws.exps)
	ws.kernel.ExpSub(ws.exps, high)
	sum := 0.0
	for _, v := range ws.exps[:n] {
		sum += float64(v)
	}
	return (float64(l) - float64(high)) - noise.Log(sum)
}

// rank counts the ids that a greedy sampler prefers.
func rank(logits []float32, claimed targon.TokenID) uint32 {
	l, n := logits[claimed], uint32(0)
	for _, v := range logits[:claimed] {
		if v >= l {
			n++
		}
	}
	for _, v := range logits[claimed:] {
		if v > l {
			n++
		}
	}
	return n
}

// fewOf is up to how many of the highest are kept sorted while ids go by; more are
// found by sorting all.
const fewOf = 64

// highest returns the k highest logits, falling, ties by rising id.
func highest(logits []float32, k int) []targon.Scored {
	k = min(k, len(logits))
	if k == 0 {
		return nil
	}
	if k > fewOf {
		return sorted(logits)[:k:k]
	}
	best := sorted(logits[:k])
	least := best[k-1].Logit
	for id, v := range logits[k:] {
		if v <= least { // on equality the lower id stays
			continue
		}
		i := k - 1
		for ; i > 0 && best[i-1].Logit < v; i-- {
			best[i] = best[i-1]
		}
		best[i] = targon.Scored{ID: targon.TokenID(k + id), Logit: v}
		least = best[k-1].Logit
	}
	return best
}

func sorted(logits []float32) []targon.Scored {
	all := make([]targon.Scored, len(logits))
	for id, v := range logits {
		all[id] = targon.Scored{ID: targon.TokenID(id), Logit: v}
	}
	slices.SortFunc(all, func(a, b targon.Scored) int {
		return cmp.Or(cmp.Compare(b.Logit, a.Logit), cmp.Compare(a.ID, b.ID))
	})
	return all
}
