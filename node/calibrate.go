package node

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"

	"targon"
	"targon/calibrate"
	"targon/engine/native"
	"targon/engine/native/chat"
	"targon/engine/native/gguf"
	"targon/evidence"
	"targon/model/corpus"
	"targon/noise"
)

// Stacks that a pack can be about, by name. A name says what shapes the rounding.
const (
	StackNative     = "targon/arith-1"
	StackForeign    = "targon/foreign-f32"
	StackForeignF16 = "targon/foreign-f16"
)

// Stacks lists the names of stacks that this program can be both ends of.
func Stacks() []string { return []string{StackNative, StackForeign, StackForeignF16} }

// Stack returns a model on a stack, for a number of callers at a time. A foreign one
// computes each id alone, as a prover that generates does.
func Stack(m *native.Model, name string, callers int) (calibrate.Stack, error) {
	o := native.Options{Threads: 1, ReuseBytes: -1, MaxSequences: 1}
	switch name {
	case StackNative:
	case StackForeign:
		o.Foreign = native.LikeGPU(gguf.F32)
		o.Foreign.Alone = true
	case StackForeignF16:
		o.Foreign = native.LikeGPU(gguf.F16)
		o.Foreign.Alone = true
	default:
		return nil, fmt.Errorf("stack %q is not known: choose from %s", name, strings.Join(Stacks(), ", "))
	}
	s := make(stack, max(callers, 1))
	for range cap(s) {
		e, err := native.New(m, o)
		if err != nil {
			return nil, err
		}
		s <- e
	}
	return s, nil
}

// A stack is engines, one for each caller: foreign numerics depend on what is computed
// together.
type stack chan *native.Engine

func (s stack) Logits(ctx context.Context, ids []targon.TokenID, each func(int, []float32) error) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case e := <-s:
		defer func() { s <- e }()
		return e.Logits(ctx, ids, each)
	}
}

// Bands are the strata of a pack for a model: temperatures from 0.3 to 2, with and
// without filters, short and of the whole context.
func Bands(m *native.Model) []calibrate.Band {
	filters := []targon.Sampling{
		{TopK: 20},
		{TopK: 50},
		{TopK: 100},
		{TopP: 0.8},
		{TopP: 0.9},
		{TopP: 0.95},
		{MinP: 0.05},
		{TopK: 50, TopP: 0.95},
		{TopP: 0.9, MinP: 0.02},
	}
	var out []calibrate.Band
	for _, length := range slices.Compact([]int{min(shortText, m.Context()), m.Context()}) {
		for _, t := range [][2]float64{{0.3, 0.7}, {0.7, 1.15}, {1.15, 2.01}} {
			for _, f := range [][]targon.Sampling{nil, filters} {
				out = append(out, calibrate.Band{
					MinTemperature: t[0], MaxTemperature: t[1], MaxLength: uint32(length), Filters: f,
				})
			}
		}
	}
	return out
}

// Allowed applies a request's filters as the engine does.
func Allowed() calibrate.Allowed {
	samplers := sync.Pool{New: func() any { return native.NewSampler() }}
	return func(logits []float32, by targon.Sampling) []targon.TokenID {
		s := samplers.Get().(*native.Sampler)
		defer samplers.Put(s)
		return slices.Clone(s.Allowed(logits, by))
	}
}

// CalibrationConfig of [Calibrate].
type CalibrationConfig struct {
	Model            *native.Model
	Prover, Verifier string // of Stacks; empty: StackForeign and StackNative
	Positions        int    // to be scored on both stacks
	Draws            int    // of noise in each stratum; 0: [UsualDraws]
	Seed             uint64
	Progress         func(positions int) // may be nil
}

// UsualDraws is several times what a bound needs: a draw takes a third of a microsecond,
// and bounds of rare flips are the sharper the more there are.
const UsualDraws = 5 * evidence.MinDraws

// Calibrate makes a pack for a model that this program can run on both stacks, from
// texts that the model writes now. Half of the positions are of short texts, half of
// texts up to the whole context; noise is drawn at each as often as the strata need.
func Calibrate(ctx context.Context, c CalibrationConfig) (evidence.Pack, error) {
	p := evidence.NewPack()
	p.Model, p.Weights, p.Sampler = c.Model.Name(), c.Model.Digest(), noise.Targon.Usual().String()
	p.Prover, p.Verifier = orDefault(c.Prover, StackForeign), orDefault(c.Verifier, StackNative)
	workers := runtime.GOMAXPROCS(0)
	prover, err := Stack(c.Model, p.Prover, workers)
	if err != nil {
		return p, err
	}
	verifier, err := Stack(c.Model, p.Verifier, workers)
	if err != nil {
		return p, err
	}
	writer, err := native.New(c.Model, native.Options{})
	if err != nil {
		return p, err
	}
	// A tenth more than asked for: which lengths texts come out with is chance.
	draws := max(cmp.Or(c.Draws, UsualDraws), evidence.MinDraws)
	seeds := max(calibrate.MinSeeds, draws*22/10/max(c.Positions, 1)+1)
	return calibrate.Run(ctx, calibrate.Config{
		Pack: p, Prover: prover, Verifier: verifier, Allowed: Allowed(), EOS: c.Model.EOS(), Bands: Bands(c.Model),
		Seeds: seeds, Seed: c.Seed, Workers: workers, Progress: func(_, positions int) {
			if c.Progress != nil {
				c.Progress(positions)
			}
		},
	}, Texts(ctx, writer, c.Positions, c.Seed))
}

func orDefault(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// shortText is how many ids a short text has at most, prompt and answer together.
const shortText = 192

// Texts writes texts with a number of positions in their answers: openings of stories and
// questions, continued at temperatures from 0.3 to 1.6, half of the positions in short
// texts, half in longer ones, which begin with a story that is there already. It ends
// early with ctx.
func Texts(ctx context.Context, e *native.Engine, positions int, seed uint64) iter.Seq[calibrate.Text] {
	const together = 16 // texts that are written at a time
	return func(yield func(calibrate.Text) bool) {
		rng := rand.New(rand.NewPCG(seed, 0xca11b)) // not the generator that challenges come of
		short, long := 0, 0
		for short+long < positions && ctx.Err() == nil {
			batch := make([]targon.Request, together)
			for i := range batch {
				batch[i] = draft(e.Model(), rng, long < short)
			}
			for _, t := range write(ctx, e, batch) {
				if !yield(t) {
					return
				}
				if len(t.Prompt)+len(t.Answer) > shortText {
					long += len(t.Answer)
				} else {
					short += len(t.Answer)
				}
			}
		}
	}
}

// draft makes a request for a text. A long one begins with up to half of the context.
func draft(m *native.Model, rng *rand.Rand, long bool) targon.Request {
	var prompt []targon.TokenID
	most := min(m.Context(), shortText)
	switch {
	case long && m.Context() > shortText:
		most = m.Context()
		for text := corpus.Document(rng); len(prompt) < shortText; text += corpus.Document(rng) {
			prompt = m.Encode(text, true)
		}
		prompt = prompt[:min(len(prompt), shortText+rng.IntN(max(most/2-shortText, 0)+1))]
	case rng.IntN(4) == 0:
		prompt, _ = m.Render([]chat.Message{{Role: "user", Content: corpus.Question(rng)}})
	}
	if prompt == nil {
		prompt = m.Encode(corpus.Opening(rng), true)
	}
	prompt = prompt[:min(len(prompt), most/2)]
	length := most - len(prompt)
	if !long {
		length = min(length, 32+rng.IntN(96))
	}
	return targon.Request{
		Prompt: prompt, MaxTokens: uint32(length),
		Sampling: targon.Sampling{Temperature: 0.3 + 1.3*rng.Float64(), Seed: rng.Uint64()},
	}
}

// write has answers written together, in the order of the requests. Those that fail are
// left out.
func write(ctx context.Context, e *native.Engine, batch []targon.Request) []calibrate.Text {
	out := make([]calibrate.Text, len(batch))
	var wg sync.WaitGroup
	for i, r := range batch {
		wg.Go(func() {
			t := calibrate.Text{Prompt: r.Prompt}
			for tok, err := range e.Generate(ctx, r) {
				if err != nil {
					return
				}
				t.Answer = append(t.Answer, tok.ID)
			}
			out[i] = t
		})
	}
	wg.Wait()
	return slices.DeleteFunc(out, func(t calibrate.Text) bool { return len(t.Answer) == 0 })
}
