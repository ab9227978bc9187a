package native

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"testing"

	"targon"
	"targon/engine/enginetest"
)

func tiny(t testing.TB, o Options) *Engine {
	t.Helper()
	data, err := enginetest.RandomModel(enginetest.Tiny())
	if err != nil {
		t.Fatal(err)
	}
	m, err := Load(data)
	if err != nil {
		t.Fatal(err)
	}
	e, err := New(m, o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// someRequest is one of many that differ in everything; every third prompt begins like
// the others for more than a page, some by exactly a page.
func someRequest(i int) targon.Request {
	n := []int{3, 150, pageRows, 1, pageRows + 1, 97}[i%6]
	r := targon.Request{
		Prompt: make([]targon.TokenID, n), MaxTokens: uint32(20 + 7*(i%9)),
		Sampling: targon.Sampling{Temperature: float64(i%4) / 2, Seed: uint64(i)},
	}
	if i%5 == 0 {
		r.Sampling.TopK, r.Sampling.TopP = 40, 0.9
	}
	for j := range r.Prompt {
		r.Prompt[j] = targon.TokenID((j*j + 3) % 301)
		if i%3 != 0 && j >= n/2 {
			r.Prompt[j] = targon.TokenID((j*i + 7) % 301)
		}
	}
	return r
}

// answer is a hash over the ids of an answer and the bits of what the model said.
func answer(ctx context.Context, e *Engine, r targon.Request) (string, error) {
	h := sha256.New()
	for d, err := range e.Trace(ctx, r, 5) {
		if err != nil {
			return "", err
		}
		bits := []uint32{uint32(d.Token.ID), math.Float32bits(d.Position.Claimed.Logit), d.Position.Rank}
		for _, c := range d.Position.Top {
			bits = append(bits, uint32(c.ID), math.Float32bits(c.Logit))
		}
		_ = binary.Write(h, binary.LittleEndian, bits)
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:8]), nil
}

// intact reports what is wrong with the pages of an engine that does nothing.
func intact(e *Engine) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	p := e.pages
	switch {
	case e.active || len(e.running) > 0 || len(e.waiting) > 0:
		return fmt.Errorf("active %v, %d running, %d waiting", e.active, len(e.running), len(e.waiting))
	case p.made != len(p.free)+p.idle.Len() || p.made > p.spare || p.idle.Len() != len(p.known):
		return fmt.Errorf("%d pages made, %d free, %d idle, %d known, %d spare", p.made, len(p.free), p.idle.Len(), len(p.known), p.spare)
	}
	return nil
}

// rest waits until an engine's steps have come to their end: the last caller may learn
// of its last id before.
func rest(e *Engine) {
	for {
		e.mu.Lock()
		active := e.active
		e.mu.Unlock()
		if !active {
			return
		}
		runtime.Gosched()
	}
}

// TestBatchSameBits: an answer and its logits are the same alone, among 63 others, with
// so few pages that calls must begin again, on several threads, and with shared cores.
func TestBatchSameBits(t *testing.T) {
	const n = 64
	alone := tiny(t, Options{MaxSequences: 1, ReuseBytes: -1})
	want := make([]string, n)
	for i := range n {
		var err error
		if want[i], err = answer(t.Context(), alone, someRequest(i)); err != nil {
			t.Fatal(err)
		}
	}
	if alone.pages.reused != 0 {
		t.Error("pages were reused that should not be")
	}
	size := pageBytes(alone.model.w)
	for name, o := range map[string]Options{
		"many":       {Threads: 1},
		"few pages":  {Threads: 1, CacheBytes: 9 * size, ReuseBytes: 9 * size},
		"no sharing": {Threads: 1, CacheBytes: 9 * size, ReuseBytes: -1},
		"few places": {Threads: 1, MaxSequences: 5, ReuseBytes: 1 << 20},
		"threads":    {Threads: 3, ReuseBytes: 1 << 20},
		"cores":      {Cores: NewCores(1), ReuseBytes: 1 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			e := tiny(t, o)
			var all sync.WaitGroup
			for i := range n {
				all.Go(func() {
					if got, err := answer(t.Context(), e, someRequest(i)); err != nil || got != want[i] {
						t.Errorf("request %d: %s, %v, want %s", i, got, err, want[i])
					}
				})
			}
			all.Wait()
			rest(e)
			if err := intact(e); err != nil {
				t.Error(err)
			}
			if name == "few places" && e.pages.reused == 0 || o.ReuseBytes < 0 && e.pages.reused > 0 {
				t.Errorf("%d positions were reused", e.pages.reused)
			}
		})
	}
}

// TestReuse: what is known of a prompt is not computed again, as far as pages that are
// known go and never the last position, and bits do not change.
func TestReuse(t *testing.T) {
	e := tiny(t, Options{ReuseBytes: 1 << 20})
	ids := make([]targon.TokenID, 3*pageRows+9)
	for i := range ids {
		ids[i] = targon.TokenID(i * i % 301)
	}
	score := func(n int) targon.Scores {
		s, err := e.Score(t.Context(), targon.Request{Prompt: ids[:n]}, ids[n:], targon.Need{Top: 3})
		if err != nil {
			t.Fatal(err)
		}
		rest(e)
		return s
	}
	reuse := func(n int) uint64 {
		before := e.pages.reused
		score(n)
		return e.pages.reused - before
	}
	first := score(2*pageRows + 5)
	for _, c := range []struct{ prompt, want int }{
		{1, 0},
		{pageRows, pageRows - 1}, // the last id's logits are wanted
		{pageRows + 1, pageRows},
		{2*pageRows + 5, 2*pageRows + 4},
		{3*pageRows + 8, 3 * pageRows},
	} {
		if got := reuse(c.prompt); got != uint64(c.want) {
			t.Errorf("prompt of %d ids: %d positions reused, want %d", c.prompt, got, c.want)
		}
	}
	again := score(2*pageRows + 5)
	for j, p := range again.Positions {
		if math.Float32bits(p.Claimed.Logit) != math.Float32bits(first.Positions[j].Claimed.Logit) || p.LogProb != first.Positions[j].LogProb {
			t.Fatalf("position %d: other bits with reuse", j)
		}
	}
	ids[pageRows+1]++ // the first page is still known, what follows is not
	if got := reuse(2*pageRows + 5); got != pageRows {
		t.Errorf("another second page: %d positions reused", got)
	}
	ids[0]++
	if got := reuse(2*pageRows + 5); got != 0 {
		t.Errorf("another first id: %d positions reused", got)
	}
}

// TestCacheSalt: pages are shared among calls of one salt, and with no others.
func TestCacheSalt(t *testing.T) {
	e := tiny(t, Options{ReuseBytes: 1 << 20})
	r := targon.Request{Prompt: make([]targon.TokenID, 2*pageRows+3), MaxTokens: 1}
	for i, c := range []struct {
		salt string
		want uint64
	}{{"", 0}, {"", 2 * pageRows}, {"a", 0}, {"a", 2 * pageRows}, {"b", 0}, {"", 2 * pageRows}} {
		before := e.pages.reused
		tunedIDs(t, e, r, Tuning{CacheSalt: c.salt})
		rest(e)
		if got := e.pages.reused - before; got != c.want {
			t.Errorf("call %d, salt %q: %d positions reused, want %d", i, c.salt, got, c.want)
		}
	}
}

// TestBusy: what neither place nor queue holds is refused at once, and room that comes
// free is used.
func TestBusy(t *testing.T) {
	e := tiny(t, Options{MaxSequences: 1, MaxQueue: -1})
	for range e.Generate(t.Context(), someRequest(1)) {
		for _, err := range e.Generate(t.Context(), someRequest(2)) {
			if !errors.Is(err, targon.ErrBusy) {
				t.Errorf("second call: %v", err)
			}
		}
		if _, err := e.Score(t.Context(), someRequest(2), []targon.TokenID{1}, targon.Need{}); !errors.Is(err, targon.ErrBusy) {
			t.Errorf("second call scores: %v", err)
		}
		break
	}
	if _, err := answer(t.Context(), e, someRequest(2)); err != nil {
		t.Errorf("after the first has left: %v", err)
	}
}

// TestCacheBound: a call that could never be served is refused, one that just fits is not.
func TestCacheBound(t *testing.T) {
	size := pageBytes(tiny(t, Options{}).model.w)
	e := tiny(t, Options{CacheBytes: 2*size + 1})
	r := targon.Request{Prompt: make([]targon.TokenID, 2*pageRows-5), MaxTokens: 5}
	if _, err := answer(t.Context(), e, r); err != nil {
		t.Errorf("fits: %v", err)
	}
	r.MaxTokens++
	if _, err := answer(t.Context(), e, r); !errors.Is(err, ErrContext) {
		t.Errorf("does not fit: %v", err)
	}
}

// TestCancel: a call that is cancelled while it waits or runs ends with the cause, and
// leaves nothing behind.
func TestCancel(t *testing.T) {
	e := tiny(t, Options{MaxSequences: 2})
	cause := errors.New("enough")
	var all sync.WaitGroup
	for i := range 6 {
		ctx, cancel := context.WithCancelCause(t.Context())
		all.Go(func() {
			n := 0
			for _, err := range e.Generate(ctx, someRequest(i+3)) {
				if err != nil && !errors.Is(err, cause) {
					t.Errorf("call %d: %v", i, err)
				}
				if n++; n == i {
					cancel(cause)
				}
			}
			cancel(cause)
		})
	}
	all.Wait()
	rest(e)
	if err := intact(e); err != nil {
		t.Error(err)
	}
}

// TestAhead: ids are drawn a few ahead of who takes them, and with shared cores not at all.
func TestAhead(t *testing.T) {
	for _, o := range []Options{{}, {Cores: NewCores(1)}} {
		e := tiny(t, o)
		taken := 0
		for range e.Generate(t.Context(), targon.Request{Prompt: []targon.TokenID{3}, MaxTokens: 60}) {
			taken++
			rest(e)
			e.mu.Lock()
			drawn := taken
			if len(e.running) > 0 {
				drawn = len(e.running[0].ids) - 1
			}
			e.mu.Unlock()
			if taken < 40 && drawn > taken+e.ahead {
				t.Fatalf("%d ids are drawn when %d are taken, at most %d ahead", drawn, taken, e.ahead)
			}
		}
	}
}

// TestPick: a step takes along every call that draws, fills up with prompts, and leaves
// room for these; those served longest ago come first.
func TestPick(t *testing.T) {
	e := tiny(t, Options{MaxSequences: 200, Threads: 1})
	add := func(n int) *call {
		e.orders++
		c := &call{ids: make([]targon.TokenID, n), most: chunk, credit: 1, order: e.orders}
		e.running = append(e.running, c)
		return c
	}
	sizes := func() (ones, read int) {
		for _, p := range e.pick() {
			p.cache.length += p.n // as a step would
			if p.n == 1 {
				ones++
			} else {
				read += p.n
			}
		}
		for _, c := range e.running {
			c.ids = c.ids[:max(len(c.ids), c.cache.length+1)]
		}
		return ones, read
	}
	for range 80 {
		c := add(1)
		c.ids = slices.Grow(c.ids, 16)
	}
	if ones, read := sizes(); ones != 80 || read != 0 {
		t.Errorf("%d draw, %d are read, want 80 and 0", ones, read)
	}
	prompt := add(400)
	if ones, read := sizes(); ones != 72 || read != 24 {
		t.Errorf("%d draw, %d are read, want 72 and 24", ones, read)
	}
	slow := e.running[3]
	slow.credit = 0
	served := slow.served
	sizes()
	sizes()
	for i, c := range e.running[:80] {
		if c != slow && e.steps-c.served > 1 {
			t.Errorf("call %d was served %d steps ago", i, e.steps-c.served)
		}
	}
	if slow.served != served || prompt.served != e.steps {
		t.Error("who is not ready was served, or the prompt was not")
	}
}

// TestPlaceGivesUp: pages come from who is not ready, then from the latest; the latest
// of all gives up its own.
func TestPlaceGivesUp(t *testing.T) {
	e := tiny(t, Options{CacheBytes: 4 * pageBytes(tiny(t, Options{}).model.w), ReuseBytes: -1})
	e.steps = 1
	var calls []*call
	for i := range 4 {
		c := &call{ids: make([]targon.TokenID, 2*pageRows), credit: 1, order: uint64(i + 1)}
		e.running = append(e.running, c)
		if calls = append(calls, c); !e.pages.reserve(&c.cache, 1) {
			t.Fatal("no pages to begin with")
		}
	}
	calls[1].credit = 0
	for i, want := range []struct {
		who   int
		ok    bool
		waits []uint64
	}{
		{2, true, []uint64{2}},        // the one that is not ready
		{0, true, []uint64{2, 4}},     // the latest
		{2, false, []uint64{2, 3, 4}}, // itself: the other came before it
	} {
		if ok := e.place(calls[want.who], []int{2, 2, 3}[i]*pageRows); ok != want.ok {
			t.Errorf("%d: pages for call %d: %v", i, want.who+1, ok)
		}
		var waits []uint64
		for _, c := range e.waiting {
			waits = append(waits, c.order)
		}
		if !slices.Equal(waits, want.waits) {
			t.Errorf("%d: %v wait, want %v", i, waits, want.waits)
		}
	}
}
