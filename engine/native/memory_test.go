package native

import (
	"math"
	"runtime"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"targon"
	"targon/engine/native/gguf"
	"targon/engine/native/kernel"
	"targon/engine/native/madeup"
)

// allocated returns how many bytes of memory something takes from the heap, whether it
// keeps them or not: what it leaves to the collector is in memory for a while, too.
func allocated(of func()) int {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	of()
	runtime.ReadMemStats(&after)
	return int(after.TotalAlloc - before.TotalAlloc)
}

// TestLoadingTakesLittle: weights and the vocabulary stay where they are in the file, and
// nothing is made for a moment only. Measured: 3.1 bytes an id; a slice of strings alone
// would be 16.
func TestLoadingTakesLittle(t *testing.T) {
	const ids = 32000
	for _, typ := range []gguf.Type{gguf.F32, gguf.F16, gguf.Q8_0} {
		data, err := madeup.Model(madeup.Shape{
			Dim: 32, FFN: 64, Layers: 2, Heads: 2, KVHeads: 1, Head: 16, Vocab: ids, Context: 512, Type: typ, Untied: true, Seed: 1,
		})
		if err != nil {
			t.Fatal(err)
		}
		var m *Model
		n := allocated(func() { m, err = Load(data) })
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%v: %d bytes for a file of %d", typ, n, len(data))
		if n > 5*ids {
			t.Errorf("%v: loading takes %d bytes for %d ids", typ, n, ids)
		}
		if got := m.Text(m.Encode("abc", false)); got != "abc" {
			t.Errorf("%v: text is %q", typ, got)
		}
	}
}

// TestScoringTakesLittle: beyond the weights and the attention cache there is room for rows of
// logits with all vectors of a step under them, and little else; and of that room nothing is
// touched but what a step's vectors take, or a piece of its rows.
func TestScoringTakesLittle(t *testing.T) {
	const prompt, answer = 3 * pageRows, pageRows
	for _, c := range []struct {
		typ  gguf.Type
		rows int
	}{{gguf.F32, 18}, {gguf.F16, 18}, {gguf.Q8_0, 16}} {
		data, err := madeup.Model(madeup.Shape{
			Dim: 64, FFN: 192, Layers: 2, Heads: 4, KVHeads: 2, Head: 16, Vocab: 32000, Context: 512, Type: c.typ, Seed: 1,
		})
		if err != nil {
			t.Fatal(err)
		}
		m, err := Load(data)
		if err != nil {
			t.Fatal(err)
		}
		ids := make([]targon.TokenID, prompt+answer)
		var e *Engine
		n := allocated(func() {
			if e, err = New(m, Options{Threads: 1}); err == nil {
				_, err = e.Score(t.Context(), targon.Request{Prompt: ids[:prompt]}, ids[prompt:], targon.Need{Top: 16})
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		cache, logits := (prompt+answer)/pageRows*int(pageBytes(m.w)), c.rows*32000*4
		t.Logf("%v: %d bytes: %d of attention cache, %d of logits, %d others", c.typ, n, cache, logits, n-cache-logits)
		if most := cache + logits + 256<<10; n > most {
			t.Errorf("%v: scoring takes %d bytes, want %d at most", c.typ, n, most)
		}
		untouched := e.spaces[0].own.logits.Data[max(chunk*piece, m.w.room().step):]
		if i := slices.IndexFunc(untouched, func(v float32) bool { return v != 0 }); i >= 0 || len(untouched) == 0 {
			t.Errorf("%v: of %d floats that ought not to be touched, number %d is", c.typ, len(untouched), i)
		}
	}
}

// TestRoom: how many rows of logits are computed at a time, for models of several shapes.
func TestRoom(t *testing.T) {
	floats := func(enough int) room { return room{unit: 6, enough: enough} }
	blocks := room{unit: 8, enough: 64}
	for name, c := range map[string]struct {
		r                  room
		vocab, bytes, step int
		want               int
	}{
		"24 million, F32":              {floats(48), 32000, 97_630_000, 212_000, 48},
		"24 million, F16":              {floats(18), 32000, 48_810_000, 212_000, 18},
		"24 million, Q8_0":             {blocks, 32000, 25_930_000, 212_000, 16},
		"24 million, Q4_0":             {blocks, 32000, 13_730_000, 212_000, 16},
		"160 million, F32":             {floats(48), 49152, 651_000_000, 460_000, 42},
		"160 million, Q4_0":            {blocks, 49152, 91_600_000, 460_000, 24},
		"few ids: over a step":         {floats(18), 2048, 7_340_000, 196_608, 96},
		"a large vocabulary":           {blocks, 262144, 1 << 30, 300_000, 8},
		"a large vocabulary in floats": {floats(48), 262144, 1 << 30, 300_000, 6},
		"a small model of many ids":    {floats(48), 128256, 1 << 20, 100, 12},
	} {
		r := c.r
		r.vocab, r.bytes, r.step = c.vocab, c.bytes, c.step
		if got := r.rows(); got != c.want {
			t.Errorf("%s: %d rows, want %d", name, got, c.want)
		}
	}
}

// TestPasses: all rows come, within the room and no more often than they have to.
func TestPasses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := room{
			vocab: kernel.Pad(rapid.IntRange(2, 300000).Draw(t, "vocab")), bytes: rapid.IntRange(0, 1<<30).Draw(t, "bytes"),
			step: rapid.IntRange(0, 1<<20).Draw(t, "step"), unit: rapid.SampledFrom([]int{6, 8}).Draw(t, "unit"),
			enough: rapid.SampledFrom([]int{18, 48, 64}).Draw(t, "enough"),
		}
		n := rapid.IntRange(1, chunk).Draw(t, "rows")
		most, at := r.rows(), r.pass(n)
		if most < r.unit || most > chunk || at < 1 || at > most {
			t.Fatalf("%d at a time of at most %d", at, most)
		}
		if got, want := (n+at-1)/at, (n+most-1)/most; got != want {
			t.Fatalf("%d rows in %d passes, want %d", n, got, want)
		}
	})
}

// TestStaleMemory: vectors that lie where others did read nothing of these, also where
// their lengths are no multiples of 16.
func TestStaleMemory(t *testing.T) {
	for _, s := range []madeup.Shape{
		{Arch: "llama", Dim: 40, FFN: 52, Layers: 2, Heads: 6, KVHeads: 2, Head: 10, Type: gguf.F16, Untied: true},
		{Arch: "llama", Dim: 72, FFN: 8, Layers: 2, Heads: 7, KVHeads: 7, Head: 12, Type: gguf.F32},
		{Arch: "gemma2", Dim: 52, FFN: 36, Layers: 2, Heads: 3, KVHeads: 1, Head: 12, Type: gguf.F32, Window: 20},
		{Arch: "qwen3", Dim: 64, FFN: 96, Layers: 2, Heads: 4, KVHeads: 2, Head: 8, Type: gguf.Q8_0},
	} {
		s.Vocab, s.Context, s.NoText, s.Seed = 301, 128, true, 9
		data, err := madeup.Model(s)
		if err != nil {
			t.Fatal(err)
		}
		m, err := Load(data)
		if err != nil {
			t.Fatal(err)
		}
		for threads := 1; threads <= 2; threads++ {
			e, err := New(m, Options{Threads: threads, ReuseBytes: -1})
			if err != nil {
				t.Fatal(err)
			}
			e.abreast, e.worth = threads, 1
			want := answers(t, e)
			rest(e)
			for _, ws := range e.spaces {
				for i := range ws.own.logits.Data {
					ws.own.logits.Data[i] = float32(math.NaN())
				}
			}
			if diff := cmp.Diff(want, answers(t, e)); diff != "" {
				t.Errorf("%s of %d, %d threads: %s", s.Arch, s.Dim, threads, diff)
			}
		}
	}
}
