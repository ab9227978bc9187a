package native

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"targon"
)

// Score tells what the model says about given ids as the answer to a request: one
// pass over prompt and ids, logits only where an answer id was due. The request's
// sampling says what each position tells of its draw; its MaxTokens is not looked at.
func (e *Engine) Score(ctx context.Context, r targon.Request, ids []targon.TokenID, need targon.Need) (targon.Scores, error) {
	s, err := e.score(ctx, r, ids, need)
	if err != nil {
		return targon.Scores{}, fmt.Errorf("score: %w", err)
	}
	return s, nil
}

func (e *Engine) score(ctx context.Context, r targon.Request, ids []targon.TokenID, need targon.Need) (targon.Scores, error) {
	out := targon.Scores{Weights: e.model.Digest(), Kernel: e.Kernel(), Vocab: e.model.w.vocab, EOS: e.model.EOS()}
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
		out.Positions[j] = ws.position(logits, ids[j], r.Sampling, need.Top, also)
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
