package native

import (
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"targon"
	"targon/engine/native/gguf"
	"targon/engine/native/madeup"
)

// teamModels have heads, rows and vocabularies that threads cannot share evenly, and all
// that architectures do to rows: biases, norms, bounds.
func teamModels(t *testing.T) map[string]*Model {
	t.Helper()
	out := map[string]*Model{}
	for _, s := range []madeup.Shape{
		{Arch: "llama", Dim: 64, FFN: 96, Layers: 2, Heads: 6, KVHeads: 3, Head: 24, Vocab: 333, Type: gguf.F32},
		{Arch: "llama", Dim: 96, FFN: 160, Layers: 2, Heads: 4, KVHeads: 4, Head: 32, Vocab: 301, Type: gguf.Q8_0, Untied: true},
		{Arch: "qwen2", Dim: 48, FFN: 80, Layers: 2, Heads: 3, KVHeads: 1, Head: 16, Vocab: 290, Type: gguf.F16},
		{Arch: "qwen3", Dim: 64, FFN: 64, Layers: 2, Heads: 4, KVHeads: 2, Head: 40, Vocab: 270, Type: gguf.Q4_0},
		{Arch: "gemma2", Dim: 64, FFN: 48, Layers: 2, Heads: 4, KVHeads: 2, Head: 16, Vocab: 300, Type: gguf.F32, Window: 20},
		{Arch: "gemma3", Dim: 32, FFN: 40, Layers: 7, Heads: 2, KVHeads: 1, Head: 8, Vocab: 280, Type: gguf.F16, Window: 12},
	} {
		s.Context, s.NoText, s.Seed = 128, true, 5
		data, err := madeup.Model(s)
		if err != nil {
			t.Fatal(err)
		}
		m, err := Load(data)
		if err != nil {
			t.Fatal(err)
		}
		out[fmt.Sprintf("%s %v", s.Arch, s.Type)] = m
	}
	return out
}

// answers draws some answers side by side, of prompts from one id to more than a page.
func answers(t *testing.T, e *Engine) [][]Drawn {
	t.Helper()
	out := make([][]Drawn, 5)
	var all sync.WaitGroup
	for i := range out {
		prompt := make([]targon.TokenID, 1+i*i*5)
		for j := range prompt {
			prompt[j] = targon.TokenID((i + 7*j) % e.model.Vocab())
		}
		r := targon.Request{Prompt: prompt, MaxTokens: 12, Sampling: targon.Sampling{Temperature: 1, Seed: uint64(i)}}
		all.Go(func() {
			for d, err := range e.Trace(t.Context(), r, 3) {
				if err != nil {
					t.Error(err)
				}
				out[i] = append(out[i], d)
			}
		})
	}
	all.Wait()
	return out
}

// TestTeamSameBits: answers and what is said of each id do not depend on how many
// threads share the rows of the matrices, however unevenly.
func TestTeamSameBits(t *testing.T) {
	for name, m := range teamModels(t) {
		t.Run(name, func(t *testing.T) {
			var want [][]Drawn
			for _, threads := range []int{1, 2, 3, 8} {
				e, err := New(m, Options{Threads: threads, ReuseBytes: -1})
				if err != nil {
					t.Fatal(err)
				}
				e.abreast, e.worth = threads, 1
				got := answers(t, e)
				if threads == 1 {
					want = got
					continue
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%d threads: %s", threads, diff)
				}
				if e.team.meeting == nil || len(e.members) != threads-1 {
					t.Fatalf("%d threads did not share rows out", threads)
				}
			}
		})
	}
}

// TestTeamEnds: threads that find no further step are gone soon, and come again.
func TestTeamEnds(t *testing.T) {
	for _, m := range teamModels(t) {
		e, err := New(m, Options{Threads: 3})
		if err != nil {
			t.Fatal(err)
		}
		e.abreast, e.worth = 3, 1
		for range 2 {
			e.team.left, e.team.rest = 0, 0
			answers(t, e)
			for _, m := range e.members {
				for m.state.Load() != gone {
					runtime.Gosched()
				}
			}
		}
		return
	}
}

// TestShared: which steps are shared out by rows, and to how many threads.
func TestShared(t *testing.T) {
	m := teamModels(t)["llama F32"]
	call := func(had, ids, from, n int) picked {
		c := &call{ids: make([]targon.TokenID, ids), from: from}
		c.cache.length = had
		return picked{c, n}
	}
	var many []picked
	for range teamRows {
		many = append(many, call(9, 10, 9, 1))
	}
	for _, c := range []struct {
		name    string
		threads int
		worth   int
		foreign Foreign
		rest    int
		picks   []picked
		want    int
	}{
		{"one answer", 4, 1, Foreign{}, 0, many[:1], 4},
		{"one thread", 1, 1, Foreign{}, 0, many[:1], 0},
		{"just few enough", 2, 1, Foreign{}, 0, many[:teamRows-1], 2},
		{"one too many", 2, 1, Foreign{}, 0, many, 0},
		{"the end of a prompt", 2, 1, Foreign{}, 0, []picked{call(0, 20, 19, 20)}, 2},
		{"the midst of a prompt", 2, 1, Foreign{}, 0, []picked{call(0, 200, 199, 40)}, 2},
		{"two positions that are read", 2, 1, Foreign{}, 0, []picked{call(0, 20, 18, 20)}, 0},
		{"weights for three", 4, m.Multiplied() / 3, Foreign{}, 0, many[:1], 3},
		{"weights for one", 4, m.Multiplied()/2 + 1, Foreign{}, 0, many[:1], 0},
		{"foreign", 4, 1, Foreign{Splits: 2}, 0, many[:1], 0},
		{"at rest", 4, 1, Foreign{}, 1, many[:1], 1},
	} {
		e := &Engine{model: m, abreast: c.threads, worth: c.worth, foreign: c.foreign}
		e.team.left = c.rest
		if got := e.shared(c.picks); got != c.want {
			t.Errorf("%s: %d threads, want %d", c.name, got, c.want)
		}
		if c.rest == 1 && e.shared(c.picks) != c.threads {
			t.Errorf("%s: does not end", c.name)
		}
	}
}

// TestReview: after steps in which too many fell asleep one computes alone, for twice as
// long each time, until a step goes well.
func TestReview(t *testing.T) {
	x := team{meeting: newMeeting(2)}
	for i, c := range []struct {
		slept int32
		want  int
	}{{0, 0}, {6, 0}, {7, 4}, {7, 8}, {20, 16}, {20, 32}, {20, 64}, {20, 64}, {6, 0}, {7, 4}} {
		x.left = 0
		x.slept.Store(c.slept)
		if x.review(6); x.left != c.want || x.slept.Load() != 0 {
			t.Errorf("step %d, %d sleeps: %d steps alone, want %d", i, c.slept, x.left, c.want)
		}
	}
}

// TestPortions: together the threads have every row and head once, in order, cut where
// matrices can be; and each has the rows of its heads.
func TestPortions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		of := rapid.IntRange(1, 9).Draw(t, "threads")
		n := rapid.IntRange(1, 500).Draw(t, "rows")
		heads, length := rapid.IntRange(1, 12).Draw(t, "heads"), 2*rapid.IntRange(1, 40).Draw(t, "length")
		next, nextHead := 0, 0
		for i := range of {
			p := &portion{index: i, of: of, heads: stretch{i * heads / of, (i + 1) * heads / of}}
			s := p.share(n)
			if s.lo != min(next, n) && s.lo != s.hi || s.hi < s.lo || s.lo != s.hi && s.lo%cutRows != 0 || s.hi%cutRows != 0 && s.hi != n {
				t.Fatalf("thread %d of %d has rows %v of %d, want from %d", i, of, s, n, next)
			}
			next = max(next, s.hi)
			if p.heads.lo != nextHead {
				t.Fatalf("thread %d of %d begins at head %d, want %d", i, of, p.heads.lo, nextHead)
			}
			nextHead = p.heads.hi
			a := p.around(length, heads*length)
			if p.heads.lo == p.heads.hi {
				if a.lo != a.hi {
					t.Fatalf("no heads, rows %v", a)
				}
				continue
			}
			if a.lo > p.heads.lo*length || a.hi < p.heads.hi*length || a.lo%cutRows != 0 || a.hi%cutRows != 0 && a.hi != heads*length {
				t.Fatalf("heads %v of length %d are in rows %v", p.heads, length, a)
			}
		}
		if next != n || nextHead != heads {
			t.Fatalf("%d of %d rows and %d of %d heads are dealt out", next, n, nextHead, heads)
		}
	})
}
