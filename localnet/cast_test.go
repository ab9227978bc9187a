package localnet

import (
	"context"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"targon"
	"targon/engine/enginetest"
	"targon/engine/native"
	"targon/prover"
)

func TestSplitCheats(t *testing.T) {
	for _, c := range []struct {
		given []string
		want  []string
		ok    bool
	}{
		{[]string{"none"}, nil, true},
		{[]string{"replay"}, []string{"replay"}, true},
		{[]string{"replay,silent"}, []string{"replay", "silent"}, true},
		{[]string{"replay", "model:a/b.gguf,silent"}, []string{"replay", "model:a/b.gguf", "silent"}, true},
		{[]string{"model:a.gguf", "model:b.gguf"}, []string{"model:a.gguf", "model:b.gguf"}, true},
		{[]string{"foreign,temp-0.9"}, []string{"foreign", "temp-0.9"}, true},
		{[]string{"none,replay"}, nil, false},
		{[]string{"none", "replay"}, nil, false},
		{[]string{"model:"}, nil, false},
		{[]string{""}, nil, false},
		{[]string{"Replay"}, nil, false},
	} {
		got, err := SplitCheats(c.given)
		if (err == nil) != c.ok || c.ok && !slices.Equal(got, c.want) {
			t.Errorf("SplitCheats(%q) = %q, %v", c.given, got, err)
		}
	}
}

// toy is a small random model and its honest engine.
func toy(t *testing.T) (*native.Model, *native.Engine) {
	t.Helper()
	shape := enginetest.Tiny()
	shape.Dim, shape.FFN, shape.Heads, shape.Head = 64, 96, 4, 16 // rows that quantise
	data, err := enginetest.RandomModel(shape)
	if err != nil {
		t.Fatal(err)
	}
	m, err := native.Load(data)
	if err != nil {
		t.Fatal(err)
	}
	e, err := native.New(m, native.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return m, e
}

func question(m *native.Model, seed uint64) targon.Request {
	return targon.Request{
		Verifier: targon.Hotkey{1}, Prover: targon.Hotkey{2}, Model: "toy", Prompt: []targon.TokenID{1, 5, 7},
		Sampling: targon.Sampling{Temperature: 1, Seed: seed}, MaxTokens: 20,
	}
}

func answer(t *testing.T, e prover.Engine, r targon.Request) []targon.TokenID {
	t.Helper()
	var ids []targon.TokenID
	for tok, err := range e.Generate(t.Context(), r) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, tok.ID)
	}
	return ids
}

// TestCheatsCheat holds each cheat to its name: what it answers differs from the
// honest answer in the way that it should, and in no other.
func TestCheatsCheat(t *testing.T) {
	m, honest := toy(t)
	first, second := question(m, 1), question(m, 2)
	right1, right2 := answer(t, honest, first), answer(t, honest, second)
	if slices.Equal(right1, right2) || len(right1) < 20 {
		t.Fatalf("the toy model cannot tell seeds apart: %v, %v", right1, right2)
	}
	for _, c := range []struct {
		cheat string
		check func(got1, got2 []targon.TokenID) bool
	}{
		{"other-model", func(a, _ []targon.TokenID) bool { return !slices.Equal(a, right1) }},
		{"replay", func(a, b []targon.TokenID) bool { return slices.Equal(a, right1) && slices.Equal(b, right1) }},
		{"truncate", func(a, _ []targon.TokenID) bool {
			return len(a) == 11 && slices.Equal(a[:10], right1[:10]) && slices.Contains(m.EOS(), a[10])
		}},
		{"wrong-seed", func(a, b []targon.TokenID) bool { return !slices.Equal(a, right1) && !slices.Equal(b, right2) }},
		{"buffer", func(a, b []targon.TokenID) bool { return slices.Equal(a, right1) && slices.Equal(b, right2) }},
	} {
		e, err := cheating(c.cheat, honest, native.Options{}, 1)
		if err != nil {
			t.Fatal(err)
		}
		got1, got2 := answer(t, e, first), answer(t, e, second)
		if !c.check(got1, got2) {
			t.Errorf("%s answers\n%v\n%v\nto what an honest prover answers\n%v\n%v", c.cheat, got1, got2, right1, right2)
		}
	}
}

// TestQuantizedFlips: rounding the weights changes an answer once in a while.
func TestQuantizedFlips(t *testing.T) {
	m, honest := toy(t)
	e, err := cheating("quantized", honest, native.Options{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	differ := 0
	for seed := range uint64(50) {
		if !slices.Equal(answer(t, e, question(m, seed)), answer(t, honest, question(m, seed))) {
			differ++
		}
	}
	if differ == 0 || differ == 50 {
		t.Errorf("%d of 50 answers differ, want some and not all", differ)
	}
}

func TestSilentEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	n := 0
	for _, err := range (silent{}).Generate(ctx, targon.Request{}) {
		if n++; err == nil {
			t.Error("silent prover said something")
		}
	}
	if n != 1 {
		t.Errorf("%d answers, want one error", n)
	}
}

// timed yields three ids, each after a pause.
type timed time.Duration

func (d timed) Generate(context.Context, targon.Request) iter.Seq2[targon.Token, error] {
	return func(yield func(targon.Token, error) bool) {
		for id := range 3 {
			time.Sleep(time.Duration(d))
			if !yield(targon.Token{ID: targon.TokenID(id)}, nil) {
				return
			}
		}
	}
}

func TestCast(t *testing.T) {
	c := Config{Honest: 3, Cheats: []string{"replay", "model:a/b.gguf"}}
	want := []seat{
		{name: "honest 1"},
		{name: "honest 2"},
		{name: "honest, half speed", slow: true},
		{name: "replay", cheat: "replay"},
		{name: "model:b.gguf", cheat: "model:a/b.gguf"},
	}
	if d := cmp.Diff(want, c.seats(), cmp.AllowUnexported(seat{})); d != "" {
		t.Errorf("seats (-want +got):\n%s", d)
	}
	if s := (Config{Honest: 2}).seats(); s[1].slow {
		t.Error("of two honest provers none is slow")
	}
}
