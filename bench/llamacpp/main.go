// Command llamacpp measures the built-in engine beside llama.cpp: the same model files,
// the same ids, one thread each, taking turns in one process. It writes a page with a
// table, and a plot.
//
// llama.cpp is compiled by cgo out of a Go module that carries it; nothing of it is kept
// here. tools/bench-engine.sh builds with the flags that the page names: without them
// llama.cpp has no vector instructions, and the comparison would flatter.
//
// A figure is the median over pairs of turns: one engine right after the other, so that
// whatever else the machine does meets both.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"time"

	"github.com/ollama/ollama/llama"

	"targon/bench/speed"
	"targon/engine/native/gguf"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "llamacpp: "+err.Error())
		os.Exit(1)
	}
}

// A comparison is a model and how much work a turn has.
type comparison struct {
	subject         speed.Subject
	decoded, scored int
}

// comparisons are the rows of the page.
func comparisons() []comparison {
	return []comparison{
		{speed.Builtin(gguf.F16), 128, 256},
		{speed.Builtin(gguf.Q8_0), 128, 256},
		{speed.Random24M(gguf.F32), 32, 192},
		{speed.Random24M(gguf.Q8_0), 32, 192},
		{speed.Random160M(gguf.F16), 12, 96},
		{speed.Random160M(gguf.Q8_0), 12, 96},
	}
}

func run(ctx context.Context, args []string, notes io.Writer) error {
	f := flag.NewFlagSet("llamacpp", flag.ContinueOnError)
	dir := f.String("out", "", "folder for engine.md and engine.svg")
	budget := f.Duration("time", 5*time.Minute, "about how long to measure; every pair is measured three times at least")
	flags := f.String("flags", os.Getenv("CGO_CFLAGS"), "compiler flags that llama.cpp was built with, for the page")
	peak := f.String("peak", "", "only tell how much memory it takes to run this model file (the command asks itself)")
	if err := f.Parse(args); err != nil {
		return err
	}
	if *peak != "" {
		runtime.GOMAXPROCS(1)
		return measurePeak(ctx, *peak, os.Stdout)
	}
	if *dir == "" {
		return errors.New("--out is missing: the folder to write to")
	}
	runtime.GOMAXPROCS(1)
	slog.SetDefault(slog.New(slog.DiscardHandler)) // llama.cpp tells much
	llama.BackendInit()
	work, err := os.MkdirTemp("", "targon-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	var results []result
	started, all := time.Now(), comparisons()
	for i, c := range all {
		fmt.Fprintf(notes, "llamacpp: %s %v\n", c.subject.Model, c.subject.Type)
		left := *budget - time.Since(started)
		r, err := compare(ctx, c, filepath.Join(work, "model.gguf"), left/time.Duration(len(all)-i))
		if err != nil {
			return fmt.Errorf("compare %s %v: %w", c.subject.Model, c.subject.Type, err)
		}
		results = append(results, r)
		fmt.Fprintf(notes, "llamacpp: decode %.0f and %.0f (%.2f), score %.0f and %.0f (%.2f)\n",
			r.decode.ours, r.decode.theirs, r.decode.ratio.middle, r.score.ours, r.score.theirs, r.score.ratio.middle)
	}
	return write(*dir, results, environment(*flags, time.Since(started)))
}
