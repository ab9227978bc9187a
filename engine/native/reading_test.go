package native

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"targon"
	"targon/engine/native/gguf"
	"targon/engine/native/kernel"
	"targon/engine/native/madeup"
)

// longVocab is so many ids that a step's rows of logits come in several pieces, the last of
// them shorter and not a multiple of anything.
const longVocab = 2*piece + 935

// wordy has many ids for its size.
func wordy(t *testing.T, arch string, typ gguf.Type, vocab int) *Model {
	t.Helper()
	data, err := madeup.Model(madeup.Shape{
		Arch: arch, Dim: 64, FFN: 96, Layers: 2, Heads: 4, KVHeads: 2, Head: 16, Vocab: vocab,
		Context: 512, NoText: true, Type: typ, Untied: true, Seed: 3, Window: 40,
	})
	if err != nil {
		t.Fatal(err)
	}
	m, err := Load(data)
	if err != nil {
		t.Fatal(err)
	}
	if r := m.w.room(); r.slab(30) != piece {
		t.Fatalf("%d ids at a time for 30 rows, want a piece", r.slab(30))
	}
	return m
}

func wordyModels(t *testing.T) map[string]*Model {
	t.Helper()
	return map[string]*Model{
		"llama F32":                            wordy(t, "llama", gguf.F32, longVocab),
		"llama Q8_0":                           wordy(t, "llama", gguf.Q8_0, longVocab),
		"gemma2 F16, whose logits are bounded": wordy(t, "gemma2", gguf.F16, longVocab),
		"llama F16, two whole pieces":          wordy(t, "llama", gguf.F16, 2*piece),
		"llama F16, one piece":                 wordy(t, "llama", gguf.F16, piece),
	}
}

// spread returns ids from all over a vocabulary.
func spread(n, vocab int) []targon.TokenID {
	ids := make([]targon.TokenID, n)
	for i := range ids {
		ids[i] = targon.TokenID(i * 7919 % vocab)
	}
	return ids
}

// TestPiecesSame: what is said of positions whose logits come in pieces is, to the bit, what
// their whole rows say, however many threads there are.
func TestPiecesSame(t *testing.T) {
	for name, m := range wordyModels(t) {
		t.Run(name, func(t *testing.T) {
			ids := spread(300, m.Vocab())
			one, err := New(m, Options{Threads: 1, ReuseBytes: -1})
			if err != nil {
				t.Fatal(err)
			}
			var rows [][]float32
			err = one.Logits(t.Context(), ids, func(_ int, logits []float32) error {
				rows = append(rows, slices.Clone(logits))
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			const prompt = 20
			also := make([][]targon.TokenID, len(ids)-prompt)
			for j := range also[:200] {
				also[j] = []targon.TokenID{targon.TokenID(j), targon.TokenID(m.Vocab() - 1), ids[prompt+j], piece - 1, targon.TokenID(min(piece, m.Vocab()-1))}
			}
			for _, c := range []struct {
				by  targon.Sampling
				top int
			}{
				{targon.Sampling{}, 16},
				{targon.Sampling{Temperature: 1}, 0},
				{targon.Sampling{Temperature: 0.7}, fewOf},
				{targon.Sampling{Temperature: 1e-300}, 1},
				{targon.Sampling{Temperature: 1}, fewOf + 1}, // from here on rows come whole
				{targon.Sampling{Temperature: 1, TopK: 9}, 16},
			} {
				want := make([]targon.Position, len(also))
				for j := range want {
					want[j] = one.spaces[0].position(rows[prompt+j-1], ids[prompt+j], c.by, c.top, also[j])
					if (want[j].Also == nil) != (also[j] == nil) || (want[j].Top == nil) != (c.top == 0) {
						t.Fatalf("%+v: lists that nobody asked for: %+v", c, want[j])
					}
				}
				for threads := 1; threads <= 3; threads++ {
					e, err := New(m, Options{Threads: threads, ReuseBytes: -1})
					if err != nil {
						t.Fatal(err)
					}
					got, err := e.Score(t.Context(), targon.Request{Prompt: ids[:prompt], Sampling: c.by}, ids[prompt:], targon.Need{Top: c.top, Also: also})
					if err != nil {
						t.Fatal(err)
					}
					if !reflect.DeepEqual(want, got.Positions) {
						t.Fatalf("%+v, %d threads (-whole +pieces):\n%s", c, threads, cmp.Diff(want, got.Positions))
					}
				}
			}
		})
	}
}

// TestDrawsInPieces: answers side by side, whose logits come in pieces, are those of one
// alone that are drawn from whole rows, also beside such as need whole rows.
func TestDrawsInPieces(t *testing.T) {
	const answers = 32
	for name, m := range wordyModels(t) {
		t.Run(name, func(t *testing.T) {
			request := func(i int) targon.Request {
				return targon.Request{
					Prompt: spread(1+i, m.Vocab()), MaxTokens: 6,
					Sampling: targon.Sampling{Temperature: float64(i%3) / 2, Seed: uint64(i)},
				}
			}
			e, err := New(m, Options{Threads: 1})
			if err != nil {
				t.Fatal(err)
			}
			var want [answers][]targon.TokenID
			for i := range want {
				r, s := request(i), NewSampler()
				pick := func(logits []float32, before int) (targon.TokenID, error) {
					return s.Draw(logits, r.Sampling, before), nil
				}
				for token, err := range e.GenerateBy(t.Context(), r, pick) {
					if err != nil {
						t.Fatal(err)
					}
					want[i] = append(want[i], token.ID)
				}
			}
			for _, whole := range []int{0, 3, answers} {
				for threads := 1; threads <= 3; threads++ {
					e, err := New(m, Options{Threads: threads})
					if err != nil {
						t.Fatal(err)
					}
					if threads == 3 { // which share rows out, also of logits that do not all fit
						e.abreast, e.worth = threads, 1
					}
					var got [answers][]targon.TokenID
					var all sync.WaitGroup
					for i := range got {
						all.Go(func() {
							var err error
							if i < whole {
								for d, failed := range e.Trace(t.Context(), request(i), 1) {
									got[i], err = append(got[i], d.Token.ID), errors.Join(err, failed)
								}
							} else {
								for token, failed := range e.Generate(t.Context(), request(i)) {
									got[i], err = append(got[i], token.ID), errors.Join(err, failed)
								}
							}
							if err != nil {
								t.Error(err)
							}
						})
					}
					all.Wait()
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("%d threads, %d whole (-alone +side by side):\n%s", threads, whole, diff)
					}
				}
			}
		})
	}
}

// TestStatesInPieces: hidden states are the same whether logits come in pieces or not.
func TestStatesInPieces(t *testing.T) {
	m := wordy(t, "llama", gguf.F32, longVocab)
	e, err := New(m, Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	ids := spread(200, m.Vocab())
	got, err := e.States(t.Context(), targon.Request{Prompt: ids[:3]}, ids[3:])
	if err != nil {
		t.Fatal(err)
	}
	for _, j := range []int{0, 50, 99, 196} {
		one, err := e.States(t.Context(), targon.Request{Prompt: ids[:3+j]}, ids[3+j:4+j])
		if err != nil || !slices.Equal(one[0], got[j]) {
			t.Errorf("state %d differs, %v", j, err)
		}
	}
}

// TestBrokenInPieces: where an id's weights make no number, whoever comes first in the
// request ends it, also if other threads or later pieces find theirs before; the calls
// beside it go on.
func TestBrokenInPieces(t *testing.T) {
	data, err := madeup.Model(madeup.Shape{
		Dim: 64, FFN: 96, Layers: 2, Heads: 4, KVHeads: 2, Head: 16, Vocab: longVocab, Context: 512, NoText: true, Type: gguf.F16, Untied: true, Seed: 3,
	})
	if err != nil {
		t.Fatal(err)
	}
	f, err := gguf.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	embed, ok := f.Tensor("token_embd.weight")
	if !ok {
		t.Fatal("no embeddings")
	}
	copy(embed.Data[2*64*7:], []byte{0xff, 0x7f}) // a NaN in the row of id 7
	m, err := Load(data)
	if err != nil {
		t.Fatal(err)
	}
	for threads := 1; threads <= 3; threads++ {
		e, err := New(m, Options{Threads: threads})
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range []int{40, 140, 230} {
			bad := make([]targon.TokenID, 250)
			for i := range bad {
				bad[i] = targon.TokenID(100 + i)
			}
			sound := slices.Clone(bad)
			bad[at] = 7
			var all sync.WaitGroup
			all.Go(func() {
				if _, err := e.Score(t.Context(), targon.Request{Prompt: sound[:1]}, sound[1:], targon.Need{}); err != nil {
					t.Errorf("%d threads, beside: %v", threads, err)
				}
			})
			_, err = e.Score(t.Context(), targon.Request{Prompt: bad[:1]}, bad[1:], targon.Need{})
			all.Wait()
			if !errors.Is(err, ErrNumeric) || err.Error() != fmt.Sprintf("score: %v at position %d", ErrNumeric, at) {
				t.Errorf("%d threads, id %d: %v", threads, at, err)
			}
		}
	}
}

// cuts draws where a row of n logits is cut into pieces.
func cuts(t *rapid.T, n int) []int {
	ends := rapid.SliceOfN(rapid.IntRange(0, n), 0, 4).Draw(t, "cuts")
	slices.Sort(ends)
	return append(ends, n)
}

// TestCutRows: draw, rank and the highest are the same wherever a row is cut.
func TestCutRows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		logits := rapid.SliceOfN(rapid.Float32Range(-2, 2), 1, 300).Draw(t, "logits")
		for i := range logits {
			logits[i] = float32(math.Round(float64(logits[i])*4)) / 4 // many ties
		}
		by, err := kernel.Select(rapid.SampledFrom(kernel.Available()).Draw(t, "kernel"))
		if err != nil {
			t.Fatal(err)
		}
		s := &sampler{by}
		sampling := targon.Sampling{Temperature: rapid.SampledFrom([]float64{0, 1e-300, 0.7, 1}).Draw(t, "temperature"), Seed: 4}
		k := rapid.IntRange(0, fewOf).Draw(t, "k")
		claimed := rapid.IntRange(0, len(logits)-1).Draw(t, "claimed")
		than := targon.Scored{ID: targon.TokenID(claimed), Logit: logits[claimed]}
		lot, ahead, best := s.lot(sampling, 7), uint32(0), []targon.Scored(nil)
		from := 0
		for _, to := range cuts(t, len(logits)) {
			part := logits[from:to]
			lot.take(from, part)
			ahead += rank(by, from, part, than)
			best = lead(by, best, from, part, k)
			from = to
		}
		if want := s.draw(logits, sampling, 7); lot.winner != want {
			t.Fatalf("drew %d, want %d", lot.winner, want)
		}
		if want := rank(by, 0, logits, than); ahead != want {
			t.Fatalf("rank %d, want %d", ahead, want)
		}
		if want := highest(by, logits, k); !slices.Equal(best, want) {
			t.Fatalf("highest %v, want %v", best, want)
		}
	})
}

// TestMass: the sums of pieces, each relative to a logit of its own, come to those of all,
// whichever piece has the highest.
func TestMass(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		logits := rapid.SliceOfN(rapid.Float32Range(-40, 40), 1, 120).Draw(t, "logits")
		inverse := rapid.SampledFrom([]float32{0.5, 1, 1.4, 1e30}).Draw(t, "1/T")
		by, err := kernel.Select("")
		if err != nil {
			t.Fatal(err)
		}
		ws := &workspace{kernel: by, exps: make([]float32, piece)}
		var got mass
		from := 0
		for _, to := range cuts(t, len(logits)) {
			if part := logits[from:to]; len(part) > 0 {
				high := slices.Max(part)
				got.add(ws.moments(part, high, inverse), high, inverse)
			}
			from = to
		}
		want := mass{high: slices.Max(logits)}
		for _, l := range logits {
			x := (float64(l) - float64(want.high)) * float64(inverse)
			if w := math.Exp(x); w > 0 {
				want.sum += w
				want.first += w * x
				want.second += w * x * x
			}
		}
		if got.high != want.high || !near(got.sum, want.sum) || !near(got.first, want.first) || !near(got.second, want.second) {
			t.Fatalf("%+v, want %+v", got, want)
		}
	})
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-5*(1+math.Abs(b)) }

// told is a reading that notes which positions it is of.
type told struct {
	nothing
	at  int
	all *[]int
}

func (t told) end() (next targon.TokenID, more bool, err error) {
	*t.all = append(*t.all, t.at)
	return 0, false, nil
}

// TestHelp: a thread that has done with its own rows reads what another leaves, when that has
// begun; and keeps nothing for others where it is alone.
func TestHelp(t *testing.T) {
	m := wordy(t, "llama", gguf.F32, longVocab)
	e, err := New(m, Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	ids := spread(150, m.Vocab())
	if _, err := e.Score(t.Context(), targon.Request{Prompt: ids[:1]}, ids[1:], targon.Need{}); err != nil {
		t.Fatal(err)
	}
	rest(e)
	first, second := e.spaces[0], e.spaces[1]
	var read []int
	c := &call{read: func(at int, _ row) reading { return told{at: at, all: &read} }}
	rows := make([]wanted, 74)
	for i := range rows {
		rows[i] = wanted{share: &share{call: c}, at: i}
	}
	for _, open := range []bool{false, true} {
		first.alone()
		second.alone()
		first.peers, first.stock.rows = e.spaces, nil
		second.stock.rows, second.stock.most = rows, 50
		second.stock.open.Store(open)
		second.stock.taken.Store(1) // by itself
		first.read()
		want := 0
		if open {
			want = 24
		}
		if len(read) != want || open && (read[0] != 50 || read[23] != 73) {
			t.Errorf("open %v: read %v of another's, want the last %d", open, read, want)
		}
	}
	for _, beside := range []bool{false, true} {
		read = nil
		second.alone()
		want := len(rows)
		if beside {
			second.peers, want = e.spaces, len(rows)-24
		}
		second.stock.rows = rows
		if second.read(); second.stock.most != want || len(read) != len(rows) {
			t.Errorf("beside another %v: takes %d rows first and reads %d, want %d and %d", beside, second.stock.most, len(read), want, len(rows))
		}
	}
}

// TestStock: all of a thread's rows are taken, each once, whoever takes them.
func TestStock(t *testing.T) {
	s := stock{rows: make([]wanted, 95), most: 64}
	var mu sync.Mutex
	times := make([]int, len(s.rows))
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			for lo, hi := s.take(); lo < hi; lo, hi = s.take() {
				mu.Lock()
				for i := lo; i < hi; i++ {
					times[i]++
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if i := slices.IndexFunc(times, func(n int) bool { return n != 1 }); i >= 0 {
		t.Errorf("row %d was taken %d times", i, times[i])
	}
}
