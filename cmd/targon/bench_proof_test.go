package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"targon"
	"targon/bench/trial"
	"targon/engine/native"
	"targon/evidence"
	"targon/node"
)

// roomyPack is a pack of the built-in model that any honest answer fits in.
func roomyPack(t *testing.T) []byte {
	t.Helper()
	m, err := native.Load(builtinModel())
	if err != nil {
		t.Fatal(err)
	}
	p := evidence.NewPack()
	p.Model, p.Weights, p.Sampler = m.Name(), m.Digest(), "targon"
	p.Prover, p.Verifier = node.StackForeign, node.StackNative
	for _, filtered := range []bool{false, true} {
		s := evidence.Stratum{MinTemperature: 0.3, MaxTemperature: 2.01, MaxLength: 512, Filtered: filtered}
		for c := range targon.GapClass(targon.GapClasses) {
			d := evidence.Draws{Class: c, Draws: 10_000_000}
			if c < targon.GapClassOf(1e-2) {
				d.Flips = 100_000
			}
			s.Counts = append(s.Counts, d)
		}
		p.Strata = append(p.Strata, s)
	}
	b, err := encodePack(p)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestBenchProof: the last line is the report, notes go elsewhere, and the page is
// written where it is asked for.
func TestBenchProof(t *testing.T) {
	if testing.Short() {
		t.Skip("generates some thousand ids")
	}
	folder := t.TempDir()
	pack := filepath.Join(folder, "pack.json")
	if err := os.WriteFile(pack, roomyPack(t), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := newProofTrial(proofTrial{model: builtinModel, usual: func(tokens uint64) trial.Options {
		return trial.Options{Tokens: tokens, Requests: 8, Texts: 2, Months: 4, WorstMonths: 4, Candidates: 4, Turns: 1, Seed: 1}
	}})
	var out, notes bytes.Buffer
	cmd.SetArgs([]string{"--json", "--tokens", "500", "--cheat", "replay", "--pack", pack, "--page", folder, "--at", "abc1234"})
	cmd.SetOut(&out)
	cmd.SetErr(&notes)
	if err := cmd.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	var report trial.Report
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &report); err != nil || len(report.Cheats) != 1 || report.Cheats[0].Name != "replay" {
		t.Errorf("last line %q: %v", lines[len(lines)-1], err)
	}
	if !strings.Contains(notes.String(), ": replay (1 of 2): one answer, for ever\n") {
		t.Errorf("notes %q", &notes)
	}
	page, err := os.ReadFile(filepath.Join(folder, "proof.md"))
	if err != nil || !strings.Contains(string(page), "at commit abc1234. Machine: ") {
		t.Errorf("page %q, %v", page, err)
	}
}

func TestBenchProofFlags(t *testing.T) {
	for want, args := range map[string][]string{
		"--tokens 10":       {"--tokens", "10"},
		`--cheat "foreign"`: {"--cheat", "foreign"},
		`--cheat "nobody"`:  {"--cheat", "replay,nobody"},
		"no pack of its":    nil,
		"--pack: open":      {"--pack", "testdata/nothing"},
		"calibration pack":  {"--pack", "bench_proof_test.go"},
	} {
		cmd := newBenchProofCommand(nil)
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		cmd.SetArgs(args)
		if err := cmd.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", args, err, want)
		}
	}
}
