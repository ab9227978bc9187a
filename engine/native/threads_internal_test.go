package native

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"targon"
)

// TestDeal: every position is dealt out once, in order, no thread gets more than it has
// room for, whole calls stay whole, and the load is even.
func TestDeal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := &Engine{threads: rapid.IntRange(1, 8).Draw(t, "threads")}
		left, whole := chunk*e.threads, chunk
		var picks []picked
		total := 0
		for range rapid.IntRange(1, 12).Draw(t, "calls") {
			c := &call{ids: make([]targon.TokenID, 4000), ordered: rapid.Bool().Draw(t, "ordered")}
			c.cache.length = rapid.IntRange(0, 100).Draw(t, "length")
			n := rapid.SampledFrom([]int{1, 1, 5, 40, 96, 500}).Draw(t, "n")
			if n = min(n, left); n > 1 && c.ordered {
				n = min(n, whole)
				whole -= n
			}
			if n == 0 {
				continue
			}
			left -= n
			total += n
			picks = append(picks, picked{c, n})
		}
		shares, divided := e.deal(picks)
		next, parts := map[*call]int{}, map[*call]int{}
		for i, some := range shares {
			size := 0
			for _, s := range some {
				at, ok := next[s.call]
				if !ok {
					at = s.call.cache.length
				}
				if s.at != at || len(s.ids) == 0 {
					t.Fatalf("thread %d has %d ids from %d on, want from %d", i, len(s.ids), s.at, at)
				}
				next[s.call] = at + len(s.ids)
				parts[s.call]++
				size += len(s.ids)
			}
			if size > chunk {
				t.Fatalf("thread %d has %d positions", i, size)
			}
		}
		several := false
		for _, p := range picks {
			if next[p.call] != p.cache.length+p.n {
				t.Fatalf("call of %d ids from %d on: dealt up to %d", p.n, p.cache.length, next[p.call])
			}
			if parts[p.call] > 1 && p.ordered {
				t.Fatal("a call that has to stay whole is divided")
			}
			several = several || parts[p.call] > 1
		}
		if several != divided {
			t.Fatalf("divided is %v", divided)
		}
	})
}

// TestMeeting: nobody leaves before all have come, round after round.
func TestMeeting(t *testing.T) {
	const threads, rounds = 3, 200
	g := newMeeting(threads)
	var all sync.WaitGroup
	var mu sync.Mutex
	came := make([]int, rounds)
	for range threads {
		all.Go(func() {
			for i := range rounds {
				mu.Lock()
				came[i]++
				mu.Unlock()
				g.wait()
				mu.Lock()
				if came[i] != threads {
					t.Errorf("round %d was left when %d had come", i, came[i])
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
}

// TestRunners: nobody passes before those before it have passed as often, and the first
// may run ahead of all.
func TestRunners(t *testing.T) {
	const threads, rounds = 3, 200
	var runners []*runner
	var last *runner
	for range threads {
		last = newRunner(last)
		runners = append(runners, last)
	}
	first := runners[0]
	for range rounds { // alone: nobody else has begun
		first.pass()
	}
	var all sync.WaitGroup
	for i, r := range runners[1:] {
		all.Go(func() {
			for round := uint32(1); round <= rounds; round++ {
				r.pass()
				if n := runners[i].passed.Load(); n < round {
					t.Errorf("thread %d has passed %d times, the one before it %d", i+1, round, n)
				}
			}
		})
	}
	all.Wait()
}

// TestRunnerSleeps: one that is long before the others lies down, and gets up when they come.
func TestRunnerSleeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := newRunner(nil)
		second := newRunner(first)
		go second.pass()
		synctest.Wait()
		if second.passed.Load() != 0 {
			t.Fatal("the second has passed before the first")
		}
		first.pass()
		synctest.Wait()
		if second.passed.Load() != 1 {
			t.Fatal("the second does not pass after the first")
		}
	})
}

// TestFirstFailureCounts: of two positions that different threads find broken, the
// earlier one ends the call.
func TestFirstFailureCounts(t *testing.T) {
	first, second := errors.New("first"), errors.New("second")
	c := &call{}
	conclude([]picked{{c, 2}}, [][]share{{{call: c}}, {{call: c, err: first}}, {{call: c, err: second}}})
	if !errors.Is(c.err, first) || c.cache.length != 2 || c.from != 2 {
		t.Errorf("call ended with %v at %d, %d", c.err, c.cache.length, c.from)
	}
}

// TestNothingRead: a step may find no call that it could take along, as when all have left;
// and it may be in the midst of a prompt, where no logits are wanted, however it is shared.
func TestNothingRead(t *testing.T) {
	for _, o := range []Options{{Threads: 1}, {Threads: 2}, {Threads: 3}, {Threads: 2, Foreign: Foreign{Splits: 2}}} {
		for _, worth := range []int{1, teamWeights} {
			for _, n := range []int{1, 20, 60} {
				e := tiny(t, o)
				e.abreast, e.worth = o.Threads, worth
				e.compute(nil)
				c := &call{ids: make([]targon.TokenID, 100), from: 99}
				if !e.pages.reserve(&c.cache, n) {
					t.Fatal("no pages")
				}
				if e.compute([]picked{{c, n}}); c.cache.length != n || c.err != nil {
					t.Errorf("%+v: of %d positions %d are computed, %v", o, n, c.cache.length, c.err)
				}
				if got, err := answer(t.Context(), e, someRequest(1)); got == "" || err != nil {
					t.Errorf("%+v, then: %v", o, err)
				}
			}
		}
	}
}
