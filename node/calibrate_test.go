package node_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"targon"
	"targon/calibrate"
	"targon/engine/native"
	"targon/engine/native/gguf"
	"targon/evidence"
	"targon/model"
	"targon/node"
)

func tiny(t *testing.T) *native.Model {
	t.Helper()
	m, err := native.Load(model.GGUF())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestStacks: every name is a stack, the foreign ones round otherwise, and each gives the
// same numbers to whoever asks.
func TestStacks(t *testing.T) {
	m := tiny(t)
	text := calibrate.Text{Prompt: m.Encode("Once upon a time", true), Answer: m.Encode(" there was a harbour", false)}
	var seen [][][]float32
	for _, name := range node.Stacks() {
		s, err := node.Stack(m, name, 2)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			rows, err := calibrate.Rows(t.Context(), s, text)
			if err != nil {
				t.Fatal(err)
			}
			seen = append(seen, rows)
		}
	}
	equal := func(a, b [][]float32) bool { return slices.EqualFunc(a, b, slices.Equal) }
	for i := 0; i < len(seen); i += 2 {
		if !equal(seen[i], seen[i+1]) {
			t.Errorf("%s is not the same twice", node.Stacks()[i/2])
		}
		if i > 0 && equal(seen[0], seen[i]) {
			t.Errorf("%s rounds as %s does", node.Stacks()[i/2], node.Stacks()[0])
		}
	}
	if _, err := node.Stack(m, "abacus", 1); err == nil {
		t.Error("a stack that is not known is made")
	}
}

// TestTexts: both kinds are written, within the context, the same for the same seed.
func TestTexts(t *testing.T) {
	m := tiny(t)
	e, err := native.New(m, native.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var all [2][]calibrate.Text
	for i := range all {
		all[i] = slices.Collect(node.Texts(t.Context(), e, 1200, 5))
	}
	if len(all[0]) == 0 || !slices.EqualFunc(all[0], all[1], func(a, b calibrate.Text) bool {
		return slices.Equal(a.Prompt, b.Prompt) && slices.Equal(a.Answer, b.Answer)
	}) {
		t.Error("texts are not the same twice")
	}
	short, long := 0, 0
	for _, x := range all[0] {
		if n := len(x.Prompt) + len(x.Answer); n > m.Context() {
			t.Errorf("a text of %d ids", n)
		} else if n > 192 {
			long++
		} else {
			short++
		}
	}
	if short == 0 || long == 0 {
		t.Errorf("%d short texts and %d long ones", short, long)
	}
}

// TestCalibrate: few positions make no pack, but what there is names model and stacks.
func TestCalibrate(t *testing.T) {
	m := tiny(t)
	s, err := node.Stack(m, node.StackNative, 1)
	if err != nil {
		t.Fatal(err)
	}
	p := evidence.NewPack()
	p.Model, p.Prover, p.Verifier, p.Sampler = m.Name(), node.StackNative, node.StackNative, "targon"
	e, err := native.New(m, native.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p, err = calibrate.Run(t.Context(), calibrate.Config{
		Pack: p, Prover: s, Verifier: s, Allowed: node.Allowed(), EOS: m.EOS(), Bands: node.Bands(m), Seeds: 16,
	}, node.Texts(t.Context(), e, 300, 1))
	if !errors.Is(err, evidence.ErrPack) {
		t.Errorf("a pack of a few hundred positions: %v", err)
	}
	if len(p.Strata) != 12 {
		t.Fatalf("%d strata", len(p.Strata))
	}
	filtered := false
	for _, s := range p.Strata {
		for _, c := range s.Counts {
			if c.Flips > 0 {
				t.Errorf("a stack differs from itself: %+v", c)
			}
		}
		filtered = filtered || s.Filtered && s.Positions > 0
	}
	if !filtered {
		t.Error("nothing was filtered")
	}
	if _, err := node.Calibrate(t.Context(), node.CalibrationConfig{Model: m, Prover: "abacus", Positions: 1000}); err == nil {
		t.Error("a stack that is not known is calibrated")
	}
}

// TestAllowed is the engine's own filter.
func TestAllowed(t *testing.T) {
	got := node.Allowed()([]float32{1, 3, 2, 0}, targon.Sampling{Temperature: 1, TopK: 2})
	slices.Sort(got)
	if !slices.Equal(got, []targon.TokenID{1, 2}) {
		t.Errorf("allowed %v", got)
	}
}

// TestBuiltinPack: the pack in the repository is about the built-in model, fresh honest
// answers of the stack stay within its bounds, and weights of 4 bits do not.
func TestBuiltinPack(t *testing.T) {
	m := tiny(t)
	p, err := evidence.ReadPack(bytes.NewReader(model.Pack()))
	if err != nil {
		t.Fatal(err)
	}
	if p.Weights != m.Digest() || p.Model != m.Name() || p.Prover != node.StackForeign || p.Verifier != node.StackNative {
		t.Errorf("a pack of %s, weights %s, for %s as %s sees it", p.Model, p.Weights, p.Prover, p.Verifier)
	}
	if len(model.Pack()) > 100<<10 {
		t.Errorf("%d bytes", len(model.Pack()))
	}
	stratum, ok := p.Find(targon.Sampling{Temperature: 1}, 160)
	if !ok {
		t.Fatal("usual challenges are in no stratum")
	}
	bets := p.Bets(stratum)
	four, err := m.Requantized(gguf.Q4_0)
	if err != nil {
		t.Fatal(err)
	}
	e, err := native.New(m, native.Options{})
	if err != nil {
		t.Fatal(err)
	}
	texts := slices.Collect(node.Texts(t.Context(), e, 400, 77)) // another seed than the pack's
	for _, c := range []struct {
		name   string
		model  *native.Model
		stack  string
		honest bool
	}{{"foreign", m, node.StackForeign, true}, {"q4_0", four, node.StackNative, false}} {
		ours, err := node.Stack(m, node.StackNative, 1)
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := node.Stack(c.model, c.stack, 1)
		if err != nil {
			t.Fatal(err)
		}
		var s evidence.Stream
		d := calibrate.NewDrawing(rand.New(rand.NewPCG(3, 3)), nil)
		for _, text := range texts {
			a, err := calibrate.Rows(t.Context(), ours, text)
			if err != nil {
				t.Fatal(err)
			}
			b, err := calibrate.Rows(t.Context(), theirs, text)
			if err != nil {
				t.Fatal(err)
			}
			for range 8 { // answers to as many seeds
				var x targon.Tally
				for j := range a {
					d.Set(a[j], b[j], targon.Sampling{Temperature: 1})
					k := d.Draw(m.EOS())
					x.Add(k.Class, k.Ending, k.Flip)
				}
				s.Add(bets.Of(x))
			}
		}
		if convicted := s.LogE() >= 7_130_898_831; convicted == c.honest {
			t.Errorf("%s: convicted %v, ln e = %.1f", c.name, convicted, float64(s.LogE())/1e9)
		}
	}
}
