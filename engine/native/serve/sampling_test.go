package serve_test

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"

	"targon/engine/native/serve"
)

// ids returns the ids of a plain completion.
func ids(t *testing.T, h http.Handler, more string) (list []int, finish string) {
	t.Helper()
	w := do(h, "POST", "/v1/completions", `{"prompt":[1,9,30],"seed":3,"return_token_ids":true,`+more+`}`)
	var a struct {
		Choices []struct {
			IDs    []int  `json:"token_ids"`
			Finish string `json:"finish_reason"`
			Text   string `json:"text"`
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil || len(a.Choices) != 1 {
		t.Fatalf("%s: %d %s", more, w.Code, w.Body)
	}
	return a.Choices[0].IDs, a.Choices[0].Finish
}

// TestSampling: each setting does what it is for.
func TestSampling(t *testing.T) {
	h := serve.New(config(t)).Handler()
	greedy, _ := ids(t, h, `"temperature":0,"max_tokens":30`)
	for _, narrow := range []string{`"top_k":1`, `"top_p":1e-9`, `"min_p":1`} {
		if got, _ := ids(t, h, `"temperature":1.5,"max_tokens":30,`+narrow); !slices.Equal(got, greedy) {
			t.Errorf("%s: %v, want the likeliest %v", narrow, got, greedy)
		}
	}
	if got, _ := ids(t, h, `"temperature":0,"max_tokens":4,"logit_bias":{"77":100}`); !slices.Equal(got, []int{77, 77, 77, 77}) {
		t.Errorf("biased: %v", got)
	}
	got, _ := ids(t, h, `"temperature":0,"max_tokens":30,"repetition_penalty":100,"frequency_penalty":2,"presence_penalty":2`)
	if slices.Sort(got); len(slices.Compact(got)) < 28 {
		t.Errorf("penalised: %v", got)
	}
	const end = `"temperature":0,"max_tokens":9,"logit_bias":{"2":100},`
	if got, finish := ids(t, h, end+`"min_tokens":5`); len(got) != 6 || got[5] != 2 || finish != "stop" {
		t.Errorf("min_tokens: %v, %s", got, finish)
	}
	if got, finish := ids(t, h, end+`"ignore_eos":true`); len(got) != 9 || got[0] != 2 || finish != "length" {
		t.Errorf("ignore_eos: %v, %s", got, finish)
	}
	if got, finish := ids(t, h, `"temperature":0,"max_tokens":9,"logit_bias":{"77":100},"stop_token_ids":[77],"min_tokens":3`); len(got) != 4 || got[3] != 77 || finish != "stop" {
		t.Errorf("stop_token_ids and min_tokens: %v, %s", got, finish)
	}
}

// TestStopWaits: stop strings do not count before min_tokens.
func TestStopWaits(t *testing.T) {
	h := serve.New(config(t)).Handler()
	body := func(more string) map[string]any {
		b := map[string]any{"prompt": []int{1, 9, 30}, "seed": 3, "max_tokens": 20, "logit_bias": map[string]int{"77": 100}}
		if err := json.Unmarshal([]byte(more), &b); err != nil {
			t.Fatal(err)
		}
		return b
	}
	piece := complete(t, h, body(`{"max_tokens":1}`)).Choices[0].Text
	if piece == "" {
		t.Fatal("id 77 has no text")
	}
	stop, err := json.Marshal(piece)
	if err != nil {
		t.Fatal(err)
	}
	for tokens, want := range map[int]string{0: "", 3: strings.Repeat(piece, 3)} {
		c := complete(t, h, body(fmt.Sprintf(`{"stop":%s,"min_tokens":%d}`, stop, tokens))).Choices[0]
		if c.Text != want {
			t.Errorf("min_tokens %d: %q, want %q", tokens, c.Text, want)
		}
	}
}

// FuzzSampling: whatever is asked of the sampler is refused as the client's mistake, or
// answered with ids of the model.
func FuzzSampling(f *testing.F) {
	f.Add(1.0, 0.9, 0.05, int64(40), 1.1, 0.5, -0.5, `"logit_bias":{"5":3}`)
	f.Add(0.0, 1.0, 0.0, int64(-1), 1.0, 0.0, 0.0, `"min_tokens":2,"ignore_eos":true`)
	f.Add(1e-300, 5e-324, 1.0, int64(1), 1e-6, 2.0, -2.0, `"stop":["a"],"stop_token_ids":[1,2,300],"min_tokens":1`)
	f.Add(2.0, math.Copysign(0, -1), -1e308, int64(1)<<40, 100.0, -2.0, 2.0, `"logprobs":3,"seed":-2,"logit_bias":{"301":1}`)
	h := serve.New(config(f)).Handler()
	f.Fuzz(func(t *testing.T, temperature, topP, minP float64, topK int64, repetition, frequency, presence float64, more string) {
		body := fmt.Sprintf(`{"prompt":[1,5,5],"return_token_ids":true,"temperature":%v,"top_p":%v,"min_p":%v,"top_k":%d,
			"repetition_penalty":%v,"frequency_penalty":%v,"presence_penalty":%v,%s,"max_tokens":4}`,
			temperature, topP, minP, topK, repetition, frequency, presence, more)
		w := do(h, "POST", "/v1/completions", body)
		if w.Code >= 400 && w.Code < 500 && strings.Contains(w.Body.String(), `"error"`) {
			return
		}
		if strings.HasPrefix(w.Body.String(), "data: ") && w.Code == http.StatusOK {
			return // a stream was asked for
		}
		var a struct {
			Choices []struct {
				IDs []int `json:"token_ids"`
			}
		}
		if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil || w.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", body, w.Code, w.Body)
		}
		for _, c := range a.Choices {
			if slices.ContainsFunc(c.IDs, func(id int) bool { return id < 0 || id >= 301 }) {
				t.Fatalf("%s: %v", body, c.IDs)
			}
		}
	})
}
