package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"targon"
	"targon/evidence"
	"targon/node"
)

// TestProofFlags: which packs a verifier ends up with.
func TestProofFlags(t *testing.T) {
	m, err := loadModel("", builtinModel)
	if err != nil {
		t.Fatal(err)
	}
	pack := func(weights targon.Digest, prover string) []byte {
		p := evidence.NewPack()
		p.Model, p.Weights, p.Prover, p.Verifier, p.Sampler = "m", weights, prover, node.StackNative, "targon"
		p.Strata = []evidence.Stratum{{
			MinTemperature: 0.3, MaxTemperature: 1, MaxLength: 64, Counts: []evidence.Draws{{Class: 50, Draws: evidence.MinDraws}},
		}}
		b, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	dir := t.TempDir()
	file := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	a, b := file("a", pack(m.Digest(), "a")), file("b", pack(m.Digest(), "b"))
	other := file("other", pack(targon.Digest{1}, "a"))
	own := pack(m.Digest(), "own")
	for _, c := range []struct {
		name    string
		flags   proofFlags
		builtin []byte
		want    string // stacks, or part of the error
	}{
		{"exact", proofFlags{by: "exact"}, own, ""},
		{"exact with packs", proofFlags{by: "exact", packs: []string{a}}, own, "error: packs are for --proof margin"},
		{"margin", proofFlags{by: "margin"}, own, "own"},
		{"margin with files", proofFlags{by: "margin", packs: []string{a, b}}, own, "a b"},
		{"margin without any", proofFlags{by: "margin"}, nil, "error: targon calibrate makes it"},
		{"the same twice", proofFlags{by: "margin", packs: []string{a, a}}, own, "error: given twice"},
		{"another model's", proofFlags{by: "margin", packs: []string{other}}, own, "error: make one with targon calibrate"},
		{"built in for another model", proofFlags{by: "margin"}, pack(targon.Digest{1}, "own"), "error: make one with targon calibrate"},
		{"neither", proofFlags{}, own, "error: choose exact or margin"},
	} {
		packs, err := c.flags.read(m, c.builtin)
		var got []string
		for _, p := range packs {
			got = append(got, p.Prover)
		}
		text := strings.Join(got, " ")
		if err != nil {
			text = "error: " + err.Error()
		}
		if wrong, bad := strings.CutPrefix(c.want, "error: "); bad != (err != nil) || !strings.Contains(text, wrong) || !bad && text != c.want {
			t.Errorf("%s: %q, want %q", c.name, text, c.want)
		}
	}
}
