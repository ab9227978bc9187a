package native_test

import (
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"targon"
	"targon/engine/enginetest"
	"targon/engine/native"
)

// TestThreadsSameBits: scores of one request, and answers of many, do not depend on how
// many threads share a step: neither logits nor what is made of them.
func TestThreadsSameBits(t *testing.T) {
	m := random(t, enginetest.Tiny())
	ids := someIDs(400, m.Vocab())
	r := targon.Request{Prompt: ids[:30], MaxTokens: 20, Sampling: targon.Sampling{Temperature: 1, Seed: 9}}
	one := engine(t, m, native.Options{Threads: 1, ReuseBytes: -1})
	want, err := one.Score(t.Context(), r, ids[30:], targon.Need{Top: 5})
	if err != nil {
		t.Fatal(err)
	}
	answer := enginetest.IDs(enginetest.Collect(t, one, r))
	for _, threads := range []int{2, 3, 8} {
		e := engine(t, m, native.Options{Threads: threads, ReuseBytes: -1})
		var all sync.WaitGroup
		for range 4 { // together, so that steps are shared by whole calls and divided ones
			all.Go(func() {
				got, err := e.Score(t.Context(), r, ids[30:], targon.Need{Top: 5})
				if err != nil {
					t.Error(err)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%d threads: %s", threads, diff)
				}
			})
			all.Go(func() {
				if diff := cmp.Diff(answer, enginetest.IDs(enginetest.Collect(t, e, r))); diff != "" {
					t.Errorf("%d threads: %s", threads, diff)
				}
			})
			all.Go(func() {
				if got := sum(logits(t, e, ids[:100])); got != sum(logits(t, one, ids[:100])) {
					t.Errorf("%d threads: logits hash to %s", threads, got)
				}
			})
		}
		all.Wait()
	}
}
