package native

import (
	"context"
	"fmt"
	"slices"

	"targon"
)

// States returns the model's last hidden state, final norm applied, at each of given ids as
// the answer to a request: what the output matrix reads there, having read the id. It is
// one pass, as Score's; the request's sampling and MaxTokens are not looked at.
func (e *Engine) States(ctx context.Context, r targon.Request, ids []targon.TokenID) ([][]float32, error) {
	out, err := e.states(ctx, r, ids)
	if err != nil {
		return nil, fmt.Errorf("states: %w", err)
	}
	return out, nil
}

func (e *Engine) states(ctx context.Context, r targon.Request, ids []targon.TokenID) ([][]float32, error) {
	if err := e.check(r, len(ids)); err != nil {
		return nil, err
	}
	if err := e.checkIDs(ids); err != nil {
		return nil, err
	}
	if len(ids) == 0 {
		return nil, nil
	}
	from := len(r.Prompt)
	out := make([][]float32, len(ids))
	c := &call{ids: slices.Concat(r.Prompt, ids), from: from, most: e.atOnce(chunk), credit: unlimited}
	c.read = func(at int, row row) reading {
		out[at-from] = slices.Clone(row.state[:e.model.w.dim])
		return nothing{}
	}
	return out, e.follow(ctx, c, nil)
}
