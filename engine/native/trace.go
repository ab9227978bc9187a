package native

import (
	"context"
	"fmt"
	"iter"

	"targon"
)

// Drawn is an id of an answer and what the model said about the place where it came.
type Drawn struct {
	Token targon.Token
	// Position is what Score would return for the id, bit for bit.
	Position targon.Position
}

// Trace yields what Generate yields, each id with its position and the top highest
// logits there, at the cost of a look at the logits and no further pass.
func (e *Engine) Trace(ctx context.Context, r targon.Request, top int) iter.Seq2[Drawn, error] {
	return func(yield func(Drawn, error) bool) {
		if top < 0 {
			yield(Drawn{}, fmt.Errorf("trace: %w: top %d", targon.ErrRequest, top))
			return
		}
		read := func(ws *workspace, logits []float32, id targon.TokenID) targon.Position {
			return ws.position(logits, id, r.Sampling, top, nil)
		}
		if err := e.generate(ctx, r, e.drawing(r, read), func(d Drawn) bool { return yield(d, nil) }); err != nil {
			yield(Drawn{}, fmt.Errorf("trace: %w", err))
		}
	}
}

// A look reads what is wanted about an id that was drawn out of the logits that drew it.
type look func(ws *workspace, logits []float32, id targon.TokenID) targon.Position
