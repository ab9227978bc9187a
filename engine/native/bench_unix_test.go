//go:build unix

package native_test

import (
	"fmt"
	"sync"
	"syscall"
	"testing"
	"time"

	"targon"
	"targon/engine/enginetest"
	"targon/engine/native"
	"targon/engine/native/gguf"
)

// cpuTime is what this process has computed for.
func cpuTime(t testing.TB) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkBatch: the answers of many callers at a time against one, at 24 million
// parameters (the shape of stories15M with an output matrix of its own). Weights are
// read once a step, so that 64 are to come at four times the rate of one at least.
func BenchmarkBatch(b *testing.B) {
	for _, typ := range []gguf.Type{gguf.F32, gguf.Q8_0} {
		m := random(b, enginetest.Shape{
			Dim: 288, FFN: 768, Layers: 6, Heads: 6, KVHeads: 6, Head: 48, Vocab: 32000, Context: 256,
			Type: typ, Untied: true, NoText: true, Seed: 7,
		})
		e := engine(b, m, native.Options{Threads: 1})
		for _, n := range []int{1, 4, 16, 64} {
			b.Run(fmt.Sprintf("%v/%d", typ, n), func(b *testing.B) {
				const length = 32
				seed, begun := uint64(0), cpuTime(b)
				for b.Loop() {
					var all sync.WaitGroup
					for i := range n {
						seed++
						r := targon.Request{
							Prompt: someIDs(4+i%4, m.Vocab()), MaxTokens: length,
							Sampling: targon.Sampling{Temperature: 1, Seed: seed},
						}
						all.Go(func() { enginetest.Collect(b, e, r) })
					}
					all.Wait()
				}
				b.ReportMetric(float64(b.N*n*length)/(cpuTime(b)-begun).Seconds(), "tok/cpu-s")
			})
		}
	}
}
