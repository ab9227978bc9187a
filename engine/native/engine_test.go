package native_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"targon"
	"targon/engine/enginetest"
	"targon/engine/native"
	"targon/engine/native/gguf"
	"targon/engine/native/kernel"
)

func info(m *native.Model, prompt []targon.TokenID) enginetest.Info {
	return enginetest.Info{Weights: m.Digest(), Vocab: m.Vocab(), EOS: m.EOS(), Prompt: prompt}
}

func TestConformance(t *testing.T) {
	m := random(t, enginetest.Tiny())
	for _, k := range kernel.Available() {
		t.Run(k, func(t *testing.T) {
			enginetest.Run(t, func(t *testing.T) (enginetest.Engine, enginetest.Info) {
				return engine(t, m, native.Options{Kernel: k}), info(m, m.Encode("hello world", true))
			})
		})
	}
}

func TestConformanceStories(t *testing.T) {
	m := stories(t)
	enginetest.Run(t, func(t *testing.T) (enginetest.Engine, enginetest.Info) {
		return engine(t, m, native.Options{}), info(m, m.Encode("Once upon a time", true))
	})
}

// TestDecodeEqualsPrefill: scoring ids in one pass gives, bit for bit, the logits that
// drew them one at a time, wherever the passes are cut.
func TestDecodeEqualsPrefill(t *testing.T) {
	m := random(t, enginetest.Tiny())
	e := engine(t, m, native.Options{})
	ids := someIDs(250, m.Vocab())
	whole := logits(t, e, ids)
	for _, n := range []int{1, 2, 3, 4, 5, 47, 48, 49, 95, 96, 97, 191, 192, 193, 250} {
		part := logits(t, e, ids[:n])
		if sum(part) != sum(whole[:n*m.Vocab()]) {
			t.Errorf("the first %d ids give other logits alone", n)
		}
	}
	r := targon.Request{Prompt: ids[:9], MaxTokens: 150, Sampling: targon.Sampling{Temperature: 1, Seed: 4}}
	drawn := enginetest.IDs(enginetest.Collect(t, e, r))
	all := append(slices.Clone(r.Prompt), drawn...)
	rows := logits(t, e, all)
	scores, err := e.Score(t.Context(), r, drawn, targon.Need{})
	if err != nil {
		t.Fatal(err)
	}
	for j, p := range scores.Positions {
		if want := rows[(len(r.Prompt)-1+j)*m.Vocab()+int(drawn[j])]; math.Float32bits(want) != math.Float32bits(p.Claimed.Logit) {
			t.Errorf("position %d: scored %v, computed %v", j, p.Claimed.Logit, want)
		}
	}
}

func TestLogProb(t *testing.T) {
	m := random(t, enginetest.Tiny())
	e := engine(t, m, native.Options{})
	r, ids := targon.Request{Prompt: someIDs(3, m.Vocab())}, someIDs(20, m.Vocab())
	scores, err := e.Score(t.Context(), r, ids, targon.Need{Top: m.Vocab()})
	if err != nil {
		t.Fatal(err)
	}
	for j, p := range scores.Positions {
		total := 0.0
		for _, c := range p.Top {
			total += math.Exp(float64(c.Logit))
		}
		if want := float64(p.Claimed.Logit) - math.Log(total); math.Abs(want-p.LogProb) > 1e-6 {
			t.Errorf("position %d: log-probability %v, want %v", j, p.LogProb, want)
		}
	}
}

func TestRefusals(t *testing.T) {
	m := random(t, enginetest.Tiny())
	e := engine(t, m, native.Options{})
	ok := targon.Request{Prompt: someIDs(4, m.Vocab()), MaxTokens: 4}
	for name, c := range map[string]struct {
		change func(*targon.Request)
		want   error
	}{
		"context":     {func(r *targon.Request) { r.Prompt = someIDs(m.Context()-3, m.Vocab()) }, native.ErrContext},
		"long answer": {func(r *targon.Request) { r.MaxTokens = uint32(m.Context()) }, native.ErrContext},
		"vocabulary":  {func(r *targon.Request) { r.Prompt = []targon.TokenID{targon.TokenID(m.Vocab())} }, native.ErrVocabulary},
		"empty":       {func(r *targon.Request) { r.Prompt = nil }, targon.ErrRequest},
		"NaN":         {func(r *targon.Request) { r.Sampling.Temperature = math.NaN() }, targon.ErrRequest},
		"none wanted": {func(r *targon.Request) { r.MaxTokens = 0 }, targon.ErrRequest},
	} {
		r := ok
		c.change(&r)
		for _, err := range e.Generate(t.Context(), r) {
			if !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", name, err, c.want)
			}
		}
	}
	r := ok
	r.Prompt = someIDs(m.Context()-4, m.Vocab())
	if got := enginetest.Collect(t, e, r); len(got) == 0 {
		t.Error("a request that fills the context exactly is refused")
	}
	if _, err := e.Score(t.Context(), ok, []targon.TokenID{-1}, targon.Need{}); !errors.Is(err, native.ErrVocabulary) {
		t.Errorf("score of a wrong id: %v", err)
	}
	if _, err := e.Score(t.Context(), ok, someIDs(2, m.Vocab()), targon.Need{Also: [][]targon.TokenID{{999999}}}); !errors.Is(err, native.ErrVocabulary) {
		t.Errorf("score with a wrong further id: %v", err)
	}
	if _, err := native.New(m, native.Options{Kernel: "abacus"}); !errors.Is(err, kernel.ErrKernel) {
		t.Errorf("unknown kernel: %v", err)
	}
}

// TestNumeric: broken weights are an error of their own, and only for who meets them.
func TestNumeric(t *testing.T) {
	data, err := enginetest.RandomModel(enginetest.Tiny())
	if err != nil {
		t.Fatal(err)
	}
	f, err := gguf.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	embed, _ := f.Tensor("token_embd.weight")
	copy(embed.Data[2*40*7:], []byte{0xff, 0x7f}) // a NaN in the row of id 7
	m, err := native.Load(encode(t, f))
	if err != nil {
		t.Fatal(err)
	}
	e := engine(t, m, native.Options{Threads: 1})
	good := targon.Request{Prompt: []targon.TokenID{5, 6}, MaxTokens: 1}
	bad := targon.Request{Prompt: []targon.TokenID{5, 7}, MaxTokens: 1}
	for _, err := range e.Generate(t.Context(), bad) {
		if !errors.Is(err, native.ErrNumeric) {
			t.Errorf("NaN: %v", err)
		}
	}
	if _, err := e.Score(t.Context(), bad, []targon.TokenID{1}, targon.Need{}); !errors.Is(err, native.ErrNumeric) {
		t.Errorf("score NaN: %v", err)
	}
	enginetest.Collect(t, e, good)
	// Computed together, whoever meets no broken weight goes on.
	good = targon.Request{Prompt: []targon.TokenID{5, 6}, MaxTokens: 10}
	want := enginetest.IDs(enginetest.Collect(t, e, good))
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			if got := enginetest.IDs(enginetest.Collect(t, e, good)); !slices.Equal(got, want) {
				t.Errorf("beside broken ones: %v, want %v", got, want)
			}
		})
		all.Go(func() {
			for _, err := range e.Generate(t.Context(), bad) {
				if !errors.Is(err, native.ErrNumeric) {
					t.Errorf("NaN beside sound ones: %v", err)
				}
			}
		})
	}
	all.Wait()
}

// TestSlowConsumer: one thread, a caller that sits on its ids, and another is served.
func TestSlowConsumer(t *testing.T) {
	m := random(t, enginetest.Tiny())
	e := engine(t, m, native.Options{Threads: 1})
	r := enginetest.Request(info(m, someIDs(4, m.Vocab())), 1, 0)
	for range e.Generate(t.Context(), r) {
		enginetest.Collect(t, e, r) // inside another's loop
		break
	}
}

// TestMaxSequences: a call beyond the limit waits, and gives up when cancelled.
func TestMaxSequences(t *testing.T) {
	m := random(t, enginetest.Tiny())
	e := engine(t, m, native.Options{MaxSequences: 1})
	r := enginetest.Request(info(m, someIDs(4, m.Vocab())), 1, 0)
	for range e.Generate(t.Context(), r) {
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			for _, err := range e.Generate(ctx, r) {
				if !errors.Is(err, context.Canceled) {
					t.Errorf("a call beyond the limit: %v", err)
				}
			}
		})
		cancel()
		wg.Wait()
		break
	}
	enginetest.Collect(t, e, r)
}

func TestDerived(t *testing.T) {
	m := random(t, small())
	ids := someIDs(20, m.Vocab())
	seen := map[string]string{sum(logits(t, engine(t, m, native.Options{}), ids)): "original"}
	digests := map[targon.Digest]bool{m.Digest(): true}
	check := func(name string, d *native.Model, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		h := sum(logits(t, engine(t, d, native.Options{}), ids))
		if seen[h] != "" || digests[d.Digest()] {
			t.Errorf("%s has the logits of %q, or a digest of another", name, seen[h])
		}
		seen[h], digests[d.Digest()] = name, true
	}
	for _, typ := range []gguf.Type{gguf.Q8_0, gguf.Q4_0} {
		d, err := m.Requantized(typ)
		check(typ.String(), d, err)
	}
	d, err := m.WithoutLayer(2)
	check("without 2", d, err)
	if _, err := m.WithoutLayer(4); err == nil {
		t.Error("left out a layer that is not there")
	}
	same, err := m.Requantized(gguf.F16)
	if err != nil {
		t.Fatal(err)
	}
	if h := sum(logits(t, engine(t, same, native.Options{}), ids)); seen[h] != "original" {
		t.Error("rounding F16 to F16 changes logits")
	}
}

func TestTextOfTokens(t *testing.T) {
	m := random(t, enginetest.Tiny())
	e := engine(t, m, native.Options{})
	var streamed strings.Builder
	decoder, want := m.Decoder(), ""
	for _, tok := range enginetest.Collect(t, e, enginetest.Request(info(m, someIDs(4, m.Vocab())), 3, 1)) {
		streamed.WriteString(tok.Text)
		want += decoder.Add(tok.ID)
	}
	if want += decoder.Flush(); streamed.String() != want {
		t.Errorf("streamed %q, decoded %q", streamed.String(), want)
	}
}
