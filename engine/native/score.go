package native

import (
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
	positions := out.Positions
	c := &call{ids: fed, from: from, most: e.atOnce(chunk), credit: unlimited, whole: !inPieces(r.Sampling, need.Top)}
	c.read = func(at int, row row) reading {
		j := at - from
		var also []targon.TokenID
		if j < len(need.Also) {
			also = need.Also[j]
		}
		claimed := targon.Scored{ID: ids[j], Logit: row.logit(ids[j])}
		return scoring{newSurvey(&positions[j], claimed, r.Sampling, need.Top, also)}
	}
	err := e.follow(ctx, c, nil)
	return out, err
}

// A scoring is a survey for a call of Score.
type scoring struct{ *survey }

func (s scoring) end() (next targon.TokenID, more bool, err error) {
	s.conclude()
	return 0, false, nil
}

// Logits calls each, in order, with the logits after every one of the ids: one pass.
// The slice is only valid during the call.
func (e *Engine) Logits(ctx context.Context, ids []targon.TokenID, each func(position int, logits []float32) error) error {
	if err := e.check(targon.Request{Prompt: ids}, 0); err != nil {
		return fmt.Errorf("logits: %w", err)
	}
	c := &call{ids: slices.Clone(ids), most: e.atOnce(e.model.w.room().rows()), ordered: true, whole: true}
	rows := make(chan []float32, c.most) // that have been looked at: new ones cost more than the copy
	c.read = wholly(func(_ *workspace, _ int, logits []float32) (targon.TokenID, bool, error) {
		var row []float32
		select {
		case row = <-rows:
		default:
		}
		e.hand(c, result{logits: append(row[:0], logits...)})
		return 0, false, nil
	})
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
