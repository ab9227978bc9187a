package redteam

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"math/rand/v2"

	"targon"
	"targon/engine/native"
	"targon/engine/native/gguf"
)

func (m *maker) engine(of *native.Model, err error) (*native.Engine, error) {
	if err != nil {
		return nil, err
	}
	return native.New(of, m.options)
}

func quantized(t gguf.Type) func(*maker) (Engine, error) {
	return func(m *maker) (Engine, error) { return m.engine(m.model.Requantized(t)) }
}

func (m *maker) four() (*native.Engine, error) { return m.engine(m.model.Requantized(gguf.Q4_0)) }

func (m *maker) half() (*native.Engine, error) {
	small := m.model
	for i := m.model.Layers() - 1; i >= (m.model.Layers()+1)/2; i-- {
		var err error
		if small, err = small.WithoutLayer(i); err != nil {
			return nil, err
		}
	}
	return m.engine(small, nil)
}

func smaller(m *maker) (Engine, error) { return m.half() }

func other(m *maker) (Engine, error) {
	return m.engine(m.model.WithoutLayer(min(1, m.model.Layers()-1)))
}

// tuned is the size of a light fine-tune: two hundredths of each matrix (own).
const tuned = 0.02

func finetuned(m *maker) (Engine, error) { return m.engine(m.model.Finetuned(tuned, m.seed)) }

func foreign(m *maker) (Engine, error) {
	o := m.options
	o.Foreign = native.LikeGPU(gguf.F32)
	return native.New(m.model, o)
}

// A choice answers each request with one of two engines.
type choice struct {
	honest, cheap Engine
	cheats        func(targon.Request) bool
}

func (e choice) Generate(ctx context.Context, r targon.Request) iter.Seq2[targon.Token, error] {
	if e.cheats(r) {
		return e.cheap.Generate(ctx, r)
	}
	return e.honest.Generate(ctx, r)
}

// long is from how many ids on long-only cheats: about half of what verifiers ask for.
const long = 80

func mixed(name string) func(*maker) (Engine, error) {
	return func(m *maker) (Engine, error) {
		cheap, err := m.four()
		e := choice{honest: m.honest, cheap: cheap}
		if name == "long-only" {
			e.cheats = func(r targon.Request) bool { return r.MaxTokens >= long }
		} else {
			e.cheats = func(r targon.Request) bool { return r.ID[0]%10 == 0 }
		}
		return e, err
	}
}

// A tail answers honestly but for the last tenth.
type tail struct{ honest, cheap Engine }

func lastTenth(m *maker) (Engine, error) {
	cheap, err := m.four()
	return tail{m.honest, cheap}, err
}

func (e tail) Generate(ctx context.Context, r targon.Request) iter.Seq2[targon.Token, error] {
	return func(yield func(targon.Token, error) bool) {
		last := (r.MaxTokens + 9) / 10
		head := r
		head.MaxTokens -= last
		ids := append([]targon.TokenID(nil), r.Prompt...)
		for t, err := range e.honest.Generate(ctx, head) {
			if !yield(t, err) || err != nil {
				return
			}
			ids = append(ids, t.ID)
		}
		if len(ids)-len(r.Prompt) < int(head.MaxTokens) {
			return // the answer has ended
		}
		r.Prompt, r.MaxTokens = ids, last
		for t, err := range e.cheap.Generate(ctx, r) {
			if !yield(t, err) {
				return
			}
		}
	}
}

// A writer has a cheap model write and the true one read, as a prover does that must
// show the true model's numbers.
type writer struct {
	cheap Engine
	true  *native.Engine
}

func prefilling(m *maker) (Engine, error) {
	cheap, err := m.half()
	return writer{cheap, m.honest}, err
}

func (e writer) Generate(ctx context.Context, r targon.Request) iter.Seq2[targon.Token, error] {
	return func(yield func(targon.Token, error) bool) {
		all, err := collect(ctx, e.cheap, r)
		if err == nil {
			_, err = e.true.Score(ctx, r, ids(all), targon.Need{Top: 1})
		}
		if err != nil {
			yield(targon.Token{}, err)
			return
		}
		send(ctx, all, yield)
	}
}

// adversarial finds the temperature at which answers of 4 bits surprise the true model
// just as much as its own would. By then whoever looks at surprise alone is satisfied.
func adversarial(m *maker) (Engine, error) {
	cheap, err := m.four()
	if err != nil {
		return nil, err
	}
	start := m.model.Encode("A", true)
	if len(start) == 0 {
		return nil, errors.New("the model has no tokenizer to begin answers with")
	}
	low, high := 0.5, 1.2
	for range 6 {
		middle := (low + high) / 2
		over, err := m.surplus(cheap, middle, start)
		if err != nil {
			return nil, err
		}
		if over > 0 {
			high = middle
		} else {
			low = middle
		}
	}
	return retempered{cheap, (low + high) / 2}, nil
}

// surplus is by how much, on average, the ids of a cheap engine at a factor of the
// temperature surprise the true model more than its own ids would.
func (m *maker) surplus(cheap Engine, factor float64, start []targon.TokenID) (float64, error) {
	const answers = 8
	length := uint32(min(64, m.model.Context()-len(start)))
	rng := rand.New(rand.NewPCG(m.seed, 7)) // the same noise for every factor
	sum, n := 0.0, 0
	for range answers {
		r := targon.Request{Prompt: start, MaxTokens: length}
		r.Sampling = targon.Sampling{Temperature: factor, Seed: rng.Uint64()}
		all, err := collect(context.Background(), cheap, r)
		if err != nil {
			return 0, err
		}
		r.Sampling.Temperature = 1
		s, err := m.honest.Score(context.Background(), r, ids(all), targon.Need{Top: 1})
		if err != nil {
			return 0, err
		}
		for _, p := range s.Positions {
			sum += -p.LogProb - p.Drawn.Entropy
			n++
		}
	}
	return sum / float64(cmp.Or(n, 1)), nil
}
