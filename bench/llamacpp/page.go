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

Score over decode is what a verifier saves by checking in one pass. Decoding reads weights as fast as memory gives them, so the ratio is the machine's as much as the engine's.
Where memory is fast, the aims of 3 for builtin in F16 and 8 for random-24M in F32 would take 87 and 91 % of the 118 GFLOP/s that a core of the processor measured here does at
its peak, and both are missed: builtin in F16 comes to 2.2 to 2.8, random-24M to 5.0 to 7.8. Where others on the host slow memory down, random-24M comes to 8 (below), since it decodes
more slowly. builtin in F32 is at 3.5 to 4.3.
What holds scoring at 62 to 73 % of the peak: four rows times six vectors, everything in the first-level cache, do 94 % in F32 and 93 % in F16, since the sixteen lanes of a sum have to be added up in
the order that arithmetic 1 says, which takes turns from the multipliers; weights and vectors from the second and third level leave 85 to 90 %; and matrices are 83 % of the time, attention
9 %, reading the logits 4 %, all else 4 % (builtin).

Memory is the most that a process had which ran our engine alone on the file, mapped, for a prompt of 192 ids and an answer of 64 (VmHWM). *Needed* is the
file and float32 keys and values of these positions. *The process before* is what the program itself takes, llama.cpp's code included, before it opens a model. Without the
program, and by type, there is more about memory below.
`

// batches is what was measured by hand, which no run writes anew.
const batches = `
## Batches, threads and memory

Measured on 2026-11-23 by ` + "`" + `targon bench engine` + "`" + ` on two cores of an AMD EPYC (Zen 4) with nothing else on them, though not on the host: ids in a second of CPU time on one thread, means of
two runs, each of medians. The last two columns are ids in a second of elapsed time with two threads over those with one: medians of eleven pairs (nine for one answer) of runs of a second each, since
what others do on the host moves single figures by a quarter.

| model | type | one answer | 16 at a time | 64 at a time | 64 over one | score | of peak | score over one answer | two threads: score | one answer |
|---|---|---|---|---|---|---|---|---|---|---|
| builtin | f32 | 2524 | 5723 | 8820 | 3.5 | 10062 | 62 % | 4.0 | 2.04 | 2.27 |
| builtin | f16 | 4237 | 9131 | 9204 | 2.2 | 10051 | 62 % | 2.4 | 1.98 | 1.58 |
| builtin | q8_0 | 5699 | 16834 | 18502 | 3.2 | 21422 | – | 3.8 | 1.94 | 1.66 |
| builtin | q4_0 | 5047 | 16078 | 17422 | 3.5 | 20765 | – | 4.1 | 1.82 | 1.52 |
| random-24M | f32 | 375 | 1668 | 2617 | 7.0 | 2654 | 68 % | 7.1 | 1.97 | 1.40 |
| random-24M | f16 | 723 | 2556 | 2632 | 3.6 | 2732 | 70 % | 3.8 | 1.99 | 1.78 |
| random-24M | q8_0 | 1338 | 4722 | 5438 | 4.1 | 6492 | – | 4.9 | 1.85 | 2.13 |
| random-24M | q4_0 | 1724 | 4681 | 5518 | 3.2 | 6573 | – | 3.8 | 1.89 | 1.49 |

* **Logits in pieces.** Rows of a step are multiplied by 2,048 rows of the output matrix at a time, or as many as a second-level cache has room for the logits of, and what is asked for is read out of
  that piece at once: the rank, the highest, what weighs how much, or the draw. Weights in blocks are unpacked once for a step and not once for every 16 rows. At 24 million weights that made scoring 5 %
  faster in Q8_0, 64 answers 8 % in Q8_0 and 15 % in Q4_0. Filters, penalties and whoever asks for more than 64 ids of a position need whole rows and get them.
* **Draws.** To hash 32,000 ids and bound the noise of each one by one took 110 µs an id, a third of a step of 16 in Q8_0. Now 16 ids at a time are compared with a
  bound that needs no logarithm (` + "`" + `kernel.Contest` + "`" + `), which takes 10 to 15 µs, and some twenty are worked out. ` + "`" + `top_p` + "`" + ` took 1 to 2 ms an id, four times all else in a batch; it
  sorts and adds up few ids now and takes 0.04 to 0.3 ms, ` + "`" + `top_k` + "`" + ` 0.01 instead of 0.5 ms. The ids are the same, by tests against the definition.
* **64 over one.** The aim of 4 is met by random-24M in F32 and Q8_0, there with little to spare where memory is fast (3.6 to 4.5 in single runs). In F16 and Q4_0, 64 answers would have to come as
  fast as scoring does, or faster: 4 times one answer is 2892 and 6896 a second, scoring 2732 and 6573, and it has one sequence's keys and values to read and nothing to draw. In Q4_0, whose 8 MB stay
  in the third-level cache, two fifths of the time are products at 70 to 80 % of what VPDPBUSD does at its peak. A quarter is attention, which reads half a megabyte of float32 keys and values for each id
  of 40 before it, from memory, since 64 sequences do not fit into a cache (laying a head's rows side by side, fetching ahead and larger pages of memory were tried and changed nothing).
* **Two threads.** The aim of 1.8 for scoring is met. A thread that has done with its positions reads rows that the other has left, a third of them, since later positions see more before them and are
  later; and the second thread stays awake for 250 µs after a step, where waking it took 100 of the 4,500 µs that 192 positions of builtin take. Below 48 positions threads share out rows of the
  weights instead. One answer gains since two cores read memory at twice the speed of one (39 GB/s against 20, plain reads of 128 MB), where both are free; where a core is busy, one thread goes on
  alone after a step or two.
* **Memory**, by the highest of a process less what it had before it opened the model, for the prompt of 192 ids and the answer of 64, files mapped, one thread. Medians of seven
  on 2026-11-23, the program without logits in pieces in turns with that of today; single figures differ by 0.1 MB:

| model | type | needed, MB | more than needed | in MB | before |
|---|---|---|---|---|---|
| builtin | f32 | 15.8 | +13 % | 2.1 | +14 % |
| builtin | f16 | 8.4 | +24 % | 2.1 | +25 % |
| builtin | q8_0 | 5.0 | +43 % | 2.2 | +47 % |
| random-24M | f32 | 102.0 | **+2.7 %** | 2.7 | +6.4 % |
| random-24M | f16 | 53.2 | **+5.0 %** | 2.7 | +8.1 % |
| random-24M | q8_0 | 30.3 | **+9.8 %** | 3.0 | +14 % |
| random-24M | q4_0 | 18.1 | +16 % | 2.9 | +23 % |
| random-160M | f16 | 338.8 | **+1.3 %** | 4.3 | +1.8 % |
| random-160M | q8_0 | 186.1 | **+2.6 %** | 4.8 | +5.1 % |
| random-160M | q4_0 | 104.7 | **+4.5 %** | 4.7 | +7.5 % |

  The vocabulary stays where it lies in the file, and pieces of logits lie over the vectors of a step. Of the 3.0 MB that are left for random-24M in Q8_0, 0.85 are those vectors, of 96 positions; 0.75 what
  else a step works with, what is kept of the vocabulary and what is said of the positions; 0.6 pages of the program itself that it had not run before; and 0.5 tables of Go's runtime. So the aim of
  10 % is met from some 30 MB on. Below, there is no room for it: builtin in F16 has 0.84 MB to go with, of which the program's own pages take 0.6. Steps of half as many positions would save
  0.4 MB, read weights twice as often, and not do either.
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
	b.WriteString(method + "\n" + environment + batches)
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
