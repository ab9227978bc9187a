package serve_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"targon"
	"targon/engine/enginetest"
	"targon/engine/native"
	"targon/engine/native/gguf"
	"targon/engine/native/serve"
	"targon/noise"
)

var update = flag.Bool("update", false, "write golden files")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const template = `{{ bos_token }}{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}{{ eos_token }}{% endfor %}assistant:`

// tiny is the random model, with a chat template.
func tiny(t testing.TB, change ...func(*gguf.File)) *native.Model {
	t.Helper()
	data, err := enginetest.RandomModel(enginetest.Tiny())
	if err != nil {
		t.Fatal(err)
	}
	f, err := gguf.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Set("tokenizer.chat_template", template); err != nil {
		t.Fatal(err)
	}
	for _, c := range change {
		c(f)
	}
	var b bytes.Buffer
	if err := gguf.Write(&b, f); err != nil {
		t.Fatal(err)
	}
	m, err := native.Load(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func config(t testing.TB) serve.Config {
	t.Helper()
	m := tiny(t)
	e, err := native.New(m, native.Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	n := uint64(0)
	return serve.Config{
		Model: m, Engine: e, Name: "tiny", MaxLogprobs: 20,
		Now:    func() time.Time { return time.Unix(1700000000, 0) },
		Random: func() uint64 { n++; return n },
	}
}

func do(h http.Handler, method, path, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	return w
}

// TestGolden pins the shapes of all answers, field by field.
func TestGolden(t *testing.T) {
	const text, talk = "/v1/completions", "/v1/chat/completions"
	for _, c := range []struct{ name, path, body string }{
		{"text", text, `{"prompt":"hello","max_tokens":4,"seed":7}`},
		{"text_ids", text, `{"model":"tiny","prompt":[1,264],"max_tokens":3,"seed":7,"return_token_ids":true,"logprobs":2}`},
		{"text_prompts", text, `{"prompt":["ab","cd"],"max_tokens":2,"temperature":0,"logprobs":0,"return_tokens_as_token_ids":true}`},
		{"text_score", text, `{"prompt":[1,264,265],"max_tokens":1,"temperature":0,"prompt_logprobs":2,"return_token_ids":true,"add_special_tokens":false}`},
		{"text_echo", text, `{"prompt":"ab","max_tokens":0,"echo":true,"logprobs":1}`},
		{"text_stream", text, `{"prompt":"ab","max_tokens":3,"seed":-9,"stream":true,"return_token_ids":true,"logprobs":1,"stream_options":{"include_usage":true}}`},
		{"text_stream_echo", text, `{"prompt":"ab","max_tokens":2,"seed":1,"stream":true,"echo":true,"logprobs":0,"stream_options":{"continuous_usage_stats":true}}`},
		{"chat", talk, `{"messages":[{"role":"user","content":"hi"}],"max_tokens":3,"seed":7,"logprobs":true,"top_logprobs":2,"return_token_ids":true,"prompt_logprobs":0}`},
		{"chat_stream", talk, `{"messages":[{"role":"system","content":"be"},{"role":"user","content":[{"type":"text","text":"hi"}]}],"max_completion_tokens":3,"seed":7,"logprobs":true,"return_token_ids":true,"stream":true}`},
		{"tokenize", "/tokenize", `{"prompt":"<s>ab c","return_token_strs":true}`},
		{"tokenize_chat", "/tokenize", `{"messages":[{"role":"user","content":"a"}]}`},
		{"detokenize", "/detokenize", `{"tokens":[1,285,259,260,2,198,172,259]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := do(serve.New(config(t)).Handler(), "POST", c.path, c.body)
			got := fmt.Sprintf("%d %s\n%s\n", w.Code, w.Header().Get("Content-Type"), w.Body)
			path := filepath.Join("testdata", c.name+".golden")
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), got); d != "" {
				t.Error(d)
			}
		})
	}
}

// answer is what tests read of an answer or chunk.
type answer struct {
	Choices []struct {
		Index   int
		Text    string
		Message struct{ Content string }
		Delta   struct{ Content string }
		Finish  string           `json:"finish_reason"`
		Reason  any              `json:"stop_reason"`
		IDs     []targon.TokenID `json:"token_ids"`
		Prompt  []targon.TokenID `json:"prompt_token_ids"`
		Rows    []map[string]row `json:"prompt_logprobs"`
		Chosen  struct {
			Logprobs []*float64           `json:"token_logprobs"`
			Tokens   []string             `json:"tokens"`
			Offsets  []int                `json:"text_offset"`
			Top      []map[string]float64 `json:"top_logprobs"`
		} `json:"logprobs"`
	}
	Usage struct {
		Prompt     int `json:"prompt_tokens"`
		Completion int `json:"completion_tokens"`
		Total      int `json:"total_tokens"`
	}
	Error *struct {
		Message, Type string
		Param         *string
		Code          int
	}
}

type row struct {
	Logprob float64
	Rank    int
	Decoded string `json:"decoded_token"`
}

func ask(t testing.TB, h http.Handler, path string, body map[string]any) (int, answer) {
	t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	w := do(h, "POST", path, string(raw))
	var a answer
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
		t.Fatalf("%s: %v", w.Body, err)
	}
	return w.Code, a
}

func complete(t testing.TB, h http.Handler, body map[string]any) answer {
	t.Helper()
	code, a := ask(t, h, "/v1/completions", body)
	if code != 200 || len(a.Choices) != 1 {
		t.Fatalf("%v: %d %+v", body, code, a)
	}
	return a
}

// events reads a stream, the [DONE] at its end left out.
func events(t testing.TB, body string) []answer {
	t.Helper()
	var out []answer
	done := false
	for s := bufio.NewScanner(strings.NewReader(body)); s.Scan(); {
		data, ok := strings.CutPrefix(s.Text(), "data: ")
		if !ok {
			continue
		}
		if done {
			t.Errorf("after [DONE]: %s", data)
		}
		if done = data == "[DONE]"; done {
			continue
		}
		var a answer
		if err := json.Unmarshal([]byte(data), &a); err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		out = append(out, a)
	}
	if !done {
		t.Errorf("no [DONE] in %q", body)
	}
	return out
}

// winner replays the sampler over what the server says about one position.
func winner(t testing.TB, about map[string]row, temperature float64, seed uint64, position int) targon.TokenID {
	t.Helper()
	best, id := 0.0, targon.TokenID(-1)
	for key, r := range about {
		var c targon.TokenID
		if _, err := fmt.Sscan(key, &c); err != nil {
			t.Fatal(err)
		}
		v := r.Logprob
		if temperature > 0 {
			v = noise.Perturb(float32(r.Logprob), temperature, noise.Gumbel(seed, uint32(position), uint32(c)))
		}
		if id < 0 || v > best || v == best && c < id {
			best, id = v, c
		}
	}
	return id
}

// TestVerifiable: from nothing but answers of the server, a stranger finds that each id
// is the one that the seed draws, and that another seed draws others.
func TestVerifiable(t *testing.T) {
	c := config(t)
	c.MaxLogprobs = -1
	h := serve.New(c).Handler()
	for _, temperature := range []float64{0, 0.3, 1, 1.7} {
		for _, seed := range []int64{0, 7, -3, 1 << 40} {
			a := complete(t, h, map[string]any{
				"prompt": "tell me", "max_tokens": 60, "temperature": temperature, "seed": seed, "return_token_ids": true,
			}).Choices[0]
			ids := slices.Concat(a.Prompt, a.IDs)
			if len(a.IDs) == 0 || a.Finish == "length" && len(a.IDs) != 60 {
				t.Fatalf("%d ids, %s", len(a.IDs), a.Finish)
			}
			rows := complete(t, h, map[string]any{"prompt": ids, "max_tokens": 0, "prompt_logprobs": -1}).Choices[0].Rows
			if len(rows) != len(ids) || rows[0] != nil || len(rows[1]) != c.Model.Vocab() {
				t.Fatalf("%d rows for %d ids", len(rows), len(ids))
			}
			others := 0
			for i := len(a.Prompt); i < len(ids); i++ {
				if got := winner(t, rows[i], temperature, uint64(seed), i); got != ids[i] {
					t.Errorf("T %v seed %d: id %d at %d, the noise draws %d", temperature, seed, ids[i], i, got)
				}
				if winner(t, rows[i], temperature, uint64(seed)+1, i) != ids[i] {
					others++
				}
			}
			if (others == 0) != (temperature == 0) {
				t.Errorf("T %v seed %d: another seed draws %d other ids", temperature, seed, others)
			}
		}
	}
}

// TestReported: log-probabilities of an answer, of the same ids as a prompt, and of an
// echo are the same numbers; ranks count; at most N+1 of them come.
func TestReported(t *testing.T) {
	h := serve.New(config(t)).Handler()
	whole := complete(t, h, map[string]any{
		"prompt": []int{1, 270}, "max_tokens": 40, "temperature": 0.9, "seed": 3, "logprobs": 3, "return_token_ids": true, "return_tokens_as_token_ids": true,
	}).Choices[0]
	ids := slices.Concat(whole.Prompt, whole.IDs)
	scored := complete(t, h, map[string]any{"prompt": ids, "max_tokens": 1, "temperature": 0, "prompt_logprobs": 3}).Choices[0]
	echoed := complete(t, h, map[string]any{"prompt": ids, "max_tokens": 0, "echo": true, "logprobs": 3, "return_tokens_as_token_ids": true}).Choices[0]
	if len(echoed.Chosen.Tokens) != len(ids) || echoed.Chosen.Logprobs[0] != nil || echoed.Chosen.Top[0] != nil {
		t.Errorf("echo: %+v", echoed.Chosen)
	}
	for j, id := range whole.IDs {
		at := len(whole.Prompt) + j
		name, rows := fmt.Sprintf("token_id:%d", id), scored.Rows[at]
		claimed := rows[fmt.Sprint(id)]
		if *whole.Chosen.Logprobs[j] != claimed.Logprob || *echoed.Chosen.Logprobs[at] != claimed.Logprob {
			t.Errorf("position %d: %v, scored %v, echoed %v", at, *whole.Chosen.Logprobs[j], claimed.Logprob, *echoed.Chosen.Logprobs[at])
		}
		if whole.Chosen.Tokens[j] != name || whole.Chosen.Top[j][name] != claimed.Logprob {
			t.Errorf("position %d: token %s, top %v", at, whole.Chosen.Tokens[j], whole.Chosen.Top[j])
		}
		if d := cmp.Diff(whole.Chosen.Top[j], echoed.Chosen.Top[at]); d != "" {
			t.Errorf("position %d: top (-answer +echo):\n%s", at, d)
		}
		want := 3
		if claimed.Rank > 3 {
			want = 4
		}
		if len(rows) != want {
			t.Errorf("position %d: %d rows for an id of rank %d", at, len(rows), claimed.Rank)
		}
		for key, r := range rows {
			higher := 1
			for _, other := range rows {
				if other.Logprob > r.Logprob {
					higher++
				}
			}
			if r.Rank < higher || r.Rank <= 3 && r.Rank != higher || r.Logprob > 0 {
				t.Errorf("position %d: id %s has rank %d and log-probability %v", at, key, r.Rank, r.Logprob)
			}
		}
	}
}

// TestStreamIsWhole: chunks put together are the whole answer, and no chunk cuts a
// character, though this model's ids are mostly single bytes.
func TestStreamIsWhole(t *testing.T) {
	c := config(t)
	h := serve.New(c).Handler()
	wide := 0
	for seed := range 6 {
		body := map[string]any{"prompt": "é", "max_tokens": 250, "temperature": 2, "seed": seed, "return_token_ids": true}
		want := complete(t, h, body).Choices[0]
		body["stream"] = true
		raw, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		var ids []targon.TokenID
		all := events(t, do(h, "POST", "/v1/completions", string(raw)).Body.String())
		for i, e := range all {
			x := e.Choices[0]
			text.WriteString(x.Text)
			ids = append(ids, x.IDs...)
			if len(x.IDs) != 1 || (x.Prompt != nil) != (i == 0) || (x.Finish != "") != (i == len(all)-1) {
				t.Errorf("chunk %d of %d: %+v", i, len(all), x)
			}
		}
		if text.String() != want.Text || !slices.Equal(ids, want.IDs) || all[len(all)-1].Choices[0].Finish != want.Finish {
			t.Errorf("seed %d: streamed %q, whole %q", seed, text.String(), want.Text)
		}
		for _, r := range want.Text {
			if r >= 0x80 && r != 0xFFFD {
				wide++
			}
		}
	}
	if wide == 0 {
		t.Error("no answer has a character of several bytes: the test shows nothing")
	}
}

// TestOtherRoutes covers what is not an answer.
func TestOtherRoutes(t *testing.T) {
	h := serve.New(config(t)).Handler()
	for _, c := range []struct {
		method, path string
		status       int
		says         string
	}{
		{"GET", "/health", 200, ""},
		{"HEAD", "/health", 200, ""},
		{"GET", "/v1/models", 200, `{"object":"list","data":[{"id":"tiny","object":"model","created":1700000000,"owned_by":"targon","root":`},
		{"GET", "/v1/models", 200, `"max_model_len":512`},
		{"GET", "/v1/models/tiny", 200, `{"id":"tiny","object":"model","created":1700000000,`},
		{"GET", "/v1/models/an/other", 404, "The model `an/other` does not exist."},
		{"GET", "/v1/models/", 404, `no such route`},
		{"DELETE", "/v1/models/tiny", 405, `method not allowed`},
		{"POST", "/v1/models", 405, `"BadRequestError"`},
		{"GET", "/v1/completions", 405, `method not allowed`},
		{"GET", "/v1/embeddings", 404, `{"error":{"message":"no such route","type":"NotFoundError","param":null,"code":404}}`},
	} {
		w := do(h, c.method, c.path, "")
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.says) {
			t.Errorf("%s %s: %d %s", c.method, c.path, w.Code, w.Body)
		}
	}
}
