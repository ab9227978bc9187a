package redteam

import (
	"context"
	"iter"
	"math"
	"slices"

	"targon"
	"targon/engine/native"
)

// drafting is speculative decoding that keeps too much: a cheap model proposes each id
// and the true one keeps whatever it finds plausible, instead of what it would have drawn.
// Plausible is the typical acceptance of Medusa (Cai et al., arXiv 2401.10774):
// p > min(ε, δ × e^-H), with its ε = 0.3 and δ = √ε.
//
// Answers come one at a time, by two engines of its own: the true one waits for the
// draft in the middle of a step, so two answers in one step would wait for each other.
type drafting struct {
	turn        chan struct{}
	true, draft *native.Engine
}

const typical = 0.3

func lossyDraft(m *maker) (Engine, error) {
	o := m.options
	o.Cores = nil // or a step would hold a core that the other engine needs
	four, err := m.model.Requantized(quarter)
	if err != nil {
		return nil, err
	}
	e := drafting{turn: make(chan struct{}, 1)}
	if e.draft, err = native.New(four, o); err != nil {
		return nil, err
	}
	e.true, err = native.New(m.model, o)
	return e, err
}

func (e drafting) Generate(ctx context.Context, r targon.Request) iter.Seq2[targon.Token, error] {
	return func(yield func(targon.Token, error) bool) {
		select {
		case <-ctx.Done():
			yield(targon.Token{}, context.Cause(ctx))
			return
		case e.turn <- struct{}{}:
			defer func() { <-e.turn }()
		}
		ctx, cancel := context.WithCancelCause(ctx)
		proposals, taken := make(chan targon.TokenID), make(chan targon.TokenID)
		done := make(chan struct{})
		go func() { // follows the answer and proposes
			defer close(done)
			if err := e.follow(ctx, r, proposals, taken); err != nil {
				cancel(err) // or the answer would wait for ever
			}
		}()
		defer func() { cancel(nil); <-done }()
		s := native.NewSampler()
		for t, err := range e.true.GenerateBy(ctx, r, func(logits []float32, before int) (targon.TokenID, error) {
			var id targon.TokenID
			select {
			case <-ctx.Done():
				return 0, context.Cause(ctx)
			case id = <-proposals:
			}
			if !plausible(logits, id, r.Sampling.Temperature) {
				id = s.Draw(logits, r.Sampling, before)
			}
			select {
			case <-ctx.Done():
			case taken <- id:
			}
			return id, nil
		}) {
			if !yield(t, err) {
				return
			}
		}
	}
}

// follow runs the draft along the ids that were taken.
func (e drafting) follow(ctx context.Context, r targon.Request, proposals chan<- targon.TokenID, taken <-chan targon.TokenID) error {
	s := native.NewSampler()
	for _, err := range e.draft.GenerateBy(ctx, r, func(logits []float32, before int) (targon.TokenID, error) {
		select {
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		case proposals <- s.Draw(logits, r.Sampling, before):
		}
		select {
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		case id := <-taken:
			return id, nil
		}
	}) {
		if err != nil {
			return err
		}
	}
	return nil
}

// plausible applies typical acceptance to an id.
func plausible(logits []float32, id targon.TokenID, temperature float64) bool {
	if temperature == 0 {
		temperature = 1
	}
	high := float64(slices.Max(logits))
	total, weighted := 0.0, 0.0
	for _, l := range logits {
		x := (float64(l) - high) / temperature
		total += math.Exp(x)
		weighted += x * math.Exp(x)
	}
	norm := math.Log(total)
	entropy := norm - weighted/total
	p := math.Exp((float64(logits[id])-high)/temperature - norm)
	return p > min(typical, math.Sqrt(typical)*math.Exp(-entropy))
}
