package serve_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"targon"
	"targon/engine/enginetest"
	"targon/engine/native"
	"targon/engine/native/gguf"
	"targon/engine/native/serve"
)

// TestRefusals: what cannot be honoured is refused by name, before anything is computed.
func TestRefusals(t *testing.T) {
	const text, talk = "/v1/completions", "/v1/chat/completions"
	h := serve.New(config(t)).Handler()
	for _, c := range []struct{ path, body, param, says string }{
		{text, ``, "", "not JSON: unexpected end"},
		{text, `{"prompt":"a","temperature":NaN}`, "", "after 29 bytes"},
		{text, "{\"prompt\":\"\xff\"}", "", "not UTF-8"},
		{text, `{"prompt":"\ud83d"}`, "", "surrogate"},
		{text, `{"prompt":"\ud83da"}`, "", "surrogate"},
		{text, `{"prompt":"\ude42\ud83d"}`, "", "surrogate"},
		{text, `{"prompt":"\\\ud83d"}`, "", "surrogate"},
		{talk, `{"messages":[{"role":"user","content":"\uDFFF"}]}`, "", "surrogate"},
		{text, `[]`, "", "not a JSON object"},
		{text, `null`, "", "not a JSON object"},
		{text, `{}`, "prompt", "missing"},
		{text, `{"prompt":null}`, "prompt", "missing"},
		{text, `{"prompt":""}`, "prompt", "empty"},
		{text, `{"prompt":[]}`, "prompt", "0 ids"},
		{text, `{"prompt":[[]]}`, "prompt", "0 ids"},
		{text, `{"prompt":["a",""]}`, "prompt", "empty"},
		{text, `{"prompt":["a",[1]]}`, "prompt", "list"},
		{text, `{"prompt":["a",null]}`, "prompt", "list"},
		{text, `{"prompt":[1,null]}`, "prompt", "list"},
		{text, `{"prompt":[1,-1]}`, "prompt", "list"},
		{text, `{"prompt":[1,1.5]}`, "prompt", "list"},
		{text, `{"prompt":[1,4294967297]}`, "prompt", "list"},
		{text, `{"prompt":[1,301]}`, "prompt", "301"},
		{text, `{"prompt":{"a":1}}`, "prompt", "want"},
		{text, `{"prompt":[` + strings.Repeat(`"a",`, 64) + `"a"]}`, "prompt", "64"},
		{text, `{"prompt":"a","max_tokens":-1}`, "max_tokens", "0 to"},
		{text, `{"prompt":"a","max_tokens":0}`, "max_tokens", "echo"},
		{text, `{"prompt":"a","max_tokens":0,"prompt_logprobs":0,"stream":true}`, "max_tokens", "echo"},
		{text, `{"prompt":"a","max_tokens":"1"}`, "max_tokens", "type"},
		{text, `{"prompt":[1,5],"max_tokens":511}`, "", "maximum context length is 512"},
		{text, `{"prompt":"a","temperature":-0.1}`, "temperature", "0 to 2"},
		{text, `{"prompt":"a","temperature":2.1}`, "temperature", "0 to 2"},
		{text, `{"prompt":"a","temperature":1e999}`, "temperature", "type"},
		{text, `{"prompt":"a","seed":9223372036854775808}`, "seed", "an integer of 64 bits"},
		{text, `{"prompt":"a","seed":1e300}`, "seed", "an integer of 64 bits"},
		{text, `{"prompt":"a","seed":1.5}`, "seed", "type"},
		{text, `{"prompt":"a","logprobs":21}`, "logprobs", "at most 20"},
		{text, `{"prompt":"a","logprobs":-1}`, "logprobs", "at most 20"},
		{text, `{"prompt":"a","logprobs":-2}`, "logprobs", "-1 to"},
		{text, `{"prompt":"a","logprobs":true}`, "logprobs", "type"},
		{text, `{"prompt":"a","prompt_logprobs":21}`, "prompt_logprobs", "at most 20"},
		{text, `{"prompt":"a","prompt_logprobs":1,"stream":true}`, "prompt_logprobs", "stream"},
		{text, `{"prompt":"a","stream_options":{}}`, "stream_options", "stream: true"},
		{text, `{"prompt":"a","stream":true,"stream_options":{"x":1}}`, "stream_options.x", "not supported"},
		{text, `{"prompt":"a","stop":[""]}`, "stop", "1 to"},
		{text, `{"prompt":"a","stop":7}`, "stop", "want"},
		{text, `{"prompt":"a","stop_token_ids":[null]}`, "stop_token_ids", "ids"},
		{text, `{"prompt":"a","n":0}`, "n", "1 to 64"},
		{text, `{"prompt":"a","n":65}`, "n", "1 to 64"},
		{text, `{"prompt":["a","b"],"n":33}`, "n", "66 answers, at most 64"},
		{text, `{"prompt":"a","n":2,"temperature":0}`, "n", "at temperature 0"},
		{text, `{"prompt":"a","best_of":2}`, "best_of", "other than as 1"},
		{text, `{"prompt":"a","top_p":0}`, "top_p", "more than 0, up to 1"},
		{text, `{"prompt":"a","top_p":1.01}`, "top_p", "to 1"},
		{text, `{"prompt":"a","top_p":"1"}`, "top_p", "type"},
		{text, `{"prompt":"a","cache_salt":""}`, "cache_salt", "1 to"},
		{text, `{"prompt":"a","cache_salt":"x","prompt_logprobs":1}`, "cache_salt", "prompt_logprobs"},
		{text, `{"prompt":"a","cache_salt":"x","echo":true,"logprobs":1}`, "cache_salt", "prompt"},
		{text, `{"prompt":"a","top_k":-2}`, "top_k", "-1 to"},
		{text, `{"prompt":"a","top_k":1.5}`, "top_k", "type"},
		{text, `{"prompt":"a","min_p":-0.1}`, "min_p", "0 to 1"},
		{text, `{"prompt":"a","min_p":1.1}`, "min_p", "0 to 1"},
		{text, `{"prompt":"a","repetition_penalty":0}`, "repetition_penalty", "to 100"},
		{text, `{"prompt":"a","repetition_penalty":101}`, "repetition_penalty", "to 100"},
		{text, `{"prompt":"a","presence_penalty":2.1}`, "presence_penalty", "-2 to 2"},
		{text, `{"prompt":"a","frequency_penalty":-2.1}`, "frequency_penalty", "-2 to 2"},
		{text, `{"prompt":"a","min_tokens":17}`, "min_tokens", "of 16"},
		{text, `{"prompt":"a","min_tokens":-1}`, "min_tokens", "0 to"},
		{text, `{"prompt":"a","ignore_eos":1}`, "ignore_eos", "type"},
		{text, `{"prompt":"a","logit_bias":{"a":2}}`, "logit_bias", "ids"},
		{text, `{"prompt":"a","logit_bias":{"-1":2}}`, "logit_bias", "ids"},
		{text, `{"prompt":"a","logit_bias":{"01":2}}`, "logit_bias", "ids"},
		{text, `{"prompt":"a","logit_bias":{"1":"2"}}`, "logit_bias", "type"},
		{text, `{"prompt":"a","logit_bias":{"301":2,"7":1}}`, "logit_bias", "301"},
		{text, `{"prompt":"a","response_format":{"type":"json_object"}}`, "response_format", "not supported"},
		{text, `{"prompt":"a","prompt_logprob":1}`, "prompt_logprob", "not supported"},
		{text, `{"prompt":"a","messages":[]}`, "messages", "not supported"},
		{talk, `{}`, "messages", "1 to"},
		{talk, `{"messages":[]}`, "messages", "1 to"},
		{talk, `{"messages":[1]}`, "", "messages[0]."},
		{talk, `{"messages":[{"content":"a"}]}`, "messages[0].role", "missing"},
		{talk, `{"messages":[{"role":"user"}]}`, "messages[0].content", "want"},
		{talk, `{"messages":[{"role":"user","content":[{"type":"image_url"}]}]}`, "messages[0].content", "text"},
		{talk, `{"messages":[{"role":"user","content":"a","tool_calls":[{}]}]}`, "messages[0].tool_calls", "not supported"},
		{talk, `{"messages":[{"role":"user","content":"a"}],"max_tokens":0}`, "max_tokens", "1 to"},
		{talk, `{"messages":[{"role":"user","content":"a"}],"top_logprobs":2}`, "top_logprobs", "logprobs: true"},
		{talk, `{"messages":[{"role":"user","content":"a"}],"echo":true}`, "echo", "chat"},
		{talk, `{"messages":[{"role":"user","content":"a"}],"tools":[{}]}`, "tools", "not supported"},
		{"/tokenize", `{}`, "prompt", "missing"},
		{"/tokenize", `{"prompt":"a","x":1}`, "x", "not supported"},
		{"/detokenize", `{}`, "tokens", "missing"},
		{"/detokenize", `{"tokens":[301]}`, "tokens", "301"},
		{"/detokenize", `{"tokens":"a"}`, "tokens", "ids"},
	} {
		w := do(h, "POST", c.path, c.body)
		var a answer
		if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil || a.Error == nil {
			t.Errorf("%s: %d %s", c.body, w.Code, w.Body)
			continue
		}
		param := ""
		if a.Error.Param != nil {
			param = *a.Error.Param
		}
		if w.Code != 400 || a.Error.Code != 400 || a.Error.Type != "BadRequestError" || param != c.param || !strings.Contains(a.Error.Message, c.says) {
			t.Errorf("%s: %d %s, want %q about %q", c.body, w.Code, w.Body, c.says, c.param)
		}
	}
}

// TestAccepted: values that ask for nothing are no reason to refuse, and neither are
// nulls or fields that change nothing.
func TestAccepted(t *testing.T) {
	h := serve.New(config(t)).Handler()
	want := do(h, "POST", "/v1/completions", `{"prompt":"a","seed":5,"max_tokens":9}`).Body.String()
	_, want, _ = strings.Cut(want, `"choices"`)
	for _, more := range []string{
		`"n":1.0,"best_of":1,"top_p":1,"top_k":-1,"min_p":0.0,"presence_penalty":0,"frequency_penalty":0,"repetition_penalty":1.0`,
		`"stop":[],"logit_bias":{ },"suffix":null,"response_format":{"type": "text"},"user":"u","stream":false,"echo":null`,
		`"seed":5.0,"max_tokens":0.9e1,"tool_calls":[],"user":"\ud83d\ude42 \\ud83d"`,
		`"temperature":1,"ignore_eos":false,"skip_special_tokens":true,"min_tokens":0,"model":"tiny","stop":null,"priority":3`,
	} {
		w := do(h, "POST", "/v1/completions", `{"prompt":"a","seed":5,"max_tokens":9,`+more+`}`)
		if _, got, _ := strings.Cut(w.Body.String(), `"choices"`); w.Code != 200 || got != want {
			t.Errorf("%s: %d %s", more, w.Code, w.Body)
		}
	}
}

// TestSeedAndTemperature: as in vLLM, no seed and -1 are random, and a temperature
// between 0 and 0.01 is 0.01.
func TestSeedAndTemperature(t *testing.T) {
	c := config(t)
	seeds := uint64(40)
	c.Random = func() uint64 { seeds++; return seeds }
	h := serve.New(c).Handler()
	get := func(body map[string]any) string {
		body["prompt"], body["max_tokens"] = "ab", 30
		return complete(t, h, body).Choices[0].Text
	}
	for _, c := range []struct {
		one, other map[string]any
		same       bool
	}{
		{map[string]any{}, map[string]any{}, false},
		{map[string]any{"seed": -1}, map[string]any{"seed": -1}, false},
		{map[string]any{"seed": 4}, map[string]any{"seed": 4}, true},
		{map[string]any{"seed": 4}, map[string]any{"seed": 5}, false},
	} {
		if one, other := get(c.one), get(c.other); (one == other) != c.same {
			t.Errorf("%v and %v: %q and %q", c.one, c.other, one, other)
		}
	}
}

// spy notes what the engine was asked.
type spy struct {
	serve.Engine
	got    *targon.Request
	tuning *native.Tuning
}

func (s spy) Tuned(ctx context.Context, r targon.Request, t native.Tuning, top int) iter.Seq2[native.Drawn, error] {
	*s.got, *s.tuning = r, t
	return s.Engine.Tuned(ctx, r, t, top)
}

// TestEngineIsAsked: the engine sees the sampling and limits that the request means.
func TestEngineIsAsked(t *testing.T) {
	c := config(t)
	var got targon.Request
	var tuning native.Tuning
	c.Engine = spy{c.Engine, &got, &tuning}
	h := serve.New(c).Handler()
	for _, x := range []struct {
		body string
		want targon.Request
	}{
		{`"seed":3`, targon.Request{MaxTokens: 16, Sampling: targon.Sampling{Temperature: 1, Seed: 3}}},
		{`"seed":-2,"temperature":0`, targon.Request{MaxTokens: 16, Sampling: targon.Sampling{Seed: 1<<64 - 2}}},
		{`"seed":0,"temperature":-0.0`, targon.Request{MaxTokens: 16}},
		{`"seed":1,"temperature":1e-9,"max_tokens":510`, targon.Request{MaxTokens: 510, Sampling: targon.Sampling{Temperature: 0.01, Seed: 1}}},
		{`"seed":1,"temperature":0.011,"max_tokens":1`, targon.Request{MaxTokens: 1, Sampling: targon.Sampling{Temperature: 0.011, Seed: 1}}},
		{`"seed":1,"temperature":2`, targon.Request{MaxTokens: 16, Sampling: targon.Sampling{Temperature: 2, Seed: 1}}},
		{`"seed":1,"top_p":0.9,"top_k":40,"min_p":0.05`, targon.Request{MaxTokens: 16, Sampling: targon.Sampling{
			Temperature: 1, Seed: 1, TopK: 40, TopP: 0.9, MinP: 0.05,
		}}},
		{`"seed":1,"top_p":1,"top_k":-1,"min_p":-0.0`, targon.Request{MaxTokens: 16, Sampling: targon.Sampling{Temperature: 1, Seed: 1}}},
		{`"seed":1,"min_p":1`, targon.Request{MaxTokens: 16, Sampling: targon.Sampling{Temperature: 1, Seed: 1, MinP: math.Nextafter(1, 0)}}},
	} {
		x.want.Prompt = []targon.TokenID{1, 5}
		if w := do(h, "POST", "/v1/completions", `{"prompt":[1,5],`+x.body+`}`); w.Code != 200 {
			t.Errorf("%s: %d %s", x.body, w.Code, w.Body)
		}
		if d := cmp.Diff(x.want, got); d != "" {
			t.Errorf("%s:\n%s", x.body, d)
		}
		if math.Signbit(got.Sampling.Temperature) {
			t.Errorf("%s: the temperature is -0", x.body)
		}
	}
	do(h, "POST", "/v1/completions", `{"prompt":[1],"repetition_penalty":1.5,"presence_penalty":-0.5,"frequency_penalty":0.25,
		"logit_bias":{"7":3.5,"8":-1000},"min_tokens":3,"ignore_eos":true,"stop_token_ids":[9,301],"cache_salt":"mine"}`)
	want := native.Tuning{
		Repetition: 1.5, Presence: -0.5, Frequency: 0.25, Bias: map[targon.TokenID]float32{7: 3.5, 8: -100},
		MinTokens: 3, IgnoreEnds: true, Stops: []targon.TokenID{9}, CacheSalt: "mine",
	}
	if d := cmp.Diff(want, tuning); d != "" {
		t.Error(d)
	}
	do(h, "POST", "/v1/chat/completions", `{"messages":[{"role":"user","content":"a"}],"seed":2,"stop":"\u0000"}`)
	if int(got.MaxTokens) != c.Model.Context()-len(got.Prompt) {
		t.Errorf("a chat without max_tokens asks for %d", got.MaxTokens)
	}
}

func TestModelAndSize(t *testing.T) {
	h := serve.New(config(t)).Handler()
	for _, path := range []string{"/v1/completions", "/tokenize"} {
		if w := do(h, "POST", path, `{"model":"other","prompt":"a"}`); w.Code != 404 || !strings.Contains(w.Body.String(), `"NotFoundError","param":"model"`) {
			t.Errorf("%s of another model: %d %s", path, w.Code, w.Body)
		}
	}
	if w := do(h, "POST", "/v1/completions", `{"prompt":"`+strings.Repeat("a", 4<<20)+`"}`); w.Code != 413 {
		t.Errorf("large body: %d %s", w.Code, w.Body)
	}
	r := httptest.NewRequest("POST", "/v1/completions", strings.NewReader("{}"))
	r.Header.Set("Content-Encoding", "gzip")
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, r); w.Code != 415 {
		t.Errorf("compressed body: %d %s", w.Code, w.Body)
	}
	c := config(t)
	c.MaxLogprobs = -1
	if w := do(serve.New(c).Handler(), "POST", "/v1/completions", `{"prompt":["`+strings.Join(repeat("a", 64), `","`)+`"],"max_tokens":400,"logprobs":-1}`); w.Code != 400 || !strings.Contains(w.Body.String(), "the limit is 1048576") {
		t.Errorf("too many log-probabilities: %d %s", w.Code, w.Body)
	}
}

func repeat(s string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = s
	}
	return out
}

// TestWithoutText: a model without a tokenizer is served by ids, one without a template
// without chats.
func TestWithoutText(t *testing.T) {
	shape := enginetest.Tiny()
	shape.NoText = true
	data, err := enginetest.RandomModel(shape)
	if err != nil {
		t.Fatal(err)
	}
	c := config(t)
	if c.Model, err = native.Load(data); err != nil {
		t.Fatal(err)
	}
	if c.Engine, err = native.New(c.Model, native.Options{}); err != nil {
		t.Fatal(err)
	}
	h := serve.New(c).Handler()
	if a := complete(t, h, map[string]any{"prompt": []int{1, 2}, "max_tokens": 3, "seed": 1, "return_token_ids": true, "echo": true, "logprobs": 1}); len(a.Choices[0].IDs) != 3 {
		t.Errorf("by ids: %+v", a)
	}
	for path, body := range map[string]string{
		"/v1/completions": `{"prompt":"a"}`, "/tokenize": `{"prompt":"a"}`, "/detokenize": `{"tokens":[1]}`,
		"/v1/chat/completions": `{"messages":[{"role":"user","content":"a"}]}`,
	} {
		if w := do(h, "POST", path, body); w.Code != 400 || !strings.Contains(w.Body.String(), "token") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	c = config(t)
	shape.NoText = false // but no template either
	if data, err = enginetest.RandomModel(shape); err != nil {
		t.Fatal(err)
	}
	if c.Model, err = native.Load(data); err != nil {
		t.Fatal(err)
	}
	if w := do(serve.New(c).Handler(), "POST", "/v1/chat/completions", `{"messages":[{"role":"user","content":"a"}]}`); w.Code != 400 ||
		!strings.Contains(w.Body.String(), "model has no chat template: send the prompt as text to /v1/completions") {
		t.Errorf("no template: %d %s", w.Code, w.Body)
	}
	c = config(t)
	c.Model = tiny(t, func(f *gguf.File) {
		if err := f.Set("tokenizer.chat_template", `{{ raise_exception('roles must alternate') }}`); err != nil {
			t.Fatal(err)
		}
	})
	w := do(serve.New(c).Handler(), "POST", "/v1/chat/completions", `{"messages":[{"role":"user","content":"a"}]}`)
	if w.Code != 400 || !strings.Contains(w.Body.String(), "roles must alternate") {
		t.Errorf("template refuses: %d %s", w.Code, w.Body)
	}
}

// broken fails after some tokens.
type broken struct {
	serve.Engine
	after int
}

var errSecret = errors.New("disk 7 is on fire")

func (b broken) Tuned(ctx context.Context, r targon.Request, t native.Tuning, top int) iter.Seq2[native.Drawn, error] {
	return func(yield func(native.Drawn, error) bool) {
		n := 0
		for d, err := range b.Engine.Tuned(ctx, r, t, top) {
			if n++; n > b.after {
				yield(native.Drawn{}, errSecret)
				return
			}
			if !yield(d, err) {
				return
			}
		}
	}
}

// TestEngineFails: clients learn that, not why; after the first chunk by an event.
func TestEngineFails(t *testing.T) {
	for _, c := range []struct {
		after  int
		stream bool
		status int
	}{{0, false, 500}, {0, true, 500}, {2, false, 500}, {2, true, 200}} {
		cfg := config(t)
		cfg.Engine = broken{cfg.Engine, c.after}
		body := `{"prompt":"ab","max_tokens":9,"seed":1}`
		if c.stream {
			body = strings.Replace(body, "{", `{"stream":true,`, 1)
		}
		w := do(serve.New(cfg).Handler(), "POST", "/v1/completions", body)
		if w.Code != c.status || strings.Contains(w.Body.String(), "disk") || !strings.Contains(w.Body.String(), `"InternalServerError"`) {
			t.Errorf("%+v: %d %s", c, w.Code, w.Body)
		}
		if c.status == http.StatusOK {
			if all := events(t, w.Body.String()); len(all) != 3 || all[2].Error == nil {
				t.Errorf("events: %+v", all)
			}
		}
	}
}

// held waits in the middle of an answer until its context ends.
type held struct {
	serve.Engine
	entered, left chan struct{}
}

func (h held) Tuned(ctx context.Context, _ targon.Request, _ native.Tuning, _ int) iter.Seq2[native.Drawn, error] {
	return func(yield func(native.Drawn, error) bool) {
		h.entered <- struct{}{}
		if yield(native.Drawn{Token: targon.Token{ID: 5, Text: "x"}}, nil) {
			<-ctx.Done()
			yield(native.Drawn{}, ctx.Err())
		}
		h.left <- struct{}{}
	}
}

// full has no room.
type full struct{ serve.Engine }

func (full) Tuned(context.Context, targon.Request, native.Tuning, int) iter.Seq2[native.Drawn, error] {
	return func(yield func(native.Drawn, error) bool) {
		yield(native.Drawn{}, fmt.Errorf("generate: %w", targon.ErrBusy))
	}
}

// TestEngineIsBusy: an engine whose queue is full is a reason to come back.
func TestEngineIsBusy(t *testing.T) {
	c := config(t)
	c.Engine = full{c.Engine}
	for _, body := range []string{`{"prompt":"ab"}`, `{"prompt":"ab","stream":true}`} {
		w := do(serve.New(c).Handler(), "POST", "/v1/completions", body)
		if w.Code != 503 || w.Header().Get("Retry-After") != "1" {
			t.Errorf("%s: %d, Retry-After %q", body, w.Code, w.Header().Get("Retry-After"))
		}
	}
}

// TestDisconnectAndLimit: a client beyond the limit is told to come back, one that goes
// away frees its place and the engine.
func TestDisconnectAndLimit(t *testing.T) {
	for _, stream := range []bool{true, false} {
		c := config(t)
		engine := held{c.Engine, make(chan struct{}), make(chan struct{})}
		c.Engine, c.MaxRequests = engine, 1
		server := httptest.NewServer(serve.New(c).Handler())
		ctx, cancel := context.WithCancel(t.Context())
		body := `{"prompt":"ab","stream":false}`
		if stream {
			body = `{"prompt":"ab","stream":true}`
		}
		gone := make(chan error, 1)
		go func() {
			r, err := http.NewRequestWithContext(ctx, "POST", server.URL+"/v1/completions", strings.NewReader(body))
			if err == nil {
				var res *http.Response
				if res, err = server.Client().Do(r); err == nil {
					_, err = res.Body.Read(make([]byte, 5))
					<-ctx.Done()
					_ = res.Body.Close()
				}
			}
			gone <- err
		}()
		<-engine.entered
		res, err := server.Client().Post(server.URL+"/v1/completions", "", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != 503 || res.Header.Get("Retry-After") != "1" {
			t.Errorf("beyond the limit: %d, Retry-After %q", res.StatusCode, res.Header.Get("Retry-After"))
		}
		cancel()
		<-engine.left
		<-gone
		server.Close()
	}
}

// TestOtherSites: a page that a browser shows must not have this machine compute for it;
// clients that are no browsers say nothing of where they come from.
func TestOtherSites(t *testing.T) {
	h := serve.New(config(t)).Handler()
	for _, c := range []struct {
		header, value string
		status        int
	}{
		{"Content-Type", "application/x-www-form-urlencoded", 200}, // what curl says
		{"Origin", "http://example.com", 200},                      // our own, by the request's Host
		{"Origin", "https://elsewhere.test", 403},
		{"Origin", "null", 403},
		{"Sec-Fetch-Site", "same-origin", 200},
		{"Sec-Fetch-Site", "cross-site", 403},
		{"Sec-Fetch-Site", "same-site", 403},
	} {
		r := httptest.NewRequest("POST", "/v1/completions", strings.NewReader(`{"prompt":"a","max_tokens":1}`))
		r.Header.Set(c.header, c.value)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if denied := strings.Contains(w.Body.String(), `"PermissionDeniedError"`); w.Code != c.status || denied != (c.status == 403) {
			t.Errorf("%s: %s: %d %s", c.header, c.value, w.Code, w.Body)
		}
	}
}

// unread is a client that takes its time: it notes how much is written under each deadline.
type unread struct {
	*httptest.ResponseRecorder
	deadlines []time.Time
	most      int // bytes under one deadline
	size      int
}

func (u *unread) SetWriteDeadline(d time.Time) error {
	u.deadlines, u.size = append(u.deadlines, d), 0
	return nil
}

func (u *unread) Write(b []byte) (int, error) {
	u.size += len(b)
	u.most = max(u.most, u.size)
	return u.ResponseRecorder.Write(b)
}

// TestAnswerNobodyReads: a client that does not read a long answer holds its place for a
// while, not for ever; one that reads slowly has that while for each part.
func TestAnswerNobodyReads(t *testing.T) {
	h := serve.New(config(t)).Handler()
	w := &unread{ResponseRecorder: httptest.NewRecorder()}
	h.ServeHTTP(w, httptest.NewRequest("POST", "/v1/completions", strings.NewReader(`{"prompt":"a","max_tokens":500,"ignore_eos":true,"logprobs":20}`)))
	size := w.Body.Len()
	if w.Code != 200 || size < 100_000 || w.most > 64<<10 || len(w.deadlines) < size>>16 {
		t.Errorf("%d: %d bytes, up to %d under each of %d deadlines", w.Code, size, w.most, len(w.deadlines))
	}
	for _, d := range w.deadlines {
		if left := time.Until(d); left > time.Minute {
			t.Errorf("a write may take %v", left)
		}
	}
}

// TestSlowBodies: who has not sent a body holds no place.
func TestSlowBodies(t *testing.T) {
	c := config(t)
	c.MaxRequests = 1
	h := serve.New(c).Handler()
	body := `{"prompt":"a","max_tokens":1,"user":"` + strings.Repeat("u", 100_000) + `"}`
	read, send := io.Pipe()
	slow := httptest.NewRecorder()
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.ServeHTTP(slow, httptest.NewRequest("POST", "/v1/completions", read))
	}()
	if _, err := io.WriteString(send, body[:1]); err != nil { // it is being read
		t.Fatal(err)
	}
	if w := do(h, "POST", "/v1/completions", body); w.Code != 200 {
		t.Errorf("beside a slow body: %d %s", w.Code, w.Body)
	}
	if _, err := io.WriteString(send, body[1:]); err != nil {
		t.Fatal(err)
	}
	_ = send.Close()
	if <-done; slow.Code != 200 {
		t.Errorf("slow body: %d %s", slow.Code, slow.Body)
	}
	read, send = io.Pipe()
	_ = send.CloseWithError(io.ErrUnexpectedEOF)
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, httptest.NewRequest("POST", "/v1/completions", read)); w.Code != 400 || !strings.Contains(w.Body.String(), "ended early") {
		t.Errorf("cut body: %d %s", w.Code, w.Body)
	}
}
