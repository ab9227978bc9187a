package native

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"targon"
	"targon/engine/native/kernel"
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
	positions := out.Positions
	c := &call{ids: fed, from: from, most: e.atOnce(chunk), credit: unlimited}
	c.read = func(ws *workspace, at int, logits []float32) (targon.TokenID, bool, error) {
		j := at - from
		var also []targon.TokenID
		if j < len(need.Also) {
			also = need.Also[j]
		}
		positions[j] = ws.position(logits, ids[j], r.Sampling, need.Top, also)
		return 0, false, nil
	}
	err := e.follow(ctx, c, nil)
	return out, err
}

// Logits calls each, in order, with the logits after every one of the ids: one pass.
// The slice is only valid during the call.
func (e *Engine) Logits(ctx context.Context, ids []targon.TokenID, each func(position int, logits []float32) error) error {
	if err := e.check(targon.Request{Prompt: ids}, 0); err != nil {
		return fmt.Errorf("logits: %w", err)
	}
	c := &call{ids: slices.Clone(ids), most: e.atOnce(e.model.w.room().rows()), ordered: true}
	rows := make(chan []float32, c.most) // that have been looked at: new ones cost more than the copy
	c.read = func(_ *workspace, _ int, logits []float32) (targon.TokenID, bool, error) {
		var row []float32
		select {
		case row = <-rows:
		default:
		}
		e.hand(c, result{logits: append(row[:0], logits...)})
		return 0, false, nil
	}
	at := 0
	err := e.follow(ctx, c, func(r result) error {
		err := each(at, r.logits)
		at++
		select {
		case rows <- r.logits:
		default:
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("logits: %w", err)
	}
	return nil
}

// follow has a call of given ids computed, and calls each with what its reader hands over.
func (e *Engine) follow(ctx context.Context, c *call, each func(result) error) error {
	if err := e.submit(c, len(c.ids)); err != nil {
		return err
	}
	defer e.leave(c)
	for {
		r, ok, err := e.next(ctx, c)
		if err != nil || !ok {
			return err
		}
		if err := each(r); err != nil {
			return err
		}
	}
}

// rank counts the ids that a greedy sampler prefers: those with a higher logit, and
// those before it with the same.
func rank(k *kernel.Kernel, logits []float32, claimed targon.TokenID) uint32 {
	l := logits[claimed]
	below := math.Nextafter32(l, float32(math.Inf(-1))) // what is above this is l or above that
	n := k.Above(logits[:claimed], below) + k.Above(logits[claimed:], l)
	return uint32(n)
}

// fewOf is up to how many of the highest are kept sorted while ids go by; more are
// found by sorting all.
const fewOf = 64

// floor returns something that the k highest logits are not below, k being at most fewOf:
// the highest of parts of the row are as many different ones.
func floor(by *kernel.Kernel, logits []float32, k int) float32 {
	part := max(len(logits)/(2*k)/kernel.Lanes, 1) * kernel.Lanes // so that parts are twice as many, or more
	var high [4 * fewOf]float32
	n := 0
	for ; n < len(high) && (n+1)*part <= len(logits); n++ {
		high[n] = by.Max(logits[n*part : (n+1)*part])
	}
	if n < k {
		return float32(math.Inf(-1))
	}
	slices.Sort(high[:n])
	return high[n-k]
}

// highest returns the k highest logits, falling, ties by rising id.
func highest(by *kernel.Kernel, logits []float32, k int) []targon.Scored {
	k = min(k, len(logits))
	if k == 0 {
		return nil
	}
	if k > fewOf {
		return sorted(logits)[:k:k]
	}
	best := make([]targon.Scored, 0, k)
	limit := math.Nextafter32(floor(by, logits, k), float32(math.Inf(-1)))
	for id := 0; ; id++ {
		id += by.FirstAbove(logits[id:], limit)
		if id == len(logits) {
			return best
		}
		v := logits[id]
		if len(best) < k {
			best = append(best, targon.Scored{})
		}
		i := len(best) - 1
		for ; i > 0 && best[i-1].Logit < v; i-- {
			best[i] = best[i-1]
		}
		best[i] = targon.Scored{ID: targon.TokenID(id), Logit: v}
		if len(best) == k {
			limit = best[k-1].Logit // on equality the lower id stays
		}
	}
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
