package native_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"targon"
	"targon/engine/enginetest"
	"targon/engine/native"
)

// TestTrace: what is traced is what is generated, with the positions that Score finds.
func TestTrace(t *testing.T) {
	m := random(t, enginetest.Tiny())
	e := engine(t, m, native.Options{})
	r := targon.Request{Prompt: someIDs(9, m.Vocab()), MaxTokens: 120, Sampling: targon.Sampling{Temperature: 1, Seed: 4}}
	for _, top := range []int{0, 5} {
		var tokens []targon.Token
		var positions []targon.Position
		for d, err := range e.Trace(t.Context(), r, top) {
			if err != nil {
				t.Fatal(err)
			}
			tokens, positions = append(tokens, d.Token), append(positions, d.Position)
		}
		if d := cmp.Diff(enginetest.Collect(t, e, r), tokens); d != "" {
			t.Errorf("top %d: tokens (-generated +traced):\n%s", top, d)
		}
		scores, err := e.Score(t.Context(), r, enginetest.IDs(tokens), targon.Need{Top: top})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(scores.Positions, positions); d != "" {
			t.Errorf("top %d: positions (-scored +traced):\n%s", top, d)
		}
	}
	r.Prompt = nil
	for top, want := range map[int]error{-1: targon.ErrRequest, 0: targon.ErrRequest} {
		for _, err := range e.Trace(t.Context(), r, top) {
			if !errors.Is(err, want) {
				t.Errorf("top %d of an empty prompt: %v", top, err)
			}
		}
	}
}

// TestTextOfPrompt: Text is what Prompt reads, control tokens included.
func TestTextOfPrompt(t *testing.T) {
	m := random(t, enginetest.Tiny())
	for _, text := range []string{"hello", " two  words ", "é€😀", "<s>hello</s>", ""} {
		ids := m.Prompt(text, false)
		if got := m.Text(ids); got != text {
			t.Errorf("%q became %v and then %q", text, ids, got)
		}
	}
	if got := m.Prompt("<s>", true); len(got) != 2 || got[0] != 1 || got[1] != 1 {
		t.Errorf("begin-of-text, spelled after the model's own: %v", got)
	}
	for id, want := range map[targon.TokenID]string{1: "<s>", 2: "</s>", 3 + 0xe2: "\uFFFD", -1: "", 1 << 30: ""} {
		if got := m.Spelling(id); got != want {
			t.Errorf("id %d is spelled %q, want %q", id, got, want)
		}
	}
	shape := enginetest.Tiny()
	shape.NoText = true
	if m = random(t, shape); m.Prompt("a", true) != nil || m.Text([]targon.TokenID{1}) != "" || m.Spelling(1) != "" {
		t.Error("text without a tokenizer")
	}
}
