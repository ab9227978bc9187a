package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"targon"
	"targon/engine/enginetest"
	"targon/engine/native"
	"targon/engine/native/gguf"
	"targon/model"
)

// offline are the outside of tests that fetch nothing.
func offline() modelOutside {
	return modelOutside{
		lookup:   func(string) (string, bool) { return "", false },
		cache:    func() (string, error) { return "", os.ErrPermission },
		terminal: func(io.Writer) bool { return false },
	}
}

func runModel(ctx context.Context, o modelOutside, args ...string) (stdout, stderr string, err error) {
	var out, diag bytes.Buffer
	cmd := newModelCommandWith(o) //nolint:contextcheck // ExecuteContext gives it ctx
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs(args)
	cmd.SetOut(&out)
	cmd.SetErr(&diag)
	err = cmd.ExecuteContext(ctx)
	return out.String(), diag.String(), err
}

// TestModelScripts runs the scripts of testdata/model: the manual of the command on the
// files tiny.gguf (rows of no use to any block format) and wide.gguf (rows of 256).
func TestModelScripts(t *testing.T) {
	wide := enginetest.Shape{Dim: 256, FFN: 256, Layers: 1, Heads: 2, KVHeads: 1, Head: 128, Vocab: 300, Context: 64, Type: gguf.F32, Seed: 2}
	files := map[string][]byte{}
	for name, shape := range map[string]enginetest.Shape{"tiny.gguf": enginetest.Tiny(), "wide.gguf": wide} {
		data, err := enginetest.RandomModel(shape)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = data
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/model",
		Setup: func(e *testscript.Env) error {
			for name, data := range files {
				if err := os.WriteFile(filepath.Join(e.WorkDir, name), data, 0o600); err != nil {
					return err
				}
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"model": modelScriptCommand},
	})
}

// modelScriptCommand is `[!] model ARG...`: `targon model ARG...` in this process.
func modelScriptCommand(ts *testscript.TestScript, neg bool, args []string) {
	for i, a := range args {
		if strings.HasSuffix(a, ".gguf") {
			args[i] = ts.MkAbs(a)
		}
	}
	stdout, stderr, err := runModel(context.Background(), offline(), args...)
	shorter := func(s string) string { return strings.ReplaceAll(s, ts.MkAbs(".")+string(filepath.Separator), "") }
	fmt.Fprint(ts.Stdout(), shorter(stdout))
	fmt.Fprint(ts.Stderr(), shorter(stderr))
	if err != nil {
		fmt.Fprintln(ts.Stderr(), "targon: "+shorter(strings.Join(strings.Fields(err.Error()), " ")))
	}
	if (err != nil) != neg {
		ts.Fatalf("model %q: %v", args, err)
	}
}

// TestInspectJSON: what a script reads.
func TestInspectJSON(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "odd.gguf")
	f := &gguf.File{}
	for key, v := range map[string]any{
		"general.name": "\x1b[31mred", "odd.nan": math.NaN(), "odd.bytes": []uint8{1, 2}, "odd.long": make([]float32, 100), "odd.none": []string{},
	} {
		if err := f.Set(key, v); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Add(&gguf.Tensor{Name: "a\nb", Type: gguf.Q6_K, Dims: []uint64{256, 2}, Data: make([]byte, 420)}); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := gguf.Write(&b, f); err != nil {
		t.Fatal(err)
	}
	write(t, path, b.Bytes())
	stdout, _, err := runModel(t.Context(), offline(), "inspect", path, "--json")
	var got inspection
	if err != nil || json.Unmarshal([]byte(stdout), &got) != nil || strings.Count(stdout, "\n") != 1 {
		t.Fatalf("printed %q: %v", stdout, err)
	}
	if got.Parameters != 512 || got.Bytes != b.Len() || len(got.Types) != 1 || got.Types[0] != (typeSummary{"Q6_K", 1, 512, 420}) {
		t.Errorf("printed %s", stdout)
	}
	for _, m := range got.Metadata {
		switch m.Key {
		case "odd.nan":
			if m.Value != "NaN" {
				t.Errorf("NaN is %v", m.Value)
			}
		case "odd.bytes":
			if fmt.Sprint(m.Value) != "[1 2]" || *m.Length != 2 {
				t.Errorf("bytes are %v", m.Value)
			}
		case "odd.long":
			if m.Value != nil || *m.Length != 100 {
				t.Errorf("a long list is %v", m.Value)
			}
		}
	}
	stdout, _, err = runModel(t.Context(), offline(), "inspect", path)
	if err != nil || strings.ContainsRune(stdout, 0x1b) || !strings.Contains(stdout, `"a\nb"`) {
		t.Errorf("a file's names reach the terminal as they are: %q, %v", stdout, err)
	}
}

// TestQuantizeRuns: what quantize writes is a model that the engine runs, with the
// digest that inspect prints and the words of the original.
func TestQuantizeRuns(t *testing.T) {
	dir := t.TempDir()
	in := filepath.Join(dir, "in.gguf")
	write(t, in, engineModel(t, false))
	for _, typ := range []string{"q8_0", "Q4_0", "q4_k", "f16"} {
		out := filepath.Join(dir, typ+".gguf")
		if _, _, err := runModel(t.Context(), offline(), "quantize", in, out, "--type", typ); err != nil {
			t.Fatalf("%s: %v", typ, err)
		}
		m, err := native.Open(out)
		if err != nil {
			t.Fatalf("%s: %v", typ, err)
		}
		if m.TextError() != nil || len(m.Encode("abc", true)) == 0 {
			t.Errorf("%s: the tokenizer is lost: %v", typ, m.TextError())
		}
		stdout, _, err := runModel(t.Context(), offline(), "inspect", out)
		if err != nil || !strings.Contains(stdout, m.Digest().String()) {
			t.Errorf("%s: inspect does not print the engine's digest: %v", typ, err)
		}
	}
	left, err := filepath.Glob(filepath.Join(dir, ".*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestQuantizeLeavesNothing: what cannot be rounded leaves no file.
func TestQuantizeLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.gguf"), filepath.Join(dir, "out.gguf")
	f := &gguf.File{}
	data, err := gguf.Quantize(gguf.F32, []float32{1, 2, float32(math.NaN()), 1e30})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Add(&gguf.Tensor{Name: "x", Type: gguf.F32, Dims: []uint64{2, 2}, Data: data}); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := gguf.Write(&b, f); err != nil {
		t.Fatal(err)
	}
	write(t, in, b.Bytes())
	if _, _, err := runModel(t.Context(), offline(), "quantize", in, out, "--type", "f16"); err == nil || !strings.Contains(err.Error(), `"x"`) {
		t.Errorf("NaN: %v", err)
	}
	if _, _, err := runModel(t.Context(), offline(), "quantize", in, filepath.Join(dir, "no", "out.gguf"), "--type", "f16"); err == nil {
		t.Error("wrote into a folder that does not exist")
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

// TestQuantizeAgain: what has the type that it would get stays as it is, also where its
// rows do not fill the blocks of the type that was asked for.
func TestQuantizeAgain(t *testing.T) {
	dir := t.TempDir()
	from := filepath.Join(dir, "from.gguf")
	write(t, from, engineModel(t, false)) // rows of 40: F16 for Q4_K
	for _, typ := range []string{"f16", "q8_0", "q4_0", "q4_k"} {
		one, two := filepath.Join(dir, typ+"-1.gguf"), filepath.Join(dir, typ+"-2.gguf")
		if _, _, err := runModel(t.Context(), offline(), "quantize", from, one, "--type", typ); err != nil {
			t.Fatal(err)
		}
		stdout, _, err := runModel(t.Context(), offline(), "quantize", one, two, "--type", typ, "--json")
		var q quantization
		if err != nil || json.Unmarshal([]byte(stdout), &q) != nil || q.Matrices+q.Again != 0 || q.Kept == 0 || q.Error != 0 || q.Bytes != q.Before {
			t.Errorf("%s: %s, %v", typ, stdout, err)
		}
	}
}

// TestQuantizeInterrupted: who interrupts it does not wait, and finds nothing.
func TestQuantizeInterrupted(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from.gguf"), filepath.Join(dir, "to.gguf")
	write(t, from, model.GGUF())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := runModel(ctx, offline(), "quantize", from, to, "--type", "q8_0"); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if _, _, err := writeModel(ctx, to, new(gguf.File)); !errors.Is(err, context.Canceled) {
		t.Errorf("write: %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

// TestQuantizedFilesRun: what the command writes loads and answers.
func TestQuantizedFilesRun(t *testing.T) {
	dir := t.TempDir()
	from := filepath.Join(dir, "from.gguf")
	if err := os.WriteFile(from, model.GGUF(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, typ := range []string{"f16", "q8_0", "q4_0", "q4_k"} {
		to := filepath.Join(dir, typ+".gguf")
		if _, stderr, err := runModel(t.Context(), offline(), "quantize", from, to, "--type", typ); err != nil {
			t.Fatalf("%s: %v, %s", typ, err, stderr)
		}
		m, err := native.Open(to)
		if err != nil {
			t.Fatalf("%s: %v", typ, err)
		}
		e, err := native.New(m, native.Options{})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		r := targon.Request{Prompt: m.Prompt("One day", false), MaxTokens: 8, Sampling: targon.Sampling{Temperature: 1}}
		for token, err := range e.Generate(t.Context(), r) {
			if err != nil || int(token.ID) >= m.Vocab() {
				t.Fatalf("%s: token %v, %v", typ, token, err)
			}
			n++
		}
		if n == 0 {
			t.Errorf("%s: no answer", typ)
		}
	}
}
