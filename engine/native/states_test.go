package native_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"targon"
	"targon/engine/enginetest"
	"targon/engine/native"
	"targon/engine/native/gguf"
)

// TestStates: the states are what the output matrix reads: multiplied by it they are the
// logits after each id, whatever the threads and the kernel, to the last bit.
func TestStates(t *testing.T) {
	shape := enginetest.Tiny()
	m := random(t, shape)
	e := engine(t, m, native.Options{})
	r := targon.Request{Prompt: someIDs(50, m.Vocab())}
	ids := someIDs(130, m.Vocab())
	states, err := e.States(t.Context(), r, ids)
	if err != nil || len(states) != len(ids) {
		t.Fatalf("%d states, %v", len(states), err)
	}
	data, err := enginetest.RandomModel(shape)
	if err != nil {
		t.Fatal(err)
	}
	file, err := gguf.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	ref := reference{t, file}
	output := "output.weight"
	if _, ok := file.Tensor(output); !ok {
		output = "token_embd.weight"
	}
	err = e.Logits(t.Context(), slices.Concat(r.Prompt, ids), func(at int, logits []float32) error {
		if at < len(r.Prompt) || at%17 != 0 {
			return nil
		}
		wide := make([]float64, len(states[0]))
		for i, v := range states[at-len(r.Prompt)] {
			wide[i] = float64(v)
		}
		for id, want := range ref.times(output, wide) {
			if math.Abs(want-float64(logits[id])) > 1e-4*(1+math.Abs(want)) {
				t.Fatalf("position %d, id %d: %v, the logit is %v", at, id, want, logits[id])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []native.Options{{Threads: 2}, {Kernel: "portable", Threads: 1}} {
		e := engine(t, m, o)
		for _, n := range []int{len(ids), 1, 3} { // steps of few ids are shared out otherwise
			again, err := e.States(t.Context(), r, ids[:n])
			if err != nil || !slices.EqualFunc(states[:n], again, slices.Equal[[]float32]) {
				t.Errorf("%+v, %d ids: other bits, %v", o, n, err)
			}
		}
	}
	short := targon.Request{Prompt: r.Prompt[:1]}
	one, err := e.States(t.Context(), short, ids[:2])
	if err != nil {
		t.Fatal(err)
	}
	if two, err := engine(t, m, native.Options{Threads: 2}).States(t.Context(), short, ids[:2]); err != nil || !slices.EqualFunc(one, two, slices.Equal[[]float32]) {
		t.Errorf("a step of three ids on two threads: other bits, %v", err)
	}
}

// TestStatesOfNothing: what cannot be scored has no states either.
func TestStatesOfNothing(t *testing.T) {
	m := random(t, enginetest.Tiny())
	e := engine(t, m, native.Options{})
	prompt := someIDs(3, m.Vocab())
	if got, err := e.States(t.Context(), targon.Request{Prompt: prompt}, nil); got != nil || err != nil {
		t.Errorf("of no ids: %v, %v", got, err)
	}
	for name, c := range map[string]struct {
		prompt, ids []targon.TokenID
		want        error
	}{
		"no prompt":   {nil, prompt, targon.ErrRequest},
		"unknown id":  {prompt, []targon.TokenID{targon.TokenID(m.Vocab())}, native.ErrVocabulary},
		"too long":    {prompt, make([]targon.TokenID, m.Context()), native.ErrContext},
		"negative id": {prompt, []targon.TokenID{-1}, native.ErrVocabulary},
	} {
		if _, err := e.States(t.Context(), targon.Request{Prompt: c.prompt}, c.ids); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.States(ctx, targon.Request{Prompt: prompt}, prompt); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
