package redteam

import (
	"context"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"sync"

	"targon"
	"targon/engine/native"
	"targon/noise"
)

// retempered multiplies the temperature.
type retempered struct {
	inner  Engine
	factor float64
}

func warmer(factor float64) func(*maker) (Engine, error) {
	return func(m *maker) (Engine, error) { return retempered{m.honest, factor}, nil }
}

func (e retempered) Generate(ctx context.Context, r targon.Request) iter.Seq2[targon.Token, error] {
	r.Sampling.Temperature *= e.factor
	return e.inner.Generate(ctx, r)
}

// filtering filters where the request does not.
type filtering struct {
	inner Engine
	by    targon.Sampling
}

func filtered(by targon.Sampling) func(*maker) (Engine, error) {
	return func(m *maker) (Engine, error) { return filtering{m.honest, by}, nil }
}

func (e filtering) Generate(ctx context.Context, r targon.Request) iter.Seq2[targon.Token, error] {
	if !r.Sampling.Filtered() {
		r.Sampling.TopK, r.Sampling.TopP, r.Sampling.MinP = e.by.TopK, e.by.TopP, e.by.MinP
	}
	return e.inner.Generate(ctx, r)
}

// reseeding draws with another seed than it was told.
type reseeding struct {
	inner Engine
	seed  func(uint64) uint64
}

func (e reseeding) Generate(ctx context.Context, r targon.Request) iter.Seq2[targon.Token, error] {
	r.Sampling.Seed = e.seed(r.Sampling.Seed)
	return e.inner.Generate(ctx, r)
}

func reseeded(m *maker) (Engine, error) {
	return reseeding{m.honest, func(s uint64) uint64 { return s ^ 0x5eed }}, nil
}

func unseeded(m *maker) (Engine, error) {
	var mu sync.Mutex
	rng := rand.New(rand.NewPCG(m.seed, 1))
	return reseeding{m.honest, func(uint64) uint64 {
		mu.Lock()
		defer mu.Unlock()
		return rng.Uint64()
	}}, nil
}

// A picker chooses ids by itself. New returns the choice for one answer, since choices
// remember.
type picker struct {
	engine *native.Engine
	new    func(r targon.Request) native.Pick
}

func (e picker) Generate(ctx context.Context, r targon.Request) iter.Seq2[targon.Token, error] {
	return e.engine.GenerateBy(ctx, r, e.new(r))
}

// without returns the draw's winner among all ids but some.
func without(s *native.Sampler, logits []float32, by targon.Sampling, before int, ids ...targon.TokenID) targon.TokenID {
	rest := slices.Clone(logits)
	for _, id := range ids {
		rest[id] = float32(math.Inf(-1))
	}
	return s.Draw(rest, by, before)
}

func runnerUp(m *maker) (Engine, error) {
	return picker{engine: m.honest, new: func(r targon.Request) native.Pick {
		s := native.NewSampler()
		return func(logits []float32, before int) (targon.TokenID, error) {
			winner := s.Draw(logits, r.Sampling, before)
			if noise.At(r.Sampling.Seed^m.seed, uint32(before)).Hash(math.MaxUint32)%100 != 0 {
				return winner, nil
			}
			return without(s, logits, r.Sampling, before, winner), nil
		}
	}}, nil
}

// padding goes on with the ids of the prompt once the answer has ended.
func padding(m *maker) (Engine, error) {
	return picker{engine: m.honest, new: func(r targon.Request) native.Pick {
		s, end := native.NewSampler(), -1
		return func(logits []float32, before int) (targon.TokenID, error) {
			if end < 0 {
				id := s.Draw(logits, r.Sampling, before)
				if !slices.Contains(m.model.EOS(), id) {
					return id, nil
				}
				end = before
			}
			filler := r.Prompt[(before-end)%len(r.Prompt)]
			if slices.Contains(m.model.EOS(), filler) {
				filler = without(s, logits, r.Sampling, before, m.model.EOS()...)
			}
			return filler, nil
		}
	}}, nil
}

func endless(m *maker) (Engine, error) {
	return picker{engine: m.honest, new: func(r targon.Request) native.Pick {
		s := native.NewSampler()
		return func(logits []float32, before int) (targon.TokenID, error) {
			return without(s, logits, r.Sampling, before, m.model.EOS()...), nil
		}
	}}, nil
}
