package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"targon"
	"targon/bench/speed"
	"targon/engine/native"
)

// A footprint is what a process that runs one model alone had in memory at most, of that
// what it had when it began, and what it needed: the model file, and float32 keys and
// values of the positions computed. A mapped file counts as far as it was read.
type footprint struct {
	Peak, Before int64
	needed       int64
}

// positions are computed in one call: so many of them prompt, and then an answer.
const (
	promptLen   = 192
	answerLen   = 64
	floatsBytes = 4
)

// peakOf has a process of its own score ids with a model, since this one has llama.cpp,
// and all the files that it made, in it.
func peakOf(ctx context.Context, path string, data []byte) (f footprint, err error) {
	m, err := newExact(data, false)
	if err != nil {
		return f, err
	}
	f.needed = int64(len(data)) + int64(2*m.layers*m.kvHeads*m.head*floatsBytes*(promptLen+answerLen))
	self, err := os.Executable()
	if err != nil {
		return f, err
	}
	out, err := exec.CommandContext(ctx, self, "-peak", path).Output()
	if err != nil {
		return f, fmt.Errorf("measure memory: %w", err)
	}
	return f, json.Unmarshal(out, &f)
}

// measurePeak scores and generates with a model, and says how much memory that took.
func measurePeak(ctx context.Context, path string, out io.Writer) error {
	f := footprint{Before: highWater()}
	m, err := native.Open(path)
	if err != nil {
		return err
	}
	e, err := native.New(m, native.Options{Threads: 1})
	if err != nil {
		return err
	}
	ids := speed.NewText(m.Vocab()).Next(promptLen + answerLen)
	if _, err := e.Score(ctx, targon.Request{Prompt: ids[:promptLen]}, ids[promptLen:], targon.Need{Top: 16}); err != nil {
		return err
	}
	r := targon.Request{Prompt: ids[:promptLen], MaxTokens: answerLen, Sampling: targon.Sampling{Temperature: 1}}
	for _, err := range e.Generate(ctx, r) {
		if err != nil {
			return err
		}
	}
	f.Peak = highWater()
	return json.NewEncoder(out).Encode(f)
}

// highWater is the most memory that this process has had, 0 where Linux does not tell.
func highWater() int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		var kib int64
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kib); n == 1 {
			return kib << 10
		}
	}
	return 0
}
