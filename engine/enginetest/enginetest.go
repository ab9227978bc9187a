// Package enginetest holds what every engine must do, as a test suite, and makes up
// small models to run it on.
//
// It checks what a caller can see: ids, their number and order, seeds, ends,
// cancellation, and that scoring agrees with generating. It does not know how an
// engine computes, and does not compare engines with each other.
package enginetest

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
	"testing"

	"targon"
	"targon/noise"
)

// Engine is what the suite runs. One that is also a [Scorer] is checked as such.
type Engine interface {
	Generate(ctx context.Context, r targon.Request) iter.Seq2[targon.Token, error]
}

// Scorer tells what the model says about given ids.
type Scorer interface {
	Score(ctx context.Context, r targon.Request, ids []targon.TokenID, need targon.Need) (targon.Scores, error)
}

// Info is what the suite must know of the model behind an engine.
type Info struct {
	Weights targon.Digest // what scores must name
	Vocab   int
	EOS     []targon.TokenID // sorted
	Prompt  []targon.TokenID // a prompt that does not end at once, as a rule
	Tokens  uint32           // how many ids to ask for; 0 is 24
}

// Run checks an engine. open returns one that is ready, and is called for every part.
func Run(t *testing.T, open func(t *testing.T) (Engine, Info)) {
	for _, part := range []struct {
		name string
		run  func(*testing.T, Engine, Info)
	}{
		{"ids", testIDs},
		{"seed", testSeed},
		{"greedy", testGreedy},
		{"end", testEnd},
		{"max tokens", testMaxTokens},
		{"stop", testStop},
		{"cancel", testCancel},
		{"concurrent", testConcurrent},
		{"bad requests", testBadRequests},
		{"score", testScore},
		{"score lists", testScoreLists},
	} {
		t.Run(part.name, func(t *testing.T) {
			e, info := open(t)
			info.Tokens = Request(info, 0, 0).MaxTokens
			part.run(t, e, info)
		})
	}
}

// Request returns a request for the model of info.
func Request(info Info, seed uint64, temperature float64) targon.Request {
	if info.Tokens == 0 {
		info.Tokens = 24
	}
	return targon.Request{
		ID: targon.RequestID{1}, Verifier: targon.Hotkey{1}, Prover: targon.Hotkey{2}, Model: "test",
		Weights: info.Weights, Prompt: info.Prompt, MaxTokens: info.Tokens,
		Sampling: targon.Sampling{Temperature: temperature, Seed: seed},
	}
}

// Collect returns all ids of an answer.
func Collect(t testing.TB, e Engine, r targon.Request) []targon.Token {
	t.Helper()
	var out []targon.Token
	for tok, err := range e.Generate(t.Context(), r) {
		if err != nil {
			t.Fatalf("generate: %v", err)
		}
		out = append(out, tok)
	}
	return out
}

// IDs strips the text off tokens.
func IDs(tokens []targon.Token) []targon.TokenID {
	ids := make([]targon.TokenID, len(tokens))
	for i, tok := range tokens {
		ids[i] = tok.ID
	}
	return ids
}

func testIDs(t *testing.T, e Engine, info Info) {
	for i, tok := range Collect(t, e, Request(info, 1, 1)) {
		if tok.ID < 0 || int(tok.ID) >= info.Vocab {
			t.Errorf("id %d at %d, the vocabulary has %d", tok.ID, i, info.Vocab)
		}
	}
}

func testSeed(t *testing.T, e Engine, info Info) {
	a, b := Collect(t, e, Request(info, 1, 1)), Collect(t, e, Request(info, 1, 1))
	if !slices.Equal(a, b) {
		t.Errorf("one seed, two answers:\n%v\n%v", a, b)
	}
	for seed := uint64(2); ; seed++ { // a short answer may agree by chance
		if !slices.Equal(IDs(a), IDs(Collect(t, e, Request(info, seed, 1)))) {
			return
		}
		if seed == 6 {
			t.Fatal("five other seeds give the same answer")
		}
	}
}

// testGreedy: at temperature 0 the seed means nothing.
func testGreedy(t *testing.T, e Engine, info Info) {
	a, b := Collect(t, e, Request(info, 1, 0)), Collect(t, e, Request(info, 2, 0))
	if !slices.Equal(a, b) {
		t.Errorf("temperature 0 depends on the seed:\n%v\n%v", a, b)
	}
}

// testEnd: an id that ends an answer is the last one and has no text, and an answer
// that is shorter than asked for ends with one.
func testEnd(t *testing.T, e Engine, info Info) {
	for seed := range uint64(8) {
		r := Request(info, seed, 1.5)
		got := Collect(t, e, r)
		for i, tok := range got {
			_, end := slices.BinarySearch(info.EOS, tok.ID)
			if end && i != len(got)-1 {
				t.Fatalf("seed %d: id %d ends an answer but %d ids follow", seed, tok.ID, len(got)-1-i)
			}
			if end && tok.Text != "" {
				t.Errorf("seed %d: the end has the text %q", seed, tok.Text)
			}
		}
		if _, end := slices.BinarySearch(info.EOS, got[len(got)-1].ID); len(got) < int(r.MaxTokens) && !end {
			t.Errorf("seed %d: %d of %d ids without an end", seed, len(got), r.MaxTokens)
		}
	}
}

// testMaxTokens: a shorter answer is the beginning of a longer one.
func testMaxTokens(t *testing.T, e Engine, info Info) {
	r := Request(info, 3, 1)
	long := IDs(Collect(t, e, r))
	for _, n := range []uint32{1, 2, info.Tokens - 1} {
		r.MaxTokens = n
		got := IDs(Collect(t, e, r))
		if want := long[:min(int(n), len(long))]; !slices.Equal(got, want) {
			t.Errorf("max_tokens %d: %v, want %v", n, got, want)
		}
	}
}

// testStop: a caller may leave, and the engine goes on for others.
func testStop(t *testing.T, e Engine, info Info) {
	for range 3 {
		for _, err := range e.Generate(t.Context(), Request(info, 1, 1)) {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
	}
	if len(Collect(t, e, Request(info, 1, 1))) == 0 {
		t.Error("no answer after others were left")
	}
}

// testCancel: after cancellation comes at most one more id, then the error.
func testCancel(t *testing.T, e Engine, info Info) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	after, last := 0, error(nil)
	for _, err := range e.Generate(ctx, Request(info, 1, 1)) {
		if err != nil {
			last = err
			break
		}
		if ctx.Err() != nil {
			after++
		}
		cancel()
	}
	if info.Tokens > 2 && (!errors.Is(last, context.Canceled) || after > 1) {
		t.Errorf("%d ids after cancellation, error %v", after, last)
	}
	for _, err := range e.Generate(ctx, Request(info, 1, 1)) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("a cancelled call: %v", err)
		}
	}
}

// testConcurrent: answers given side by side are those given alone.
func testConcurrent(t *testing.T, e Engine, info Info) {
	const calls = 6
	var want, got [calls][]targon.Token
	for i := range calls {
		want[i] = Collect(t, e, Request(info, uint64(i), 1))
	}
	var wg sync.WaitGroup
	for i := range calls {
		wg.Go(func() {
			for tok, err := range e.Generate(t.Context(), Request(info, uint64(i), 1)) {
				if err != nil {
					t.Errorf("call %d: %v", i, err)
					return
				}
				got[i] = append(got[i], tok)
			}
		})
	}
	wg.Wait()
	for i := range calls {
		if !slices.Equal(got[i], want[i]) {
			t.Errorf("call %d among others gives %v, alone %v", i, got[i], want[i])
		}
	}
}

// testBadRequests: what cannot be answered is one error and no id.
func testBadRequests(t *testing.T, e Engine, info Info) {
	for name, change := range map[string]func(*targon.Request){
		"no prompt":     func(r *targon.Request) { r.Prompt = nil },
		"id too high":   func(r *targon.Request) { r.Prompt = []targon.TokenID{targon.TokenID(info.Vocab)} },
		"id below zero": func(r *targon.Request) { r.Prompt = []targon.TokenID{-1} },
		"no max_tokens": func(r *targon.Request) { r.MaxTokens = 0 },
		"prompt too big": func(r *targon.Request) {
			r.Prompt = make([]targon.TokenID, targon.MaxPromptTokens+targon.MaxOutputTokens)
		},
	} {
		r := Request(info, 1, 1)
		change(&r)
		ids, errs := 0, 0
		for _, err := range e.Generate(t.Context(), r) {
			if err != nil {
				errs++
			} else {
				ids++
			}
		}
		if ids != 0 || errs != 1 {
			t.Errorf("%s: %d ids and %d errors, want one error", name, ids, errs)
		}
	}
}

// testScore: every id that the engine drew is the seeded winner by its own scores.
func testScore(t *testing.T, e Engine, info Info) {
	s, ok := e.(Scorer)
	if !ok {
		t.Skip("the engine does not score")
	}
	for _, temperature := range []float64{0, 0.7, 1} {
		r := Request(info, 5, temperature)
		ids := IDs(Collect(t, e, r))
		scores, err := s.Score(t.Context(), r, ids, targon.Need{Top: info.Vocab})
		if err != nil {
			t.Fatal(err)
		}
		if scores.Weights != info.Weights || scores.Vocab != info.Vocab || !slices.Equal(scores.EOS, info.EOS) || len(scores.Positions) != len(ids) {
			t.Fatalf("scores of %v: %d ids, ends %v, %d positions", scores.Weights, scores.Vocab, scores.EOS, len(scores.Positions))
		}
		for j, p := range scores.Positions {
			if got := winner(p.Top, r.Sampling, len(r.Prompt)+j); got != ids[j] || p.Claimed.ID != ids[j] {
				t.Errorf("temperature %v, position %d: drew %d, scores make %d the winner", temperature, j, ids[j], got)
			}
		}
	}
}

// winner repeats the draw from scores, the plain way.
func winner(all []targon.Scored, by targon.Sampling, position int) targon.TokenID {
	best, value := targon.TokenID(-1), 0.0
	for _, c := range all {
		v := float64(c.Logit)
		if by.Temperature > 0 {
			v = noise.Perturb(c.Logit, by.Temperature, noise.Gumbel(by.Seed, uint32(position), uint32(c.ID)))
		}
		if best < 0 || v > value || v == value && c.ID < best {
			best, value = c.ID, v
		}
	}
	return best
}

// testScoreLists: lists are sorted, cut, and say the same as each other.
func testScoreLists(t *testing.T, e Engine, info Info) {
	s, ok := e.(Scorer)
	if !ok {
		t.Skip("the engine does not score")
	}
	r := Request(info, 5, 1)
	ids := IDs(Collect(t, e, r))
	also := make([][]targon.TokenID, len(ids))
	for j := range also {
		also[j] = []targon.TokenID{targon.TokenID(info.Vocab - 1), 0, ids[j]}
	}
	few, err := s.Score(t.Context(), r, ids, targon.Need{Top: 3, Also: also})
	if err != nil {
		t.Fatal(err)
	}
	all, err := s.Score(t.Context(), r, ids, targon.Need{Top: info.Vocab + 10})
	if err != nil {
		t.Fatal(err)
	}
	for j, p := range all.Positions {
		if len(p.Top) != info.Vocab || !slices.IsSortedFunc(p.Top, before) {
			t.Fatalf("position %d: %d of %d ids, or not by falling logit", j, len(p.Top), info.Vocab)
		}
		if !slices.Equal(few.Positions[j].Top, p.Top[:3]) {
			t.Errorf("position %d: top three %v, of all %v", j, few.Positions[j].Top, p.Top[:3])
		}
		if p.Top[p.Rank] != p.Claimed {
			t.Errorf("position %d: rank %d is %v, claimed %v", j, p.Rank, p.Top[p.Rank], p.Claimed)
		}
		if p.LogProb > 0 {
			t.Errorf("position %d: log-probability %v", j, p.LogProb)
		}
		for i, c := range few.Positions[j].Also {
			if c.ID != also[j][i] || !slices.Contains(p.Top, c) {
				t.Errorf("position %d: asked for id %d, got %v", j, also[j][i], c)
			}
		}
	}
}

func before(a, b targon.Scored) int {
	if a.Logit > b.Logit || a.Logit == b.Logit && a.ID < b.ID {
		return -1
	}
	return 1
}
