package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"targon/bench/chart"
)

// environment says where and how the figures were made.
func environment(flags string, took time.Duration) string {
	compiler := "unknown compiler"
	if out, err := exec.Command("gcc", "--version").Output(); err == nil {
		compiler, _, _ = strings.Cut(string(out), "\n")
	}
	load := "unknown"
	if b, err := os.ReadFile("/proc/loadavg"); err == nil {
		load = strings.Join(strings.Fields(string(b))[:3], " ")
	}
	return fmt.Sprintf("Machine: one core of %s, %s/%s. Load averages at the end: %s. %s. llama.cpp: module `github.com/ollama/ollama`\n"+
		"v0.11.4, %s, `%s`. It took %v.\n",
		processor(), runtime.GOOS, runtime.GOARCH, load, runtime.Version(), compiler, flags, took.Round(time.Second))
}

// processor returns the name of the CPU, where Linux tells it.
func processor() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown processor"
	}
	for line := range strings.Lines(string(info)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown processor"
}

const preface = `# The built-in engine beside llama.cpp

` + "Written by `make bench-engine`; edit bench/llamacpp/page.go instead." + `

![Ours over llama.cpp, for generating and scoring](engine.svg)

Both engines read the same model file, take turns in one process, and have one thread each. Speeds are ids in a second of CPU time (user and
system), medians over pairs of turns; a ratio is the median over pairs of ours divided by theirs, with the quartiles in brackets. Above 1, ours is faster.

* **decode**: one id at a time. Ours draws each id with seeded noise; llama.cpp is fed the same ids and draws nothing.
* **score**: one pass over new ids, all logits of every position.
* builtin is the model in this repository; the others are random weights in the shapes of stories15M and SmolLM2-135M, with an output matrix of their own.

`

const method = `
Logits are compared after 32 ids. llama.cpp keeps its attention cache in F16; for F16 weights it rounds activations to F16, and for Q8_0 to 8 bits with an
F16 scale. Ours rounds activations only for weights in blocks, to 8 bits with a float32 scale. *Exact* logits are the same file computed in float64 with nothing rounded
(bench/llamacpp/exact.go), *8 bits alone* the same with activations rounded to 8 bits and nothing else; distances are roots of mean squares. So for Q8_0 both
engines are about as far from exact as 8-bit activations are, whichever way they round. Where layers are many and weights random, as in random-160M, such a rounding
grows from layer to layer, and two likeliest ids that are close change places. After the first id, where nothing has come through the cache yet, ours is 8 bits alone
up to float32 rounding.

llama.cpp is built for AVX2, as most of its packages are; it has AVX-512 code too, which is not measured here. Ours chooses the kernel by the
processor, at run time; both kernels give the same bits. llama.cpp's repacking of weights for AVX2 is on where its defaults have it on.

Decoding has to read every weight but the embeddings for each id. A *plain read* is the same file, mapped, read from beginning to end with nothing done to it, in the same
turns. A share above 1 comes from the third-level cache, which keeps some of what is read for the next id. builtin fits into it, where a plain read is faster than numbers can
be widened and multiplied.

Score over decode is what a verifier saves by checking in one pass. The aims of 3 for builtin and 8 for random-24M in F32 are not met since decoding reads weights as fast as
memory gives them: 8 would take about 85 % of the 118 GFLOP/s that a core of the processor measured here does at its peak, where scoring random-24M does 2250 ids a second at 58 %.

Memory is the most that a process had which ran our engine alone on the file, mapped, for a prompt of 192 ids and an answer of 64 (VmHWM). *Needed* is the
file and float32 keys and values of these positions. *The process before* is what the program itself takes, llama.cpp's code included, before it opens a model. The aim of 10 %
more than needed is met from some 300 MB on, the program not counted: what an engine keeps besides (the vocabulary, rows of logits, activations) is 10 to 30 MB, whatever the weights take.
`

// page returns the text.
func page(results []result, environment string) string {
	var b strings.Builder
	b.WriteString(preface)
	b.WriteString("| model | weights | type | kernel | decode, ours | llama.cpp | ratio | score, ours | llama.cpp | ratio | score/decode, ours | pairs |\n")
	b.WriteString("|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, r := range results {
		fmt.Fprintf(&b, "| %s | %.1f M | %s | %s | %.0f | %.0f | %s | %.0f | %.0f | %s | %.1f | %d |\n",
			r.model, float64(r.params)/1e6, r.typ, r.kernel, r.decode.ours, r.decode.theirs, r.decode.ratio,
			r.score.ours, r.score.theirs, r.score.ratio, r.score.ours/r.decode.ours, r.decode.turns)
	}
	b.WriteString("\n| model | type | logits differ, median | at most | same likeliest id | ours from exact | llama.cpp from exact | 8 bits alone | ours from that, first id |\n" +
		"|---|---|---|---|---|---|---|---|---|\n")
	for _, r := range results {
		l := r.logits
		eight, first := "–", "–"
		if l.eight > 0 {
			eight, first = fmt.Sprintf("%.2g", l.eight), fmt.Sprintf("%.1g", l.oursFromEight)
		}
		fmt.Fprintf(&b, "| %s | %s | %.1g | %.2g | %d of %d | %.2g | %.2g | %s | %s |\n",
			r.model, r.typ, l.median, l.worst, l.same, l.of, l.ours, l.theirs, eight, first)
	}
	b.WriteString("\n| model | type | weights read by decoding, GB/s | a plain read, GB/s | share |\n|---|---|---|---|---|\n")
	for _, r := range results {
		fmt.Fprintf(&b, "| %s | %s | %.1f | %.1f | %.2f |\n", r.model, r.typ, r.read/1e9, r.plain/1e9, r.read/max(r.plain, 1))
	}
	b.WriteString("\n| model | type | needed, MB | at most, MB | of that the process before | more than needed |\n|---|---|---|---|---|---|\n")
	for _, r := range results {
		m := r.memory
		fmt.Fprintf(&b, "| %s | %s | %.1f | %.1f | %.1f | %+.0f %% |\n", r.model, r.typ,
			float64(m.needed)/1e6, float64(m.Peak)/1e6, float64(m.Before)/1e6, 100*(float64(m.Peak)/float64(max(m.needed, 1))-1))
	}
	b.WriteString(method + "\n" + environment)
	return b.String()
}

func (s spread) String() string {
	return fmt.Sprintf("**%.2f** (%.2f to %.2f)", s.middle, s.low, s.high)
}

// plot returns the ratios as bars.
func plot(results []result) chart.Bars {
	bars := chart.Bars{
		Title:  "Built-in engine over llama.cpp (AVX2), ids per CPU second, one core",
		Series: []string{"decode", "score"},
		Line:   1, LineName: "llama.cpp",
	}
	for _, r := range results {
		group := chart.Group{Name: r.model + " " + r.typ}
		for _, p := range []pair{r.decode, r.score} {
			group.Bars = append(group.Bars, chart.Bar{Value: p.ratio.middle, Low: p.ratio.low, High: p.ratio.high})
		}
		bars.Groups = append(bars.Groups, group)
	}
	return bars
}

// write writes page and plot.
func write(dir string, results []result, environment string) error {
	var svg bytes.Buffer
	if err := plot(results).WriteSVG(&svg); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "engine.svg"), svg.Bytes(), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "engine.md"), []byte(page(results, environment)), 0o644)
}
