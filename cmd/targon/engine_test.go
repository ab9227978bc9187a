package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"targon/engine/enginetest"
)

// runEngine runs one of the engine's tools and returns what it printed.
func runEngine(t *testing.T, builtin []byte, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	cmd := newEngineCommand(func() []byte { return builtin })
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs(args)
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	err := cmd.ExecuteContext(t.Context())
	return out.String(), err
}

func engineModel(t *testing.T, noText bool) []byte {
	t.Helper()
	shape := enginetest.Tiny()
	shape.NoText = noText
	data, err := enginetest.RandomModel(shape)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestEngineScore(t *testing.T) {
	dir := t.TempDir()
	model, ids, out := filepath.Join(dir, "m.gguf"), filepath.Join(dir, "ids.json"), filepath.Join(dir, "out.f32")
	write(t, model, engineModel(t, true))
	write(t, ids, []byte("[1, 5, 300]"))
	var sums []string
	for _, kernel := range []string{"", "portable"} {
		t.Setenv(kernelVariable, kernel)
		printed, err := runEngine(t, nil, "score", "--model", model, "--tokens", ids, "--logits", out)
		if err != nil {
			t.Fatal(err)
		}
		var line struct {
			Positions, Vocabulary int
			Sum                   string `json:"logits_sha256"`
		}
		if err := json.Unmarshal([]byte(printed), &line); err != nil || strings.Count(printed, "\n") != 1 {
			t.Fatalf("printed %q: %v", printed, err)
		}
		data, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(data)
		if line.Positions != 3 || line.Vocabulary != 301 || len(data) != 4*3*301 || line.Sum != hex.EncodeToString(sum[:]) {
			t.Errorf("printed %s for %d bytes", printed, len(data))
		}
		sums = append(sums, line.Sum)
	}
	if sums[0] != sums[1] {
		t.Errorf("kernels differ: %v", sums)
	}
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestEngineTokenizeAndGenerate(t *testing.T) {
	model := engineModel(t, false)
	printed, err := runEngine(t, model, "tokenize", "--text", "abc", "--bos")
	var ids []int
	if err != nil || json.Unmarshal([]byte(printed), &ids) != nil || len(ids) < 2 || ids[0] != 1 {
		t.Errorf("tokenize printed %q, %v", printed, err)
	}
	args := []string{"generate", "--prompt", "abc", "--max-tokens", "9", "--seed", "3", "--temperature", "0.8"}
	printed, err = runEngine(t, model, append(args, "--json")...)
	var g generation
	if err != nil || json.Unmarshal([]byte(printed), &g) != nil || len(g.Tokens) == 0 || len(g.Tokens) > 9 || len(g.Prompt) != len(ids) {
		t.Fatalf("generate printed %q, %v", printed, err)
	}
	plain, err := runEngine(t, model, args...)
	if err != nil || plain != g.Text+"\n" {
		t.Errorf("generate printed %q, as JSON %q, %v", plain, g.Text, err)
	}
}

// TestEngineGenerateSettings: each setting does what it is for.
func TestEngineGenerateSettings(t *testing.T) {
	model := engineModel(t, false)
	run := func(args ...string) (g generation) {
		t.Helper()
		printed, err := runEngine(t, model, append([]string{"generate", "--prompt", "abc", "--max-tokens", "9", "--json"}, args...)...)
		if err != nil || json.Unmarshal([]byte(printed), &g) != nil {
			t.Fatalf("%v printed %q, %v", args, printed, err)
		}
		return g
	}
	greedy := run("--temperature", "0")
	for _, narrow := range [][]string{{"--top-k", "1"}, {"--top-p", "1e-9"}, {"--min-p", "0.9999999"}} {
		if g := run(append(narrow, "--seed", "5")...); !slices.Equal(g.Tokens, greedy.Tokens) {
			t.Errorf("%v: %v, want the likeliest %v", narrow, g.Tokens, greedy.Tokens)
		}
	}
	biased := run("--logit-bias", "77=100", "--logit-bias", "78=-1")
	if biased.Tokens[0] != 77 || biased.Tokens[8] != 77 || biased.Finish != "length" || biased.Text == "" {
		t.Fatalf("biased: %+v", biased)
	}
	piece := biased.Text[:len(biased.Text)/9]
	if g := run("--logit-bias", "77=100", "--stop", piece); g.Text != "" || len(g.Tokens) != 1 || g.Finish != "stop" {
		t.Errorf("stopped at %q: %+v", piece, g)
	}
	if g := run("--logit-bias", "77=100", "--stop", piece, "--min-tokens", "2"); g.Text != piece+piece || len(g.Tokens) != 3 {
		t.Errorf("stopped at the third %q: %+v", piece, g)
	}
	if g := run("--logit-bias", "2=100"); len(g.Tokens) != 1 || g.Finish != "stop" {
		t.Errorf("ended: %+v", g)
	}
	if g := run("--logit-bias", "2=100", "--ignore-eos"); len(g.Tokens) != 9 || g.Finish != "length" {
		t.Errorf("an end that ends nothing: %+v", g)
	}
	often := run("--temperature", "0", "--repetition-penalty", "100", "--frequency-penalty", "2", "--presence-penalty", "2")
	if slices.Sort(often.Tokens); len(slices.Compact(often.Tokens)) < 8 {
		t.Errorf("penalised: %v", often.Tokens)
	}
}

// TestEngineRefuses: each fault is one clear line, and leaves no file behind.
func TestEngineRefuses(t *testing.T) {
	dir := t.TempDir()
	path := func(name, content string) string {
		p := filepath.Join(dir, name)
		write(t, p, []byte(content))
		return p
	}
	model, out := engineModel(t, false), filepath.Join(dir, "out.f32")
	good := path("good.json", "[1,2]")
	for name, c := range map[string]struct {
		says string
		args []string
	}{
		"foreign file":    {"gguf", []string{"score", "--model", path("x.gguf", "hello"), "--tokens", good, "--logits", out}},
		"truncated file":  {"gguf", []string{"score", "--model", path("t.gguf", string(model[:5000])), "--tokens", good, "--logits", out}},
		"no file":         {"no such file", []string{"score", "--model", filepath.Join(dir, "none"), "--tokens", good, "--logits", out}},
		"not ids":         {"JSON array", []string{"score", "--tokens", path("a.json", "{}"), "--logits", out}},
		"no ids":          {"empty", []string{"score", "--tokens", path("b.json", "[]"), "--logits", out}},
		"wrong id":        {"301", []string{"score", "--tokens", path("c.json", "[1,301]"), "--logits", out}},
		"negative id":     {"-1", []string{"score", "--tokens", path("d.json", "[-1]"), "--logits", out}},
		"no flag":         {"tokens", []string{"score", "--logits", out}},
		"unknown flag":    {"--abc", []string{"score", "--abc"}},
		"temperature":     {"temperature", []string{"generate", "--prompt", "a", "--temperature", "3"}},
		"top-p":           {"top-p", []string{"generate", "--prompt", "a", "--top-p", "0"}},
		"top-p above 1":   {"top_p", []string{"generate", "--prompt", "a", "--top-p", "1.1"}},
		"min-p":           {"min_p", []string{"generate", "--prompt", "a", "--min-p", "1"}},
		"repetition":      {"repetition", []string{"generate", "--prompt", "a", "--repetition-penalty", "0"}},
		"presence":        {"presence", []string{"generate", "--prompt", "a", "--presence-penalty", "3"}},
		"bias":            {"ID=VALUE", []string{"generate", "--prompt", "a", "--logit-bias", "7"}},
		"bias of no id":   {"301", []string{"generate", "--prompt", "a", "--logit-bias", "301=1"}},
		"empty stop":      {"stop", []string{"generate", "--prompt", "a", "--stop", ""}},
		"too many tokens": {"context", []string{"generate", "--prompt", "a", "--max-tokens", "600"}},
		"no tokens":       {"max_tokens", []string{"generate", "--prompt", "a", "--max-tokens", "0"}},
	} {
		_, err := runEngine(t, model, c.args...)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want it to say %q", name, err, c.says)
		} else if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: more than a line: %q", name, err)
		}
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%s: left %s behind", name, out)
		}
	}
	if _, err := runEngine(t, engineModel(t, true), "tokenize", "--text", "a"); err == nil || !strings.Contains(err.Error(), "tokenizer") {
		t.Errorf("no tokenizer: %v", err)
	}
	t.Setenv(kernelVariable, "abacus")
	if _, err := runEngine(t, model, "generate", "--prompt", "a"); err == nil || !strings.Contains(err.Error(), "portable") {
		t.Errorf("unknown kernel: %v", err)
	}
}

// TestEngineScoreKeeps: what lies where the logits go stays until they are whole, and a
// device is written to, not replaced or removed.
func TestEngineScoreKeeps(t *testing.T) {
	dir := t.TempDir()
	path := func(name, content string) string {
		p := filepath.Join(dir, name)
		write(t, p, []byte(content))
		return p
	}
	model, good, bad, out := path("m.gguf", string(engineModel(t, true))), path("good.json", "[1,5]"), path("bad.json", "[1,301]"), path("out.f32", "before")
	for _, c := range []struct {
		ids  string
		size int
	}{{bad, len("before")}, {good, 2 * 301 * 4}, {bad, 2 * 301 * 4}} {
		_, err := runEngine(t, nil, "score", "--model", model, "--tokens", c.ids, "--logits", out)
		data, e := os.ReadFile(out)
		if (err == nil) != (c.ids == good) || e != nil || len(data) != c.size {
			t.Errorf("%s: %v, %d bytes are there, want %d (%v)", c.ids, err, len(data), c.size, e)
		}
	}
	if left, err := filepath.Glob(filepath.Join(dir, ".*")); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	link := filepath.Join(dir, "null")
	if err := os.Symlink(os.DevNull, link); err != nil {
		t.Skipf("no links here: %v", err)
	}
	for _, ids := range []string{good, bad} {
		_, err := runEngine(t, nil, "score", "--model", model, "--tokens", ids, "--logits", link)
		if info, e := os.Lstat(link); (err == nil) != (ids == good) || e != nil || info.Mode()&os.ModeSymlink == 0 {
			t.Errorf("a device with %s: %v, %v", ids, err, e)
		}
	}
}
