package redteam_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"

	"targon"
	"targon/engine/native"
	"targon/engine/redteam"
	"targon/model"
)

// A bench is the honest engine and requests to it.
type bench struct {
	honest *native.Engine
	model  *native.Model
}

func newBench(t testing.TB) bench {
	t.Helper()
	m, err := native.Load(model.GGUF())
	if err != nil {
		t.Fatal(err)
	}
	e, err := native.New(m, native.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	return bench{e, m}
}

func (b bench) request(i int, text string, length uint32) targon.Request {
	return targon.Request{
		ID: targon.RequestID{byte(i)}, Prompt: b.model.Encode(text, true), MaxTokens: length,
		Sampling: targon.Sampling{Temperature: 1, Seed: uint64(1000 + i)},
	}
}

var openings = []string{
	"Once upon a time", "The old harbour", "Mira said that", "In the valley of", "Nobody knew why", "Before the feast",
	"It was the third day", "The baker of", "When the rain came", "On the road to",
}

func answer(t testing.TB, e redteam.Engine, r targon.Request) []targon.TokenID {
	t.Helper()
	var ids []targon.TokenID
	for tok, err := range e.Generate(t.Context(), r) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, tok.ID)
	}
	return ids
}

// agree counts ids until the first difference, which puts answers on ways of their own.
func agree(a, b []targon.TokenID) (n int) {
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// TestEveryCheatCheats: each engine answers in full or ends like one, and over some
// requests gives other ids than the honest one; the control nearly never does.
func TestEveryCheatCheats(t *testing.T) {
	if testing.Short() {
		t.Skip("builds thirty engines")
	}
	b := newBench(t)
	for _, name := range append(redteam.Names(), redteam.Foreign) {
		e, err := redteam.New(name, b.honest, native.Options{Threads: 1}, 1)
		if err != nil {
			t.Fatal(err)
		}
		differ, same := 0, 0
		for i := range 12 {
			length := uint32(16)
			if i%4 == 0 {
				length = 80
			}
			r := b.request(10*i, openings[i%len(openings)], length)
			want, got := answer(t, b.honest, r), answer(t, e, r)
			if len(got) == 0 || len(got) > int(r.MaxTokens) {
				t.Errorf("%s: %d ids, want 1 to %d", name, len(got), r.MaxTokens)
			}
			if slices.Equal(want, got) {
				same++
			} else {
				differ++
			}
		}
		switch name {
		case redteam.Foreign:
			if differ > 2 {
				t.Errorf("the honest control differs in %d of 12 answers", differ)
			}
		case "pad", "skip-eos": // they only act where an answer ends
		case "lookup": // its table is not full yet
		case "one-in-ten", "retokenized", "q8_0", "finetuned", "runner-up-1pct", "last-tenth", "long-only":
			if differ == 0 {
				t.Errorf("%s never cheats", name)
			}
		default:
			if differ < 3 {
				t.Errorf("%s cheats in %d of 12 answers", name, differ)
			}
		}
		if redteam.Describe(name) == "" {
			t.Errorf("%s is not described", name)
		}
	}
}

func TestNamesAreThoseOfTheDesign(t *testing.T) {
	want := strings.Fields(`q8_0 q4_0 q4_k smaller-model other-model finetuned hidden-prompt temp-0.9 temp-1.1 adversarial-temperature
		top-p top-k wrong-seed no-seed runner-up-1pct lossy-draft truncate pad skip-eos replay lookup pregenerate one-in-ten long-only
		last-tenth retokenized copy prefill`)
	if got := redteam.Names(); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if _, err := redteam.New("nonsense", newBench(t).honest, native.Options{}, 1); err == nil || !strings.Contains(err.Error(), "choose from q8_0, ") {
		t.Errorf("an unknown name: %v", err)
	}
	if redteam.Describe("nonsense") != "" {
		t.Error("an unknown name is described")
	}
}

// ending is a request whose answer ends by itself.
func ending(b bench) targon.Request {
	r := b.request(3, "", 60)
	r.Prompt = b.model.Encode("Q: What is 2 + 2?\nA:", true)
	for seed := range uint64(400) {
		r.Sampling.Seed = seed
		ids := []targon.TokenID{}
		for tok, err := range b.honest.Generate(context.Background(), r) {
			if err != nil {
				break
			}
			ids = append(ids, tok.ID)
		}
		if n := len(ids); n > 0 && n < 40 && slices.Contains(b.model.EOS(), ids[n-1]) {
			return r
		}
	}
	return targon.Request{}
}

// TestEndings: pad and skip-eos are honest up to where the answer ends, and then go on.
func TestEndings(t *testing.T) {
	b := newBench(t)
	r := ending(b)
	if r.MaxTokens == 0 {
		t.Fatal("no answer ends by itself")
	}
	want := answer(t, b.honest, r)
	for _, name := range []string{"pad", "skip-eos"} {
		e, err := redteam.New(name, b.honest, native.Options{Threads: 1}, 1)
		if err != nil {
			t.Fatal(err)
		}
		got := answer(t, e, r)
		if len(got) != int(r.MaxTokens) || agree(want, got) != len(want)-1 || slices.Contains(got, want[len(want)-1]) {
			t.Errorf("%s: %d ids, %d of them honest, want %d of which %d", name, len(got), agree(want, got), r.MaxTokens, len(want)-1)
		}
	}
	e, err := redteam.New("truncate", b.honest, native.Options{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	long := b.request(1, openings[0], 40)
	if got := answer(t, e, long); len(got) != 21 || got[20] != b.model.EOS()[0] || agree(got, answer(t, b.honest, long)) != 20 {
		t.Errorf("truncate: %d ids", len(got))
	}
}

// TestClever: who hides a prompt or changes a temperature keeps to seed and positions,
// so that it agrees with the honest engine far more often than chance has it.
func TestClever(t *testing.T) {
	b := newBench(t)
	for name, least := range map[string]int{"temp-0.9": 30, "q8_0": 200, "runner-up-1pct": 200, "last-tenth": 450, "wrong-seed": 0} {
		e, err := redteam.New(name, b.honest, native.Options{Threads: 1}, 1)
		if err != nil {
			t.Fatal(err)
		}
		sum := 0
		for i := range 10 {
			r := b.request(i, openings[i], 60)
			sum += agree(answer(t, b.honest, r), answer(t, e, r))
		}
		if sum < least || name == "wrong-seed" && sum > 100 {
			t.Errorf("%s: %d of 600 ids before the first difference of ten answers, want %d", name, sum, least)
		}
	}
}

// TestMemory: replay says one thing for ever; lookup begins when its table is full.
func TestMemory(t *testing.T) {
	b := newBench(t)
	e, err := redteam.New("replay", b.honest, native.Options{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	first := answer(t, e, b.request(0, openings[0], 40))
	if got := answer(t, e, b.request(1, openings[1], 30)); !slices.Equal(got, first[:30]) {
		t.Error("replay says something new")
	}
	if e, err = redteam.New("lookup", b.honest, native.Options{}, 1); err != nil {
		t.Fatal(err)
	}
	var old [][]targon.TokenID
	for i := range 16 {
		r := b.request(i, openings[i%len(openings)]+strings.Repeat(" and", i/len(openings)), 20)
		old = append(old, answer(t, e, r))
		if !slices.Equal(old[i], answer(t, b.honest, r)) {
			t.Fatal("lookup cheats before its table is full")
		}
	}
	if got := answer(t, e, b.request(99, openings[4], 20)); !slices.Equal(got, old[4]) {
		t.Error("lookup does not know its prompt again")
	}
}

// TestOrder: one name, model and seed give the same ids each time.
func TestOrder(t *testing.T) {
	b := newBench(t)
	for _, name := range []string{"no-seed", "finetuned", "lossy-draft", "pregenerate"} {
		var got [2][]targon.TokenID
		for i := range got {
			e, err := redteam.New(name, b.honest, native.Options{Threads: 1}, 7)
			if err != nil {
				t.Fatal(err)
			}
			got[i] = answer(t, e, b.request(1, openings[2], 30))
		}
		if !slices.Equal(got[0], got[1]) {
			t.Errorf("%s is not the same twice", name)
		}
	}
}

// TestTogether: answers that are asked for at once are those asked for one by one.
func TestTogether(t *testing.T) {
	b := newBench(t)
	for _, name := range []string{"lossy-draft", "replay", "lookup", "skip-eos", "prefill"} {
		e, err := redteam.New(name, b.honest, native.Options{Threads: 1}, 7)
		if err != nil {
			t.Fatal(err)
		}
		r := b.request(1, openings[2], 20)
		want := answer(t, e, r)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				var got []targon.TokenID
				for tok, err := range e.Generate(t.Context(), r) {
					if err != nil {
						t.Errorf("%s: %v", name, err)
						return
					}
					got = append(got, tok.ID)
				}
				if !slices.Equal(got, want) {
					t.Errorf("%s: %v together, %v alone", name, got, want)
				}
			})
		}
		wg.Wait()
	}
}

// TestErrorsPassThrough: what the engine beneath cannot answer, no cheat answers.
func TestErrorsPassThrough(t *testing.T) {
	b := newBench(t)
	for _, name := range redteam.Names() {
		if name == "adversarial-temperature" {
			continue // takes its time to build, and is q4_0 with another temperature
		}
		e, err := redteam.New(name, b.honest, native.Options{Threads: 1}, 1)
		if err != nil {
			t.Fatal(err)
		}
		r := b.request(0, openings[0], 20)
		r.Prompt = append(r.Prompt, targon.TokenID(b.model.Vocab()))
		next, stop := iter.Pull2(e.Generate(t.Context(), r))
		if _, err, ok := next(); !ok || err == nil {
			t.Errorf("%s answers a prompt that is not of the vocabulary", name)
		}
		stop()
	}
}

func ExampleNew() {
	m, err := native.Load(model.GGUF())
	if err != nil {
		fmt.Println(err)
		return
	}
	honest, err := native.New(m, native.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	e, err := redteam.New("truncate", honest, native.Options{}, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	n := 0
	for range e.Generate(context.Background(), targon.Request{Prompt: m.Encode("Once", true), MaxTokens: 20}) {
		n++
	}
	fmt.Println(redteam.Describe("truncate"))
	fmt.Println(n, "of 20 ids")
	// Output:
	// half of the answer, then a claim that the model had stopped
	// 11 of 20 ids
}
