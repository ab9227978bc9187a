package native_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"targon"
	"targon/engine/native"
	"targon/engine/native/gguf"
	"targon/model"
)

func rows(t *testing.T, e *native.Engine, ids []targon.TokenID) (out [][]float32) {
	t.Helper()
	if err := e.Logits(t.Context(), ids, func(_ int, row []float32) error {
		out = append(out, slices.Clone(row))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

func engineOf(t *testing.T, m *native.Model, o native.Options) *native.Engine {
	t.Helper()
	e, err := native.New(m, o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

var fewIDs = []targon.TokenID{1, 17, 300, 42, 42, 900, 5, 1200, 77, 8, 64, 2000}

func rms(a, b [][]float32) float64 {
	sum, n := 0.0, 0
	for i := range a {
		for j := range a[i] {
			d := float64(a[i][j] - b[i][j])
			sum += d * d
			n++
		}
	}
	return math.Sqrt(sum / float64(n))
}

// TestFinetuned: the update moves logits in proportion to its size, and the model knows
// that it is another one.
func TestFinetuned(t *testing.T) {
	m, err := native.Load(model.GGUF())
	if err != nil {
		t.Fatal(err)
	}
	base := rows(t, engineOf(t, m, native.Options{}), fewIDs)
	var moved []float64
	for _, size := range []float64{0.001, 0.01} {
		tuned, err := m.Finetuned(size, 1)
		if err != nil {
			t.Fatal(err)
		}
		if tuned.Digest() == m.Digest() {
			t.Error("the tuned model has the model's digest")
		}
		moved = append(moved, rms(base, rows(t, engineOf(t, tuned, native.Options{}), fewIDs)))
	}
	if moved[0] == 0 || moved[1] < 5*moved[0] || moved[1] > 20*moved[0] {
		t.Errorf("logits are moved by %v", moved)
	}
}

// TestForeignAlone: ids that are given one at a time have the logits of generating.
func TestForeignAlone(t *testing.T) {
	m, err := native.Load(model.GGUF())
	if err != nil {
		t.Fatal(err)
	}
	foreign := native.LikeGPU(gguf.F32)
	together := engineOf(t, m, native.Options{Foreign: foreign, Threads: 1})
	foreign.Alone = true
	alone := engineOf(t, m, native.Options{Foreign: foreign, Threads: 1})
	want := rows(t, alone, fewIDs)
	if rms(want, rows(t, together, fewIDs)) == 0 {
		t.Error("positions computed together are as if computed alone")
	}
	// The engine that computes prompts together generates from a prompt of one id, so
	// that it, too, has computed every position alone.
	var got [][]float32
	r := targon.Request{Prompt: fewIDs[:1], MaxTokens: uint32(len(fewIDs))}
	for _, err := range together.GenerateBy(t.Context(), r, func(row []float32, before int) (targon.TokenID, error) {
		got = append(got, slices.Clone(row))
		return fewIDs[before%len(fewIDs)], nil
	}) {
		if err != nil {
			t.Fatal(err)
		}
	}
	if rms(want, got) != 0 {
		t.Error("generating has other logits")
	}
}

func TestGenerateBy(t *testing.T) {
	m, err := native.Load(model.GGUF())
	if err != nil {
		t.Fatal(err)
	}
	e := engineOf(t, m, native.Options{})
	r := targon.Request{Prompt: fewIDs, MaxTokens: 4}
	var before []int
	var ids []targon.TokenID
	for tok, err := range e.GenerateBy(t.Context(), r, func(row []float32, n int) (targon.TokenID, error) {
		if len(row) != m.Vocab() {
			t.Errorf("%d logits", len(row))
		}
		before = append(before, n)
		return targon.TokenID(100 + n), nil
	}) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, tok.ID)
	}
	if !slices.Equal(before, []int{12, 13, 14, 15}) || !slices.Equal(ids, []targon.TokenID{112, 113, 114, 115}) {
		t.Errorf("asked after %v ids, yielded %v", before, ids)
	}
	broken := errors.New("broken")
	for want, pick := range map[error]native.Pick{
		broken:               func([]float32, int) (targon.TokenID, error) { return 0, broken },
		native.ErrVocabulary: func([]float32, int) (targon.TokenID, error) { return targon.TokenID(m.Vocab()), nil },
	} {
		var got error
		for _, err := range e.GenerateBy(t.Context(), r, pick) {
			got = err
		}
		if !errors.Is(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	}
}
