package redteam

import (
	"context"
	"iter"
	"slices"
	"sync"

	"targon"
	"targon/engine/native/gguf"
)

// quarter is the type of weights of 4 bits.
const quarter = gguf.Q4_0

// collect returns a whole answer.
func collect(ctx context.Context, e Engine, r targon.Request) ([]targon.Token, error) {
	var all []targon.Token
	for t, err := range e.Generate(ctx, r) {
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, nil
}

func ids(all []targon.Token) []targon.TokenID {
	out := make([]targon.TokenID, len(all))
	for i, t := range all {
		out[i] = t.ID
	}
	return out
}

// send yields an answer that is at hand.
func send(ctx context.Context, all []targon.Token, yield func(targon.Token, error) bool) {
	for _, t := range all {
		if !yield(t, ctx.Err()) || ctx.Err() != nil {
			return
		}
	}
}

// A teller answers with something that it makes of a request.
type teller func(ctx context.Context, r targon.Request) ([]targon.Token, error)

// Generate yields what the teller tells.
func (t teller) Generate(ctx context.Context, r targon.Request) iter.Seq2[targon.Token, error] {
	return func(yield func(targon.Token, error) bool) {
		all, err := t(ctx, r)
		if err != nil {
			yield(targon.Token{}, err)
			return
		}
		send(ctx, all, yield)
	}
}

// truncating claims after half of the ids that the model had stopped.
func truncating(m *maker) (Engine, error) {
	eos := m.model.EOS()
	return teller(func(ctx context.Context, r targon.Request) ([]targon.Token, error) {
		half := r
		half.MaxTokens = max(1, r.MaxTokens/2)
		all, err := collect(ctx, m.honest, half)
		if err != nil || len(all) < int(half.MaxTokens) || len(eos) == 0 {
			return all, err // it has ended by itself
		}
		return append(all, targon.Token{ID: eos[0]}), nil
	}), nil
}

// replaying answers once, and repeats that answer for ever after.
func replaying(m *maker) (Engine, error) {
	var mu sync.Mutex
	var tape []targon.Token
	return teller(func(ctx context.Context, r targon.Request) ([]targon.Token, error) {
		mu.Lock()
		defer mu.Unlock()
		if tape == nil {
			all, err := collect(ctx, m.honest, r)
			if err != nil {
				return nil, err
			}
			tape = all
		}
		return tape[:min(len(tape), int(r.MaxTokens))], nil
	}), nil
}

// stored is how many answers lookup keeps.
const stored = 16

// lookup answers with what it once answered to the prompt that has most ids in common,
// from its end on.
func lookup(m *maker) (Engine, error) {
	type old struct {
		prompt []targon.TokenID
		answer []targon.Token
	}
	var mu sync.Mutex
	var table []old
	return teller(func(ctx context.Context, r targon.Request) ([]targon.Token, error) {
		mu.Lock()
		defer mu.Unlock()
		if len(table) < stored {
			all, err := collect(ctx, m.honest, r)
			if err == nil {
				table = append(table, old{slices.Clone(r.Prompt), all})
			}
			return all, err
		}
		best, most := 0, -1
		for i, o := range table {
			if n := common(o.prompt, r.Prompt); n > most {
				best, most = i, n
			}
		}
		answer := table[best].answer
		return answer[:min(len(answer), int(r.MaxTokens))], nil
	}), nil
}

// common counts equal ids from the end on.
func common(a, b []targon.TokenID) (n int) {
	for n < min(len(a), len(b)) && a[len(a)-1-n] == b[len(b)-1-n] {
		n++
	}
	return n
}

// pregenerated has four answers to a prompt, under seeds of its own, before it is asked,
// and gives the one that begins like the seeded answer for longest.
func pregenerated(m *maker) (Engine, error) {
	return teller(func(ctx context.Context, r targon.Request) ([]targon.Token, error) {
		begin := r
		begin.MaxTokens = min(4, r.MaxTokens)
		want, err := collect(ctx, m.honest, begin)
		if err != nil {
			return nil, err
		}
		var best []targon.Token
		most := -1
		for i := range uint64(4) {
			guess := r
			guess.Sampling.Seed = m.seed + i
			all, err := collect(ctx, m.honest, guess)
			if err != nil {
				return nil, err
			}
			n := 0
			for n < min(len(all), len(want)) && all[n].ID == want[n].ID {
				n++
			}
			if n > most {
				best, most = all, n
			}
		}
		return best, nil
	}), nil
}

// spare is how many more ids retokenized asks for, since others may be fewer.
const spare = 16

// retokenized turns the answer's text into ids again, which are not always the same.
func retokenized(m *maker) (Engine, error) {
	return teller(func(ctx context.Context, r targon.Request) ([]targon.Token, error) {
		more := r
		more.MaxTokens = min(r.MaxTokens+spare, uint32(max(m.model.Context()-len(r.Prompt), 1)))
		all, err := collect(ctx, m.honest, more)
		if err != nil {
			return nil, err
		}
		text, ended := "", false
		for _, t := range all {
			text += t.Text
			ended = slices.Contains(m.model.EOS(), t.ID)
		}
		var out []targon.Token
		for _, id := range m.model.Encode(text, false) {
			out = append(out, targon.Token{ID: id})
		}
		if ended {
			out = append(out, all[len(all)-1])
		}
		return out[:min(len(out), int(r.MaxTokens))], nil
	}), nil
}
