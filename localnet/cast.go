package localnet

import (
	"context"
	"fmt"
	"iter"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"targon"
	"targon/engine/native"
	"targon/engine/native/gguf"
	"targon/engine/redteam"
	"targon/prover"
)

// The cast: every way of cheating that `up` shows, as a decorator of the honest
// engine or as an engine over other weights. A cheat lies through this one seam
// only; the prover around it signs and streams like any other. Those of package
// redteam may be asked for by name, and so may its honest control on other numerics.

// Cheats lists the cast that `up` starts when nothing else is asked for.
func Cheats() []string {
	return []string{"quantized", "other-model", "replay", "truncate", "wrong-seed", "buffer", "silent"}
}

// modelCheat is the prefix of a cheat that runs a file of the user's choice.
const modelCheat = "model:"

// everyCheat lists all that can be asked for by name, Foreign included, which is none.
func everyCheat() []string {
	names := Cheats()
	for _, n := range append(redteam.Names(), redteam.Foreign) {
		if !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	return names
}

// SplitCheats reads comma-separated lists of cheat names, given once or often;
// "none" alone is the empty cast.
func SplitCheats(values []string) ([]string, error) {
	var names []string
	for n := range strings.SplitSeq(strings.Join(values, ","), ",") {
		path, isFile := strings.CutPrefix(n, modelCheat)
		switch {
		case n == "none" && len(values) == 1 && values[0] == "none":
			return nil, nil
		case isFile && path != "", slices.Contains(everyCheat(), n):
			names = append(names, n)
		default:
			return nil, fmt.Errorf("unknown cheat %q: choose from %s, %sPATH.gguf, or none alone", n, strings.Join(everyCheat(), ", "), modelCheat)
		}
	}
	return names, nil
}

// label is how a cheat is named in tables: a model's path is cut to its base.
func label(cheat string) string {
	if path, ok := strings.CutPrefix(cheat, modelCheat); ok {
		return modelCheat + filepath.Base(path)
	}
	return cheat
}

// cheating returns the engine of a prover that cheats in the named way while the
// network's model is the one that honest runs.
func cheating(cheat string, honest *native.Engine, o native.Options, seed uint64) (prover.Engine, error) {
	m := honest.Model()
	if path, ok := strings.CutPrefix(cheat, modelCheat); ok {
		other, err := native.Open(path)
		if err != nil {
			return nil, fmt.Errorf("cheat %s: %w", label(cheat), err)
		}
		return native.New(other, o)
	}
	switch cheat {
	case "quantized":
		q, err := m.Requantized(gguf.Q4_0)
		if err != nil {
			return nil, fmt.Errorf("cheat %s: %w", cheat, err)
		}
		return native.New(q, o)
	case "other-model":
		fewer, err := m.WithoutLayer(1)
		if err != nil {
			return nil, fmt.Errorf("cheat %s: %w", cheat, err)
		}
		return native.New(fewer, o)
	case "replay":
		return &replaying{inner: honest}, nil
	case "truncate":
		return truncating{inner: honest, eos: m.EOS()}, nil
	case "wrong-seed":
		return reseeding{inner: honest}, nil
	case "buffer":
		return buffering{inner: honest}, nil
	case "silent":
		return silent{}, nil
	}
	return redteam.New(cheat, honest, o, seed)
}

// replaying answers honestly once and repeats that answer for ever after.
type replaying struct {
	inner prover.Engine
	mu    sync.Mutex
	tape  []targon.Token
}

func (e *replaying) Generate(ctx context.Context, r targon.Request) iter.Seq2[targon.Token, error] {
	return func(yield func(targon.Token, error) bool) {
		e.mu.Lock()
		tape := e.tape
		e.mu.Unlock()
		if tape != nil {
			for _, t := range tape[:min(len(tape), int(r.MaxTokens))] {
				if !yield(t, ctx.Err()) {
					return
				}
			}
			return
		}
		for t, err := range e.inner.Generate(ctx, r) {
			if err != nil {
				yield(t, err)
				return
			}
			if tape = append(tape, t); !yield(t, nil) {
				break // who asked has all it wanted
			}
		}
		e.mu.Lock()
		e.tape = tape
		e.mu.Unlock()
	}
}

// truncating claims after half of the ids that the model had stopped.
type truncating struct {
	inner prover.Engine
	eos   []targon.TokenID
}

func (e truncating) Generate(ctx context.Context, r targon.Request) iter.Seq2[targon.Token, error] {
	return func(yield func(targon.Token, error) bool) {
		n := uint32(0)
		for t, err := range e.inner.Generate(ctx, r) {
			if n++; n > r.MaxTokens/2 && err == nil && len(e.eos) > 0 {
				yield(targon.Token{ID: e.eos[0]}, nil)
				return
			}
			if !yield(t, err) {
				return
			}
		}
	}
}

// reseeding draws with a seed of its own, as an engine without seed control does.
type reseeding struct{ inner prover.Engine }

func (e reseeding) Generate(ctx context.Context, r targon.Request) iter.Seq2[targon.Token, error] {
	r.Sampling.Seed ^= 0x5eed
	return e.inner.Generate(ctx, r)
}

// buffering computes the whole answer and sends it in one burst, which flatters
// whoever measures only the time between the first and the last id.
type buffering struct{ inner prover.Engine }

func (e buffering) Generate(ctx context.Context, r targon.Request) iter.Seq2[targon.Token, error] {
	return func(yield func(targon.Token, error) bool) {
		var all []targon.Token
		for t, err := range e.inner.Generate(ctx, r) {
			if err != nil {
				yield(t, err)
				return
			}
			all = append(all, t)
		}
		for _, t := range all {
			if !yield(t, nil) {
				return
			}
		}
	}
}

// silent accepts every request and never answers.
type silent struct{}

func (silent) Generate(ctx context.Context, _ targon.Request) iter.Seq2[targon.Token, error] {
	return func(yield func(targon.Token, error) bool) {
		<-ctx.Done()
		yield(targon.Token{}, ctx.Err())
	}
}

// halfSpeed is honest: after each id it waits as long as the engine took for it.
type halfSpeed struct{ inner prover.Engine }

func (e halfSpeed) Generate(ctx context.Context, r targon.Request) iter.Seq2[targon.Token, error] {
	return func(yield func(targon.Token, error) bool) {
		asked := time.Now()
		for t, err := range e.inner.Generate(ctx, r) {
			if err == nil {
				select {
				case <-time.After(time.Since(asked)):
				case <-ctx.Done():
				}
			}
			if !yield(t, err) {
				return
			}
			asked = time.Now()
		}
	}
}
