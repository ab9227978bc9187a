package gateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"targon"
	"targon/gateway"
	"targon/sign"
)

var update = flag.Bool("update", false, "write golden files")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Fakes. A rune is an id, and id 0 ends an answer.

type codec struct{ template bool }

func (c codec) Render(turns []gateway.Message) ([]targon.TokenID, error) {
	if !c.template {
		return nil, gateway.ErrNoTemplate
	}
	var s strings.Builder
	for _, t := range turns {
		if t.Content == "unspeakable" {
			return nil, errors.New("template: secret internals")
		}
		s.WriteString("<" + t.Role + ">" + t.Content)
	}
	return ids(s.String()), nil
}

func (codec) Encode(text string, bos bool) []targon.TokenID {
	if bos {
		text = "^" + text
	}
	return ids(text)
}

func (codec) Decoder() gateway.Decoder { return decoder{} }

type decoder struct{}

func (decoder) Add(id targon.TokenID) string {
	if id == 0 {
		return ""
	}
	return string(rune(id))
}

func (decoder) Flush() string { return "" }

func ids(s string) []targon.TokenID {
	var out []targon.TokenID
	for _, r := range s {
		out = append(out, targon.TokenID(r))
	}
	return out
}

// script is how one prover behaves.
type script struct {
	text   string          // what it streams
	pause  time.Duration   // before each id
	status targon.Status   // how the exchange ends; zero: complete
	err    error           // a fault of ours
	hold   <-chan struct{} // wait for this (or for ctx) after text
	tamper func(*targon.Receipt)
}

type net struct {
	mu      sync.Mutex
	provers []targon.Neuron
	scores  []targon.Score
	scripts map[targon.UID]script
	asked   []targon.UID
	drafts  []targon.Draft
	records []targon.Exchange
	optOuts []bool
	address error
	record  error
	done    chan targon.Exchange // gets each record
	began   chan targon.UID      // gets each prover as it is asked
}

func key(u targon.UID) *sign.Key {
	k, err := sign.FromSeed(targon.Secret{1, byte(u)})
	if err != nil {
		panic(err)
	}
	return k
}

func hotkey(u targon.UID) targon.Hotkey { return key(u).Hotkey() }

// signed is an answer's receipt, as an honest prover gives it.
func signed(k *sign.Key, r targon.Request, answer []targon.TokenID) targon.Receipt {
	rec := targon.ReceiptFor(r, answer, targon.FinishStop)
	sig, err := k.Sign(rec.Message())
	if err != nil {
		panic(err)
	}
	rec.Signature = sig
	return rec
}

func newNet(scripts ...script) *net {
	f := &net{scripts: map[targon.UID]script{}, done: make(chan targon.Exchange, 64), began: make(chan targon.UID, 64)}
	for i, s := range scripts {
		u := targon.UID(i + 1)
		f.scripts[u] = s
		f.provers = append(f.provers, targon.Neuron{UID: u, Hotkey: hotkey(u), Axon: netip.MustParseAddrPort("127.0.0.1:1")})
	}
	return f
}

func (f *net) Provers() []targon.Neuron { return f.provers }
func (f *net) Scores() []targon.Score   { return f.scores }

func (f *net) Address(_ context.Context, d targon.Draft, n targon.Neuron) (targon.Request, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.drafts = append(f.drafts, d)
	return targon.Request{
		ID: targon.RequestID{0xab, byte(n.UID)}, Verifier: targon.Hotkey{9}, Prover: n.Hotkey, Model: d.Model, Prompt: d.Prompt,
		Sampling: targon.Sampling{Temperature: d.Temperature, Seed: 42}, MaxTokens: d.MaxTokens,
	}, f.address
}

func (f *net) Record(ctx context.Context, x targon.Exchange, optedOut bool) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.records, f.optOuts = append(f.records, x), append(f.optOuts, optedOut)
	f.done <- x
	return f.record
}

func (f *net) Ask(ctx context.Context, n targon.Neuron, r targon.Request, each func(targon.Token) error) (targon.Exchange, error) {
	f.mu.Lock()
	s := f.scripts[n.UID]
	f.asked = append(f.asked, n.UID)
	f.mu.Unlock()
	f.began <- n.UID
	x := targon.Exchange{UID: n.UID, Transcript: targon.Transcript{Request: r}}
	all := ids(s.text)
	for _, id := range all {
		select {
		case <-time.After(s.pause):
		case <-ctx.Done():
			x.Status = targon.StatusIncomplete // a confused asker: the gateway must know better
			return x, nil
		}
		if err := each(targon.Token{ID: id, Text: "LIES"}); err != nil {
			x.Status = targon.StatusIncomplete
			return x, nil
		}
		x.Transcript.Tokens = append(x.Transcript.Tokens, id)
	}
	if s.hold != nil {
		select {
		case <-s.hold:
		case <-ctx.Done():
			x.Status = targon.StatusIncomplete
			return x, nil
		}
	}
	if s.err != nil {
		x.Status = targon.StatusOurs
		return x, s.err
	}
	if x.Status = s.status; x.Status == targon.StatusNone {
		x.Status = targon.StatusComplete
		x.Transcript.Receipt = signed(key(n.UID), r, all)
		if s.tamper != nil {
			s.tamper(&x.Transcript.Receipt)
		}
	}
	return x, nil
}

const goodKey = "sk-test-of-a-key"

func (f *net) config() gateway.Config {
	return gateway.Config{
		Model: "tiny", Context: 512, Codec: codec{template: true}, Asker: f, Desk: f, Book: f,
		Keys:   []gateway.Key{{Name: "other", SHA256: gateway.HashKey("sk-other")}, {Name: "test", SHA256: gateway.HashKey(goodKey)}},
		Random: func() float64 { return 0 },
	}
}

func (f *net) handler() http.Handler { return gateway.New(f.config()).Handler() }

func post(path, body string, header ...string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+goodKey)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

func serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

const chat = `{"model":"tiny","messages":[{"role":"user","content":"hi"}]`

// TestGolden holds whole responses, headers included. Time is synctest's.
func TestGolden(t *testing.T) {
	for _, c := range []struct{ name, path, body string }{
		{"chat", "/v1/chat/completions", chat + `}`},
		{"chat_stream", "/v1/chat/completions", chat + `,"stream":true}`},
		{"chat_stream_usage", "/v1/chat/completions", chat + `,"stream":true,"stream_options":{"include_usage":true}}`},
		{"text", "/v1/completions", `{"model":"tiny","prompt":"hi"}`},
		{"text_stream", "/v1/completions", `{"model":"tiny","prompt":["hi"],"stream":true}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				res := serve(newNet(script{text: "né!\x00"}).handler(), post(c.path, c.body)).Result()
				body, err := io.ReadAll(res.Body)
				if err != nil {
					t.Fatal(err)
				}
				var got bytes.Buffer
				got.WriteString(res.Status + "\n")
				_ = res.Header.Write(&got)
				got.WriteString("\n" + string(body))
				if len(res.Trailer) > 0 {
					got.WriteString("\ntrailer:\n")
					_ = res.Trailer.Write(&got)
				}
				golden(t, c.name, strings.ReplaceAll(got.String(), "\r\n", "\n"))
			})
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got; -update rewrites):\n%s", path, d)
	}
}

func TestRefusals(t *testing.T) {
	deep := strings.Repeat("[", 40) + strings.Repeat("]", 40)
	for _, c := range []struct {
		name, body string
		header     []string
		status     int
		param      string
	}{
		{"no key", chat + `}`, []string{"Authorization", ""}, 401, ""},
		{"wrong key", chat + `}`, []string{"Authorization", "Bearer sk-wrong"}, 401, ""},
		{"wrong scheme", chat + `}`, []string{"Authorization", "Basic " + goodKey}, 401, ""},
		{"huge key", chat + `}`, []string{"Authorization", "Bearer " + strings.Repeat("k", 600)}, 401, ""},
		{"not json", `{"model`, nil, 400, ""},
		{"not an object", `[1]`, nil, 400, ""},
		{"null", `null`, nil, 400, ""},
		{"empty", ``, nil, 400, ""},
		{"deep", `{"model":"tiny","x":` + deep + `}`, nil, 400, ""},
		{"oversized", `{"x":"` + strings.Repeat("a", 1<<20) + `"}`, nil, 413, ""},
		{"compressed", chat + `}`, []string{"Content-Encoding", "gzip"}, 415, ""},
		{"other model", `{"model":"big","messages":[{"role":"user","content":"hi"}]}`, nil, 404, "model"},
		{"no model", `{"messages":[{"role":"user","content":"hi"}]}`, nil, 400, "model"},
		{"case matters", `{"MODEL":"tiny","messages":[{"role":"user","content":"hi"}]}`, nil, 400, "model"},
		{"no messages", `{"model":"tiny"}`, nil, 400, "messages"},
		{"empty messages", `{"model":"tiny","messages":[]}`, nil, 400, "messages"},
		{"too many messages", `{"model":"tiny","messages":[` + strings.Repeat(`{"role":"user","content":"a"},`, 1024) + `{"role":"user","content":"a"}]}`, nil, 400, "messages"},
		{"tool role", `{"model":"tiny","messages":[{"role":"tool","content":"a"}]}`, nil, 400, "messages[0].role"},
		{"image", `{"model":"tiny","messages":[{"role":"user","content":[{"type":"image_url"}]}]}`, nil, 400, "messages[0].content"},
		{"no content", `{"model":"tiny","messages":[{"role":"user"}]}`, nil, 400, "messages[0].content"},
		{"template refuses", `{"model":"tiny","messages":[{"role":"user","content":"unspeakable"}]}`, nil, 400, "messages"},
		{"too long", `{"model":"tiny","messages":[{"role":"user","content":"` + strings.Repeat("a", 600) + `"}]}`, nil, 400, ""},
		{"hot", chat + `,"temperature":2.1}`, nil, 400, "temperature"},
		{"cold", chat + `,"temperature":-0.1}`, nil, 400, "temperature"},
		{"temperature text", chat + `,"temperature":"1"}`, nil, 400, "temperature"},
		{"no tokens", chat + `,"max_tokens":0}`, nil, 400, "max_tokens"},
		{"half a token", chat + `,"max_completion_tokens":1.5}`, nil, 400, "max_completion_tokens"},
		{"n", chat + `,"n":9}`, nil, 400, "n"},
		{"n of none", chat + `,"n":0}`, nil, 400, "n"},
		{"broken n", chat + `,"n":1.5}`, nil, 400, "n"},
		{"best of", chat + `,"best_of":2}`, nil, 400, "best_of"},
		{"tools", chat + `,"tools":[{"type":"function"}]}`, nil, 400, "tools"},
		{"logprobs", chat + `,"logprobs":true}`, nil, 400, "logprobs"},
		{"no top_p", chat + `,"top_p":0}`, nil, 400, "top_p"},
		{"wide top_p", chat + `,"top_p":1.01}`, nil, 400, "top_p"},
		{"negative top_p", chat + `,"top_p":-0.5}`, nil, 400, "top_p"},
		{"top_p text", chat + `,"top_p":"1"}`, nil, 400, "top_p"},
		{"broken top_k", chat + `,"top_k":1.5}`, nil, 400, "top_k"},
		{"negative top_k", chat + `,"top_k":-2}`, nil, 400, "top_k"},
		{"large top_k", chat + `,"top_k":2147483648}`, nil, 400, "top_k"},
		{"negative min_p", chat + `,"min_p":-0.1}`, nil, 400, "min_p"},
		{"wide min_p", chat + `,"min_p":1.1}`, nil, 400, "min_p"},
		{"penalty", chat + `,"repetition_penalty":1.1}`, nil, 400, "repetition_penalty"},
		{"bias", chat + `,"logit_bias":{"1":2}}`, nil, 400, "logit_bias"},
		{"stop number", chat + `,"stop":1}`, nil, 400, "stop"},
		{"empty stop", chat + `,"stop":["x",""]}`, nil, 400, "stop"},
		{"long stop", chat + `,"stop":"` + strings.Repeat("x", 257) + `"}`, nil, 400, "stop"},
		{"many stops", chat + `,"stop":["a"` + strings.Repeat(`,"a"`, 16) + `]}`, nil, 400, "stop"},
		{"json mode", chat + `,"response_format":{"type":"json_object"}}`, nil, 400, "response_format"},
		{"presence", chat + `,"presence_penalty":0.1}`, nil, 400, "presence_penalty"},
		{"frequency", chat + `,"frequency_penalty":-1}`, nil, 400, "frequency_penalty"},
		{"of vLLM", chat + `,"min_tokens":5}`, nil, 400, "min_tokens"},
		{"guided", chat + `,"guided_json":{}}`, nil, 400, "guided_json"},
		{"reasoning", chat + `,"reasoning_effort":"low"}`, nil, 400, "reasoning_effort"},
		{"called tool", `{"model":"tiny","messages":[{"role":"assistant","content":"","tool_calls":[{"id":"1"}]}]}`, nil, 400, "messages[0].tool_calls"},
		{"called function", `{"model":"tiny","messages":[{"role":"assistant","function_call":{}}]}`, nil, 400, "messages[0].function_call"},
		{"part without text", `{"model":"tiny","messages":[{"role":"user","content":[{"type":"text"}]}]}`, nil, 400, "messages[0].content"},
		{"number as role", `{"model":"tiny","messages":[{"role":5,"content":"x"}]}`, nil, 400, "messages[0].role"},
		{"case of content", `{"model":"tiny","messages":[{"role":"user","Content":"x"}]}`, nil, 400, "messages[0].content"},
		{"no message", `{"model":"tiny","messages":[null]}`, nil, 400, "messages[0].role"},
		{"not UTF-8", `{"model":"tiny","messages":[{"role":"user","content":"` + "\xff" + `"}]}`, nil, 400, ""},
		{"half a pair", `{"model":"tiny","messages":[{"role":"user","content":"\ud83d \ude00"}]}`, nil, 400, ""},
		{"audit word", chat + `}`, []string{"X-Targon-Audit", "perhaps"}, 400, "x-targon-audit"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newNet(script{text: "ok"})
			w := serve(f.handler(), post("/v1/chat/completions", c.body, c.header...))
			var got struct {
				Error struct{ Message, Type, Param, Code string }
			}
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
				t.Fatalf("%d %s: %v", w.Code, w.Body, err)
			}
			if w.Code != c.status || got.Error.Param != c.param || got.Error.Type != "invalid_request_error" || got.Error.Message == "" {
				t.Errorf("%d %s, want %d with param %q", w.Code, w.Body, c.status, c.param)
			}
			if strings.Contains(w.Body.String(), "internals") {
				t.Errorf("internals leak: %s", w.Body)
			}
			if len(f.asked) != 0 || len(f.records) != 0 {
				t.Errorf("a prover was asked: %v", f.asked)
			}
		})
	}
}

// TestAccepted: what asks for nothing unusual is accepted, and becomes this draft.
func TestAccepted(t *testing.T) {
	base := targon.Draft{Model: "tiny", Prompt: ids("<user>hi"), Temperature: 1, MaxTokens: 256}
	with := func(change func(*targon.Draft)) targon.Draft { d := base; change(&d); return d }
	for _, c := range []struct {
		name, body string
		want       targon.Draft
	}{
		{"plain", chat + `}`, base},
		{"harmless", chat + `,"n":1,"top_p":1.00,"top_k":0,"stop":"","tools":[],"logprobs":false,"response_format":{ "type": "text" },"presence_penalty":0.0,"seed":7,"user":"u","metadata":{"a":"b"},"unknown":1}`, base},
		{"parts", `{"model":"tiny","messages":[{"role":"developer","content":"s"},{"role":"user","content":[{"type":"text","text":"h"},{"type":"text","text":"i"}]}]}`, with(func(d *targon.Draft) { d.Prompt = ids("<system>s<user>hi") })},
		{"filters", chat + `,"top_p":0.9,"top_k":40,"min_p":0.05}`, with(func(d *targon.Draft) { d.TopP, d.TopK, d.MinP = 0.9, 40, 0.05 })},
		{"filters that leave out nothing", chat + `,"top_p":1,"top_k":-1,"min_p":-0.0}`, base},
		{"none but the highest", chat + `,"top_k":1.0,"min_p":1}`, with(func(d *targon.Draft) { d.TopK, d.MinP = 1, math.Nextafter(1, 0) })},
		{"greedy", chat + `,"temperature":-0.0}`, with(func(d *targon.Draft) { d.Temperature = 0 })},
		{"older limit", chat + `,"max_tokens":9}`, with(func(d *targon.Draft) { d.MaxTokens = 9 })},
		{"newer limit wins", chat + `,"max_tokens":9,"max_completion_tokens":8}`, with(func(d *targon.Draft) { d.MaxTokens = 8 })},
		{"round limit", chat + `,"max_tokens":9.0}`, with(func(d *targon.Draft) { d.MaxTokens = 9 })},
		{"repeated turns", `{"model":"tiny","messages":[{"role":"assistant","content":"h","name":"x","refusal":null,"annotations":[],"audio":null,"tool_calls":[],"function_call":null},{"role":"user","content":"\ud83d\ude00\\ud800"}],"min_tokens":0,"chat_template_kwargs":{}}`, with(func(d *targon.Draft) { d.Prompt = ids(`<assistant>h<user>😀\ud800`) })},
		{"what the context leaves", chat + `,"max_tokens":99999999999}`, with(func(d *targon.Draft) { d.MaxTokens = 512 - 8 })},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newNet(script{text: "ok"})
			if w := serve(f.handler(), post("/v1/chat/completions", c.body)); w.Code != 200 {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			if d := cmp.Diff([]targon.Draft{c.want}, f.drafts); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestLimitOfConfig(t *testing.T) {
	f := newNet(script{text: "ok"})
	c := f.config()
	c.MaxTokens, c.Codec = 5, codec{template: false}
	serve(gateway.New(c).Handler(), post("/v1/chat/completions",
		`{"model":"tiny","messages":[{"role":"system","content":"a"},{"role":"user","content":"b"}]}`))
	want := []targon.Draft{{Model: "tiny", Prompt: ids("^a\nb"), Temperature: 1, MaxTokens: 5}}
	if d := cmp.Diff(want, f.drafts); d != "" {
		t.Error(d)
	}
}

func TestAuditHeaderIsConsumed(t *testing.T) {
	for value, want := range map[string]bool{"": false, "yes": false, "no": true, "NO": true} {
		f := newNet(script{text: "ok"})
		serve(f.handler(), post("/v1/chat/completions", chat+`}`, "X-Targon-Audit", value))
		if len(f.optOuts) != 1 || f.optOuts[0] != want {
			t.Errorf("%q: opted out %v, want %v", value, f.optOuts, want)
		}
		if d := cmp.Diff(targon.Draft{Model: "tiny", Prompt: ids("<user>hi"), Temperature: 1, MaxTokens: 256}, f.drafts[0]); d != "" {
			t.Errorf("%q changes what the prover sees: %s", value, d)
		}
	}
}

func TestOtherRoutes(t *testing.T) {
	h := newNet(script{text: "ok"}).handler()
	for _, c := range []struct {
		method, path string
		key          bool
		status       int
		body         string
	}{
		{"GET", "/v1/models", true, 200, `{"object":"list","data":[{"id":"tiny","object":"model","created":0,"owned_by":"targon"}]}`},
		{"GET", "/v1/models", false, 401, `"code":"invalid_api_key"`},
		{"GET", "/healthz", false, 200, `{"status":"ok","provers":1}`},
		{"GET", "/v1/chat/completions", true, 405, `"type":"invalid_request_error"`},
		{"POST", "/v1/models", true, 405, `method not allowed`},
		{"GET", "/v1/nothing", true, 404, `"code":"unknown_url"`},
	} {
		r := httptest.NewRequest(c.method, c.path, nil)
		if c.key {
			r.Header.Set("Authorization", "bearer "+goodKey)
		}
		w := serve(h, r)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.body) {
			t.Errorf("%s %s: %d %s, want %d %s", c.method, c.path, w.Code, w.Body, c.status, c.body)
		}
		if allow := w.Header().Get("Allow"); (allow != "") != (c.status == 405) || allow == c.method {
			t.Errorf("%s %s: Allow: %q", c.method, c.path, allow)
		}
	}
}

// TestOtherOrigins: a browser asks before a page of another origin may send a key, and is
// told nothing that would allow it; nor may such a page read an answer.
func TestOtherOrigins(t *testing.T) {
	h := newNet(script{text: "ok"}).handler()
	r := post("/v1/chat/completions", chat+`}`, "Origin", "https://example.org", "Access-Control-Request-Method", "POST")
	r.Method = http.MethodOptions
	for _, w := range []*httptest.ResponseRecorder{serve(h, r), serve(h, post("/v1/chat/completions", chat+`}`, "Origin", "https://example.org"))} {
		for name := range w.Header() {
			if strings.HasPrefix(name, "Access-Control") || w.Code == http.StatusNoContent {
				t.Errorf("%d with %s", w.Code, name)
			}
		}
	}
	if w := serve(h, r); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("a preflight is answered %d", w.Code)
	}
}

// TestLimitsOfAKey: a user beyond the limit is told when to come back.
func TestLimitsOfAKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newNet(script{text: "ok"})
		c := f.config()
		c.Keys[1].PerMinute = 1
		h := gateway.New(c).Handler()
		for i, want := range []int{200, 429} {
			if w := serve(h, post("/v1/chat/completions", chat+`}`)); w.Code != want {
				t.Errorf("request %d: %d %s, want %d", i, w.Code, w.Body, want)
			} else if want == 429 && (w.Header().Get("Retry-After") != "60" || !strings.Contains(w.Body.String(), `"rate_limit_error"`)) {
				t.Errorf("Retry-After %q: %s", w.Header().Get("Retry-After"), w.Body)
			}
		}
		if w := serve(h, post("/v1/chat/completions", chat+`}`, "Authorization", "Bearer sk-other")); w.Code != 200 {
			t.Errorf("another key suffers: %d", w.Code)
		}
		time.Sleep(time.Minute)
		if w := serve(h, post("/v1/chat/completions", chat+`}`)); w.Code != 200 {
			t.Errorf("a minute later: %d", w.Code)
		}
	})
}

// TestSecretsStayOut: neither keys nor prompts nor answers reach a log.
func TestSecretsStayOut(t *testing.T) {
	var log bytes.Buffer
	f := newNet(script{text: "answer", status: targon.StatusIncomplete}, script{err: errors.New("our fault")})
	f.record = errors.New("disk full")
	c := f.config()
	c.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	h := gateway.New(c).Handler()
	serve(h, post("/v1/chat/completions", `{"model":"tiny","messages":[{"role":"user","content":"prompt"}]}`))
	serve(h, post("/v1/chat/completions", chat+`}`, "Authorization", "Bearer sk-wrong"))
	if !strings.Contains(log.String(), "disk full") || !strings.Contains(log.String(), "our fault") {
		t.Errorf("our faults are not logged: %s", log.String())
	}
	for _, secret := range []string{goodKey, "sk-wrong", "prompt", "answer", gateway.HashKey(goodKey).String()} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("log holds %q: %s", secret, log.String())
		}
	}
}
