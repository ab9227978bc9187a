package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"targon/bench/speed"
	"targon/engine/native/gguf"
	"targon/engine/native/madeup"
)

// TestBenchEngine: the last line is the report; without --json there is a table.
func TestBenchEngine(t *testing.T) {
	subject := speed.Random("tiny", gguf.F16, madeup.Shape{
		Dim: 32, FFN: 32, Layers: 1, Heads: 2, KVHeads: 1, Head: 16, Vocab: 300, Context: 256, Seed: 1,
	})
	run := func(args ...string) (stdout, stderr string) {
		var out, notes bytes.Buffer
		cmd := newBenchEngineCommand([]speed.Subject{subject})
		cmd.SetArgs(append(args, "--time", "0s"))
		cmd.SetOut(&out)
		cmd.SetErr(&notes)
		if err := cmd.ExecuteContext(t.Context()); err != nil {
			t.Fatal(err)
		}
		return out.String(), notes.String()
	}
	out, notes := run("--json")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	var report speed.Report
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &report); err != nil || len(report.Rows) < 3 {
		t.Errorf("last line %q: %v", lines[len(lines)-1], err)
	}
	if notes != "targon: measuring tiny F16\n" {
		t.Errorf("notes %q", notes)
	}
	table, _ := run()
	if n := strings.Count(table, "\n"); n != 1+len(report.Rows) || !strings.Contains(table, report.Rows[0].Logits[:8]) {
		t.Errorf("table of %d lines, want %d with the hash of logits:\n%s", n, 1+len(report.Rows), table)
	}
}

func TestBenchEngineFlags(t *testing.T) {
	cmd := newBenchEngineCommand(nil)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs([]string{"--time", "-1s"})
	if err := cmd.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), "--time") {
		t.Errorf("a negative time: %v", err)
	}
}
