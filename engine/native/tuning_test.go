package native

import (
	"errors"
	"math"
	"slices"
	"testing"

	"targon"
)

// tuned returns the ids of an answer.
func tunedIDs(t *testing.T, e *Engine, r targon.Request, by Tuning) []targon.TokenID {
	t.Helper()
	var ids []targon.TokenID
	for d, err := range e.Tuned(t.Context(), r, by, -1) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, d.Token.ID)
	}
	return ids
}

// TestTune holds each change of a logit to vLLM's, one id a change: 0 is in the prompt,
// 1 came once, 2 twice, 3 never, 4 in prompt and answer.
func TestTune(t *testing.T) {
	logits := []float32{2, 2, -2, 2, -2}
	for _, c := range []struct {
		name string
		by   Tuning
		want []float32
	}{
		{"repetition", Tuning{Repetition: 2}, []float32{1, 1, -4, 2, -4}},
		{"repetition below 1", Tuning{Repetition: 0.5}, []float32{4, 4, -1, 2, -1}},
		{"frequency", Tuning{Frequency: 0.5}, []float32{2, 1.5, -3, 2, -2.5}},
		{"presence", Tuning{Presence: -1.5}, []float32{2, 3.5, -0.5, 2, -0.5}},
		{"bias", Tuning{Bias: map[targon.TokenID]float32{3: -100, 0: 1}}, []float32{3, 2, -2, -98, -2}},
		{"bias, then repetition, then the others", Tuning{
			Bias: map[targon.TokenID]float32{2: 4}, Repetition: 2, Frequency: 0.25, Presence: 1,
		}, []float32{1, -0.25, -0.5, 2, -5.25}},
	} {
		u := newTuner(c.by, []targon.TokenID{0, 4, 0}, nil)
		for _, id := range []targon.TokenID{2, 1, 4, 2} {
			u.drew(id)
		}
		got := slices.Clone(logits)
		if err := u.tune(got); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, %v, want %v", c.name, got, err, c.want)
		}
	}
	if newTuner(Tuning{Repetition: 1, IgnoreEnds: true}, nil, nil) != nil {
		t.Error("what changes no logit is computed")
	}
}

// TestTuneEdges: penalties cannot make a logit something that is no number, and at least
// one id can be drawn.
func TestTuneEdges(t *testing.T) {
	u := newTuner(Tuning{Repetition: 100}, []targon.TokenID{1}, nil)
	if err := u.tune([]float32{0, -math.MaxFloat32}); !errors.Is(err, targon.ErrRequest) {
		t.Errorf("infinite: %v", err)
	}
	u = newTuner(Tuning{MinTokens: 1}, nil, []targon.TokenID{0, 1})
	if err := u.tune([]float32{0, 1}); !errors.Is(err, targon.ErrRequest) {
		t.Errorf("all ids end the answer: %v", err)
	}
	if err := u.tune([]float32{0, 1, -5}); err != nil {
		t.Errorf("one does not: %v", err)
	}
	u.drew(2)
	logits := []float32{0, 1, -5}
	if err := u.tune(logits); err != nil || logits[1] != 1 {
		t.Errorf("after min_tokens: %v, %v", logits, err)
	}
}

// TestTunedAnswers: what the settings are for comes about.
func TestTunedAnswers(t *testing.T) {
	e := tiny(t, Options{})
	end := e.model.text.eos[0]
	r := targon.Request{Prompt: []targon.TokenID{1, 9, 30}, MaxTokens: 40}
	plain := tunedIDs(t, e, r, Tuning{})
	want, err := answer(t.Context(), e, r)
	if err != nil {
		t.Fatal(err)
	}
	if got := tunedIDs(t, e, r, Tuning{Repetition: 1, Bias: map[targon.TokenID]float32{}}); !slices.Equal(got, plain) {
		t.Errorf("no tuning: %v, want %v", got, plain)
	}
	if got := tunedIDs(t, e, r, Tuning{Bias: map[targon.TokenID]float32{77: 100}}); got[0] != 77 || got[39] != 77 {
		t.Errorf("biased towards 77: %v", got)
	}
	once := tunedIDs(t, e, r, Tuning{Repetition: 100, Presence: 2, Frequency: 2})
	if slices.Sort(once); len(slices.Compact(once)) < 38 {
		t.Errorf("nothing twice: %v", once)
	}
	ending := Tuning{Bias: map[targon.TokenID]float32{end: 100}}
	if got := tunedIDs(t, e, r, ending); len(got) != 1 || got[0] != end {
		t.Errorf("biased towards the end: %v", got)
	}
	ending.MinTokens = 7
	if got := tunedIDs(t, e, r, ending); len(got) != 8 || slices.Index(got, end) != 7 {
		t.Errorf("after seven others: %v", got)
	}
	ending.MinTokens, ending.IgnoreEnds = 0, true
	if got := tunedIDs(t, e, r, ending); len(got) != 40 || got[0] != end {
		t.Errorf("ends that end nothing: %v", got)
	}
	again, err := answer(t.Context(), e, r)
	if err != nil || again != want {
		t.Errorf("an answer after tuned ones: %v, %v, want %v", again, err, want)
	}
	// What is told of a position is the model's own.
	for d, err := range e.Tuned(t.Context(), r, Tuning{Bias: map[targon.TokenID]float32{77: 100}}, 3) {
		if err != nil {
			t.Fatal(err)
		}
		s, err := e.Score(t.Context(), r, []targon.TokenID{77}, targon.Need{Top: 3})
		if err != nil || d.Position.LogProb != s.Positions[0].LogProb || d.Position.Top[0] != s.Positions[0].Top[0] {
			t.Errorf("%+v, %v, want %+v", d.Position, err, s.Positions[0])
		}
		break
	}
}

func TestTuningRefused(t *testing.T) {
	e := tiny(t, Options{})
	r := targon.Request{Prompt: []targon.TokenID{1}, MaxTokens: 2}
	nan := math.NaN()
	for name, by := range map[string]Tuning{
		"repetition below 0": {Repetition: -1}, "repetition NaN": {Repetition: nan}, "repetition above 100": {Repetition: 100.1},
		"frequency": {Frequency: 2.1}, "frequency NaN": {Frequency: nan}, "presence": {Presence: -2.1},
		"bias of no id": {Bias: map[targon.TokenID]float32{301: 1}}, "bias of -1": {Bias: map[targon.TokenID]float32{-1: 1}},
		"large bias": {Bias: map[targon.TokenID]float32{1: 101}}, "bias NaN": {Bias: map[targon.TokenID]float32{1: float32(nan)}},
		"stop of no id": {MinTokens: 1, Stops: []targon.TokenID{301}},
	} {
		n := 0
		for _, err := range e.Tuned(t.Context(), r, by, -1) {
			if n++; !errors.Is(err, targon.ErrRequest) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if n != 1 {
			t.Errorf("%s: %d things yielded", name, n)
		}
	}
}
