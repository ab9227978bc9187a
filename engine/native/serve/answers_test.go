package serve_test

import (
	"context"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"targon"
	"targon/engine/native"
	"targon/engine/native/serve"
)

// TestSeveralAnswers: n answers to a prompt are those of n requests whose seeds count up,
// as in vLLM; streamed or not, in the order of prompts, and the prompts count once.
func TestSeveralAnswers(t *testing.T) {
	h := serve.New(config(t)).Handler()
	var want []string
	for _, prompt := range []string{"ab", "cd"} {
		for seed := range 3 {
			a := complete(t, h, map[string]any{"prompt": prompt, "max_tokens": 9, "seed": 6 + seed})
			want = append(want, a.Choices[0].Text)
		}
	}
	if want[0] == want[1] || want[0] == want[3] {
		t.Fatalf("all say %q: the test shows nothing", want[0])
	}
	code, a := ask(t, h, "/v1/completions", map[string]any{"prompt": []string{"ab", "cd"}, "max_tokens": 9, "seed": 6, "n": 3})
	if code != 200 || a.Usage.Prompt != 8 || a.Usage.Total != a.Usage.Prompt+a.Usage.Completion || a.Usage.Completion < 6 {
		t.Errorf("%d, %+v", code, a.Usage)
	}
	got := make([]string, len(a.Choices))
	for i, c := range a.Choices {
		if c.Index != i {
			t.Errorf("choice %d has index %d", i, c.Index)
		}
		got[i] = c.Text
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	streamed := make([]string, len(want))
	body := `{"prompt":["ab","cd"],"max_tokens":9,"seed":6,"n":3,"stream":true,"stream_options":{"include_usage":true}}`
	all := events(t, do(h, "POST", "/v1/completions", body).Body.String())
	for _, e := range all[:len(all)-1] {
		streamed[e.Choices[0].Index] += e.Choices[0].Text
	}
	if last := all[len(all)-1]; !slices.Equal(streamed, want) || last.Usage != a.Usage {
		t.Errorf("streamed %q and %+v, want %q and %+v", streamed, last.Usage, want, a.Usage)
	}
	code, a = ask(t, h, "/v1/chat/completions", map[string]any{
		"messages": []map[string]string{{"role": "user", "content": "hi"}}, "max_tokens": 9, "n": 2, "seed": 1,
	})
	if code != 200 || len(a.Choices) != 2 || a.Choices[1].Index != 1 || a.Choices[0].Message.Content == a.Choices[1].Message.Content {
		t.Errorf("chat: %d %+v", code, a.Choices)
	}
}

// gathering notes how many answers are computed at a time; each waits for a second.
type gathering struct {
	serve.Engine
	mu        sync.Mutex
	now, most int
}

func (g *gathering) Tuned(context.Context, targon.Request, native.Tuning, int) iter.Seq2[native.Drawn, error] {
	return func(yield func(native.Drawn, error) bool) {
		g.count(1)
		time.Sleep(time.Second) // synctest's
		g.count(-1)
		yield(native.Drawn{Token: targon.Token{ID: 5, Text: "x"}}, nil)
	}
}

func (g *gathering) count(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.now += n
	g.most = max(g.most, g.now)
}

// TestAnswersTogether: the answers of one request are computed together, so that the
// engine reads its weights once for all of them, but leave half of the places free.
func TestAnswersTogether(t *testing.T) {
	c := config(t)
	for _, x := range []struct{ places, want int }{{128, 64}, {16, 8}, {3, 2}, {2, 1}, {1, 1}} {
		for _, stream := range []string{"false", "true"} {
			synctest.Test(t, func(t *testing.T) {
				g := &gathering{Engine: c.Engine}
				c.Engine, c.MaxRequests = g, x.places
				h := serve.New(c).Handler()
				body := `{"prompt":["` + strings.Join(repeat("ab", 64), `","`) + `"],"max_tokens":1,"stream":` + stream + `}`
				for range 2 { // all places come back
					if w := do(h, "POST", "/v1/completions", body); w.Code != 200 || g.most != x.want || g.now != 0 {
						t.Errorf("%d places, stream %s: %d, %d answers at a time, want %d", x.places, stream, w.Code, g.most, x.want)
					}
				}
			})
		}
	}
}

// failing fails for one prompt, and waits for the others' end.
type failing struct{ serve.Engine }

func (failing) Tuned(ctx context.Context, r targon.Request, _ native.Tuning, _ int) iter.Seq2[native.Drawn, error] {
	return func(yield func(native.Drawn, error) bool) {
		if len(r.Prompt) == 1 {
			yield(native.Drawn{}, errSecret)
			return
		}
		<-ctx.Done()
		yield(native.Drawn{}, ctx.Err())
	}
}

// TestOneOfSeveralFails: then the others end, too, and the client learns of the first.
func TestOneOfSeveralFails(t *testing.T) {
	c := config(t)
	c.Engine = failing{c.Engine}
	h := serve.New(c).Handler()
	for _, stream := range []string{"false", "true"} {
		if w := do(h, "POST", "/v1/completions", `{"prompt":[[1,5],[1,6],[1],[1,7]],"stream":`+stream+`}`); w.Code != 500 || !strings.Contains(w.Body.String(), "InternalServerError") {
			t.Errorf("stream %s: %d %s", stream, w.Code, w.Body)
		}
	}
}
