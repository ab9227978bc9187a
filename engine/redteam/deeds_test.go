package redteam_test

import (
	"math"
	"slices"
	"testing"

	"targon"
	"targon/engine/native"
	"targon/engine/redteam"
	"targon/proof"
)

func (b bench) cheat(t *testing.T, name string) redteam.Engine {
	t.Helper()
	e, err := redteam.New(name, b.honest, native.Options{Threads: 1}, 7)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestWhenItCheats: long-only and one-in-ten are the engine of 4 bits where they cheat,
// and the honest one to the last id where they do not.
func TestWhenItCheats(t *testing.T) {
	b := newBench(t)
	cheap := b.cheat(t, "q4_0")
	for _, c := range []struct {
		name   string
		id     byte
		length uint32
		cheats bool
	}{
		{"long-only", 10, 79, false},
		{"long-only", 3, 80, true},
		{"one-in-ten", 10, 79, true},
		{"one-in-ten", 3, 80, false},
	} {
		e := b.cheat(t, c.name)
		differ := 0
		for i, opening := range openings[:4] {
			r := b.request(i, opening, c.length)
			r.ID[0] = c.id
			honest, want := answer(t, b.honest, r), answer(t, b.honest, r)
			if c.cheats {
				want = answer(t, cheap, r)
			}
			if got := answer(t, e, r); !slices.Equal(got, want) {
				t.Errorf("%s, request %d of %d ids: cheats %v, want %v", c.name, c.id, c.length, !slices.Equal(got, honest), c.cheats)
			}
			if !slices.Equal(honest, want) {
				differ++
			}
		}
		if c.cheats && differ == 0 {
			t.Error("4 bits change nothing")
		}
	}
}

// TestLastTenth: nine tenths of the honest engine, rounded down, then what the engine of
// 4 bits goes on with; an answer that ends before is honest altogether.
func TestLastTenth(t *testing.T) {
	b := newBench(t)
	e, cheap := b.cheat(t, "last-tenth"), b.cheat(t, "q4_0")
	for i, length := range []uint32{60, 61, 5} {
		r := b.request(i, openings[i], length)
		head := r
		head.MaxTokens = length * 9 / 10
		want := answer(t, b.honest, head)
		rest := r
		rest.Prompt, rest.MaxTokens = slices.Concat(r.Prompt, want), length-head.MaxTokens
		if want = append(want, answer(t, cheap, rest)...); !slices.Equal(answer(t, e, r), want) {
			t.Errorf("%d ids: %v, want %v", length, answer(t, e, r), want)
		}
		for range e.Generate(t.Context(), r) {
			break // who has heard enough is not told more
		}
	}
	r := ending(b)
	if got := answer(t, e, r); !slices.Equal(got, answer(t, b.honest, r)) {
		t.Error("it goes on after the end")
	}
}

// TestPregenerated: of four answers under seeds of its own it gives the one that begins
// like the honest answer for longest, of equals the first.
func TestPregenerated(t *testing.T) {
	b := newBench(t)
	e := b.cheat(t, "pregenerate")
	chosen := map[int]int{}
	for i := range 24 {
		r := b.request(i, openings[i%len(openings)], 5)
		r.Sampling.Temperature = 0.7
		honest := answer(t, b.honest, r)[:4]
		var want []targon.TokenID
		best, most := 0, -1
		for k := range 4 {
			guess := r
			guess.Sampling.Seed = 7 + uint64(k)
			if ids := answer(t, b.honest, guess); agree(honest, ids) > most {
				want, best, most = ids, k, agree(honest, ids)
			}
		}
		chosen[best]++
		if got := answer(t, e, r); !slices.Equal(got, want) {
			t.Errorf("request %d: %v, want %v, number %d, which has %d ids of %v", i, got, want, best, most, honest)
		}
	}
	if len(chosen) < 2 {
		t.Errorf("chosen are %v: the test does not see much", chosen)
	}
}

// TestLookupFirst: of answers to prompts that resemble a new one alike, the oldest is given.
func TestLookupFirst(t *testing.T) {
	b := newBench(t)
	e := b.cheat(t, "lookup")
	var first []targon.TokenID
	for i := range 16 {
		if ids := answer(t, e, b.request(i, openings[0], 12)); i == 0 {
			first = ids
		}
	}
	if got := answer(t, e, b.request(50, openings[0], 12)); !slices.Equal(got, first) {
		t.Errorf("%v, want %v", got, first)
	}
}

// TestLossyDraft: an id that is not the honest winner was found plausible.
func TestLossyDraft(t *testing.T) {
	b := newBench(t)
	e := b.cheat(t, "lossy-draft")
	flips := 0
	for i := range 4 {
		r := b.request(i, openings[i], 60)
		r.Weights = b.model.Digest()
		ids := answer(t, e, r)
		s, err := b.honest.Score(t.Context(), r, ids, targon.Need{Top: b.model.Vocab()})
		if err != nil {
			t.Fatal(err)
		}
		marks, err := proof.Margins(targon.Transcript{Request: r, Tokens: ids}, s, proof.Replay{})
		if err != nil {
			t.Fatal(err)
		}
		for j, m := range marks {
			p := s.Positions[j]
			least := min(0.3, math.Sqrt(0.3)*math.Exp(-p.Drawn.Entropy))
			if m.Flipped() {
				flips++
				if math.Exp(p.LogProb) < least-1e-6 {
					t.Errorf("answer %d, position %d: an id of probability %.3g is kept, plausible is %.3g", i, j, math.Exp(p.LogProb), least)
				}
			}
		}
	}
	if flips < 4 {
		t.Errorf("only %d ids of the draft differ", flips)
	}
}

// TestFiller: pad goes on with the ids of the prompt, from its first.
func TestFiller(t *testing.T) {
	b := newBench(t)
	r := ending(b)
	got := answer(t, b.cheat(t, "pad"), r)
	n := len(answer(t, b.honest, r)) - 1
	for i, id := range got[n:] {
		if want := r.Prompt[i%len(r.Prompt)]; id != want && !slices.Contains(b.model.EOS(), want) {
			t.Fatalf("id %d after the end is %d, want %d", i, id, want)
		}
	}
}

// TestRetokenizedEnds: text has no end of sequence; what ended by itself says so all the same.
func TestRetokenizedEnds(t *testing.T) {
	b := newBench(t)
	e := b.cheat(t, "retokenized")
	r := ending(b)
	honest := answer(t, b.honest, r)
	if got := answer(t, e, r); got[len(got)-1] != honest[len(honest)-1] {
		t.Errorf("%v does not end as %v", got, honest)
	}
}

// TestHalfTheLayers: the first half of the layers, the middle one of an odd number included.
func TestHalfTheLayers(t *testing.T) {
	b := newBench(t)
	small, ok := b.cheat(t, "smaller-model").(*native.Engine)
	if want := (b.model.Layers() + 1) / 2; !ok || small.Model().Layers() != want {
		t.Errorf("not an engine of %d layers", want)
	}
}
