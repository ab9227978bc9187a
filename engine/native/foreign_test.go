package native_test

import (
	"cmp"
	"context"
	"math"
	"slices"
	"testing"

	"targon"
	"targon/engine/enginetest"
	"targon/engine/native"
	"targon/engine/native/gguf"
	"targon/model"
	"targon/noise"
)

func builtin(t testing.TB) *native.Model {
	t.Helper()
	m, err := native.Load(model.GGUF())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// story returns a prompt and what an engine goes on with.
func story(t testing.TB, e *native.Engine, seed uint64, n uint32) (targon.Request, []targon.TokenID) {
	t.Helper()
	r := targon.Request{
		Prompt: e.Model().Encode("Once upon a time", true), MaxTokens: n,
		Sampling: targon.Sampling{Temperature: 1, Seed: seed},
	}
	var ids []targon.TokenID
	for token, err := range e.Generate(context.Background(), r) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, token.ID)
	}
	return r, ids
}

// TestForeignDiffersLittle: the numerics are not ours, and near enough that the model is
// recognised. Limits are about three times what was measured.
func TestForeignDiffersLittle(t *testing.T) {
	m := builtin(t)
	ours := engine(t, m, native.Options{})
	r, ids := story(t, ours, 1, 180)
	ids = slices.Concat(r.Prompt, ids)
	want := logits(t, ours, ids)
	for _, c := range []struct {
		name          string
		foreign       native.Foreign
		median, worst float64
	}{
		{"parts alone", native.Foreign{Splits: 4}, 1e-6, 3e-5},
		{"F32, cache F16", native.LikeGPU(gguf.F32), 5e-4, 3e-2},
		{"F16", native.LikeGPU(gguf.F16), 3e-3, 5e-2},
		{"BF16", native.LikeGPU(gguf.BF16), 2e-2, 0.6},
	} {
		got := logits(t, engine(t, m, native.Options{Foreign: c.foreign}), ids)
		differences := make([]float64, len(got))
		for i := range got {
			differences[i] = math.Abs(float64(got[i]) - float64(want[i]))
		}
		slices.Sort(differences)
		median, worst := differences[len(differences)/2], differences[len(differences)-1]
		t.Logf("%s: logits differ by %.2g in the median, %.2g at most", c.name, median, worst)
		if median == 0 || median > c.median || worst > c.worst {
			t.Errorf("%s: logits differ by %.2g in the median (limit %.2g, and not 0) and %.2g at most (limit %.2g)", c.name, median, c.median, worst, c.worst)
		}
	}
}

// TestForeignIsDeterministic: the same options and batch shapes give the same bits, with
// every kernel and number of threads, and again.
func TestForeignIsDeterministic(t *testing.T) {
	m := random(t, enginetest.Tiny())
	ids := someIDs(100, m.Vocab())
	ours := sum(logits(t, engine(t, m, native.Options{}), ids))
	for _, f := range []native.Foreign{native.LikeGPU(gguf.F16), {Splits: 3, Piece: 16}, {Cache: gguf.BF16}} {
		want := ""
		for _, o := range configurations() {
			o.Foreign = f
			e := engine(t, m, o)
			if e.Kernel() != "foreign" {
				t.Errorf("kernel is called %q", e.Kernel())
			}
			got := sum(logits(t, e, ids))
			if want = cmp.Or(want, got); got != want {
				t.Errorf("%+v: other bits than before", o)
			}
			if o.Threads == 2 && sum(logits(t, e, ids)) != want {
				t.Errorf("%+v: other bits at the second time", o)
			}
		}
		if want == ours {
			t.Errorf("%+v gives our own bits", f)
		}
	}
}

// TestForeignGeneratingIsNotScoring: one position at a time is summed otherwise than
// many, which is why equality is no proof on such an engine. On ours it is one.
func TestForeignGeneratingIsNotScoring(t *testing.T) {
	m := builtin(t)
	for _, c := range []struct {
		name    string
		options native.Options
		differs bool
	}{
		{"ours", native.Options{}, false},
		{"foreign", native.Options{Foreign: native.LikeGPU(gguf.F32)}, true},
	} {
		e := engine(t, m, c.options)
		r, ids := story(t, e, 3, 60)
		scores, err := e.Score(t.Context(), r, ids, targon.Need{Top: 1})
		if err != nil {
			t.Fatal(err)
		}
		if scores.Kernel != e.Kernel() || scores.Weights != m.Digest() {
			t.Errorf("%s: scores are of kernel %q and weights %v", c.name, scores.Kernel, scores.Weights)
		}
		i, differs := 0, false
		for drawn, err := range e.Trace(t.Context(), r, 1) {
			if err != nil {
				t.Fatal(err)
			}
			if drawn.Token.ID != ids[i] {
				t.Fatalf("%s: id %d at %d, before it was %d", c.name, drawn.Token.ID, i, ids[i])
			}
			differs = differs || drawn.Position.Claimed != scores.Positions[i].Claimed
			i++
		}
		if differs != c.differs {
			t.Errorf("%s: generating and scoring differ: %v, want %v", c.name, differs, c.differs)
		}
	}
}

// TestForeignBlocks: quantised matrices are summed by parts as well, where their blocks
// allow it.
func TestForeignBlocks(t *testing.T) {
	for _, typ := range []gguf.Type{gguf.F32, gguf.Q8_0, gguf.Q4_0, gguf.Q4_K} {
		m := random(t, enginetest.Shape{
			Dim: 512, FFN: 512, Layers: 1, Heads: 2, KVHeads: 2, Head: 256, Vocab: 300, Context: 64, Type: typ, Seed: 9,
		})
		ids := someIDs(12, m.Vocab())
		ours := logits(t, engine(t, m, native.Options{}), ids)
		theirs := logits(t, engine(t, m, native.Options{Foreign: native.Foreign{Splits: 4}}), ids)
		worst := 0.0
		for i := range ours {
			worst = max(worst, math.Abs(float64(ours[i])-float64(theirs[i])))
		}
		t.Logf("%v: largest difference %.2g", typ, worst)
		if worst == 0 || worst > 1e-2 {
			t.Errorf("%v: logits differ by %v at most, want little and not nothing", typ, worst)
		}
	}
}

// TestForeignOptions: what means nothing is refused.
func TestForeignOptions(t *testing.T) {
	m := random(t, enginetest.Tiny())
	for _, f := range []native.Foreign{
		{Splits: -1}, {Splits: 17}, {Piece: -16}, {Piece: 8}, {Piece: 1 << 17}, {Cache: gguf.Q8_0}, {Activations: gguf.Type(99)},
	} {
		if _, err := native.New(m, native.Options{Foreign: f}); err == nil {
			t.Errorf("%+v is not refused", f)
		}
	}
}

// flips counts the ids that a foreign engine drew and ours would not have drawn after
// the same ids, out of at least n.
func flips(t testing.TB, foreign native.Foreign, n int) (flipped, ids int) {
	t.Helper()
	m := builtin(t)
	theirs, ours := engine(t, m, native.Options{Foreign: foreign}), engine(t, m, native.Options{})
	for seed := uint64(1); ids < n; seed++ {
		r, answer := story(t, theirs, seed, 200)
		fed := slices.Concat(r.Prompt, answer[:len(answer)-1])
		from := len(r.Prompt) - 1
		err := ours.Logits(context.Background(), fed, func(at int, row []float32) error {
			if at >= from && drawn(row, r.Sampling, at+1) != answer[at-from] {
				flipped++
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		ids += len(answer)
	}
	return flipped, ids
}

// drawn repeats the draw, the plain way.
func drawn(row []float32, by targon.Sampling, position int) targon.TokenID {
	best, winner := math.Inf(-1), 0
	for id, l := range row {
		if v := noise.Perturb(l, by.Temperature, noise.Gumbel(by.Seed, uint32(position), uint32(id))); v > best {
			best, winner = v, id
		}
	}
	return targon.TokenID(winner)
}

// TestForeignFlips: an honest stranger draws almost always what we would draw.
func TestForeignFlips(t *testing.T) {
	if n, of := flips(t, native.Foreign{}, 200); n != 0 {
		t.Errorf("our own engine draws %d of %d ids otherwise", n, of)
	}
	if n, of := flips(t, native.LikeGPU(gguf.BF16), 600); n*20 > of {
		t.Errorf("BF16 draws %d of %d ids otherwise, more than one in twenty", n, of)
	}
}

// BenchmarkForeignFlips measures the share of ids drawn otherwise: run it with
// -benchtime 20000x.
func BenchmarkForeignFlips(b *testing.B) {
	for _, t := range []gguf.Type{gguf.F32, gguf.F16, gguf.BF16} {
		b.Run(t.String(), func(b *testing.B) {
			n, of := flips(b, native.LikeGPU(t), b.N)
			b.ReportMetric(float64(n)/float64(of), "flips/id")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkForeign measures what the other numerics cost.
func BenchmarkForeign(b *testing.B) {
	m := builtin(b)
	for name, f := range map[string]native.Foreign{"ours": {}, "F32": native.LikeGPU(gguf.F32), "F16": native.LikeGPU(gguf.F16)} {
		e := engine(b, m, native.Options{Threads: 1, Foreign: f})
		r, ids := story(b, e, 1, 200)
		b.Run("decode/"+name, func(b *testing.B) {
			for b.Loop() {
				story(b, e, 1, 200)
			}
			b.ReportMetric(float64(b.N*len(ids))/b.Elapsed().Seconds(), "tok/s")
		})
		b.Run("score/"+name, func(b *testing.B) {
			for b.Loop() {
				if _, err := e.Score(context.Background(), r, ids, targon.Need{Top: 1}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N*len(ids))/b.Elapsed().Seconds(), "tok/s")
		})
	}
}
