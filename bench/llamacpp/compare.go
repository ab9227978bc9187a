package main

import (
	"context"
	"os"
	"slices"
	"time"

	"targon"
	"targon/bench/speed"
	"targon/engine/native"
	"targon/engine/native/gguf"
)

// A result is what one model file showed.
type result struct {
	model, typ, kernel string
	params             int
	decode, score      pair
	logits             difference
	memory             footprint
	read, plain        float64 // bytes in a second of CPU time: of weights by decoding, and just read
}

// A pair is ids in a second of CPU time, and ours over theirs.
type pair struct {
	ours, theirs float64
	ratio        spread
	turns        int
}

// A spread is the median of some figures, and its quartiles.
type spread struct{ low, middle, high float64 }

// A difference is between logits after the same ids.
type difference struct {
	median, worst float64 // between both engines
	same, of      int     // positions with the same likeliest id
	// ours and theirs are from exact logits, the root of the mean square; eight is how far
	// those are that differ from exact ones by 8-bit activations alone, and oursFromEight
	// how far ours are from these after the first id. Both are 0 where nothing is rounded so.
	ours, theirs, eight, oursFromEight float64
}

// leastPairs and mostPairs bound how often both engines take their turn.
const leastPairs, mostPairs = 3, 25

// compare writes a model to path, loads it into both engines, and lets them take turns
// until the time is up.
func compare(ctx context.Context, c comparison, path string, budget time.Duration) (result, error) {
	started := time.Now()
	data, err := c.subject.File()
	if err != nil {
		return result{}, err
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		return result{}, err
	}
	defer os.Remove(path)
	out := result{model: c.subject.Model, typ: c.subject.TypeName()}
	if out.memory, err = peakOf(ctx, path, data); err != nil {
		return result{}, err
	}
	text := speed.NewText(vocabOf(data))
	ids := text.Next(compared)
	truth, err := exactly(data, ids, c.subject.Type == gguf.Q8_0)
	if err != nil {
		return result{}, err
	}
	data = nil //nolint:ineffassign,wastedassign // a gigabyte that the collector may have
	m, err := native.Open(path)
	if err != nil {
		return result{}, err
	}
	e, err := native.New(m, native.Options{Threads: 1})
	if err != nil {
		return result{}, err
	}
	p, err := newPeer(path, max(c.decoded, c.scored)+1, c.scored)
	if err != nil {
		return result{}, err
	}
	defer p.close()
	out.kernel, out.params = e.Kernel(), m.Parameters()
	b := &both{engine: e, peer: p, ids: text}
	if out.logits, err = b.differ(ctx, ids, truth); err != nil {
		return result{}, err
	}
	plain, err := newPlain(path)
	if err != nil {
		return result{}, err
	}
	var decode, score []turn
	var reads []float64
	for n := 0; n < mostPairs && (n < leastPairs || time.Since(started) < budget); n++ {
		d, err := b.decode(ctx, c.decoded)
		if err != nil {
			return result{}, err
		}
		s, err := b.score(ctx, c.scored)
		if err != nil {
			return result{}, err
		}
		decode, score, reads = append(decode, d), append(score, s), append(reads, plain.rate())
	}
	out.decode, out.score = summarise(decode), summarise(score)
	out.read, out.plain = out.decode.ours*float64(m.Multiplied())/float64(m.Parameters())*float64(plain.size()), speed.Median(reads)
	return out, nil
}

// both engines with one model.
type both struct {
	engine *native.Engine
	peer   *peer
	ids    *speed.Text
	seed   uint64
}

// A turn is ids in a second of CPU time.
type turn struct{ ours, theirs float64 }

// rate measures f, which computes a number of ids.
func rate(n int, f func() error) (float64, error) {
	before := speed.CPUTime()
	err := f()
	return float64(n) / max(speed.CPUTime()-before, 1).Seconds(), err
}

// decode has ours answer with up to n ids, drawn with a seed, and theirs take the same
// ids one by one. Theirs draws nothing, which is to its advantage.
func (b *both) decode(ctx context.Context, n int) (t turn, err error) {
	b.seed++
	r := targon.Request{
		Prompt: b.ids.Next(1), MaxTokens: uint32(n), Sampling: targon.Sampling{Temperature: 1, Seed: b.seed},
	}
	ids := slices.Clone(r.Prompt)
	spent := speed.CPUTime()
	for token, err := range b.engine.Generate(ctx, r) {
		if err != nil {
			return t, err
		}
		ids = append(ids, token.ID)
	}
	steps := len(ids) - 1
	t.ours = float64(steps) / max(speed.CPUTime()-spent, 1).Seconds()
	t.theirs, err = rate(steps, func() error {
		for i := range steps {
			if _, err := b.peer.run(ids[i:i+1], i); err != nil {
				return err
			}
		}
		return nil
	})
	return t, err
}

// score has both compute all logits of n new ids in one pass.
func (b *both) score(ctx context.Context, n int) (t turn, err error) {
	ids := b.ids.Next(n)
	t.ours, err = rate(n, func() error {
		return b.engine.Logits(ctx, ids, func(int, []float32) error { return nil })
	})
	if err != nil {
		return t, err
	}
	t.theirs, err = rate(n, func() error {
		_, err := b.peer.run(ids, 0)
		return err
	})
	return t, err
}

// summarise takes medians: of each engine's figures, and of the ratios of pairs.
func summarise(turns []turn) pair {
	var ours, theirs, ratios []float64
	for _, t := range turns {
		ours, theirs, ratios = append(ours, t.ours), append(theirs, t.theirs), append(ratios, t.ours/t.theirs)
	}
	slices.Sort(ratios)
	n := len(ratios)
	return pair{
		ours: speed.Median(ours), theirs: speed.Median(theirs), turns: n,
		ratio: spread{ratios[n/4], speed.Median(ratios), ratios[n-1-n/4]},
	}
}
