package node

import (
	"math/rand/v2"
	"testing"

	"targon/engine/native"
	"targon/engine/native/chat"
	"targon/model"
)

// TestDraft: a quarter of the short texts begin as a question to an assistant, the others
// as stories; long ones begin with more than a short text holds, and leave half the
// context to be written.
func TestDraft(t *testing.T) {
	m, err := native.Load(model.GGUF())
	if err != nil {
		t.Fatal(err)
	}
	start := len(m.Encode("", true))
	asked, err := m.Render([]chat.Message{{Role: "user", Content: "x"}})
	if err != nil {
		t.Fatal(err)
	}
	rng, questions := rand.New(rand.NewPCG(1, 2)), 0
	const drafts = 400
	for range drafts {
		r := draft(m, rng, false)
		if n := len(r.Prompt); n <= start || n > shortText/2 || n+int(r.MaxTokens) > shortText || r.MaxTokens < 32 {
			t.Fatalf("a short text of %d ids and %d", n, r.MaxTokens)
		}
		if r.Prompt[start] == asked[start] {
			questions++
		}
	}
	if share := float64(questions) / drafts; share < 0.17 || share > 0.33 {
		t.Errorf("%v of the short texts are questions", share)
	}
	for range 20 {
		r := draft(m, rng, true)
		if n := len(r.Prompt); n < shortText || n > m.Context()/2 || n+int(r.MaxTokens) != m.Context() {
			t.Errorf("a long text of %d ids and %d", n, r.MaxTokens)
		}
	}
}

// TestCalibrationStacks: unless others are named, a pack is about the foreign stack as
// the native one sees it; a stack that is not known makes none.
func TestCalibrationStacks(t *testing.T) {
	m, err := native.Load(model.GGUF())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ prover, verifier, wantProver, wantVerifier string }{
		{"abacus", "", "abacus", StackNative},
		{"", "abacus", StackForeign, "abacus"},
		{StackForeignF16, "abacus", StackForeignF16, "abacus"},
	} {
		p, err := Calibrate(t.Context(), CalibrationConfig{Model: m, Prover: c.prover, Verifier: c.verifier})
		if err == nil || p.Prover != c.wantProver || p.Verifier != c.wantVerifier {
			t.Errorf("%q seen by %q: %q by %q, %v", c.prover, c.verifier, p.Prover, p.Verifier, err)
		}
	}
}
