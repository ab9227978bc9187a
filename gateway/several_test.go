package gateway_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"targon"
	"targon/gateway"
)

// reply is what a client reads of an answer or a chunk.
type reply struct {
	ID      string
	Choices []struct {
		Index   int
		Text    string
		Message struct{ Content string }
		Delta   struct{ Role, Content string }
		Finish  string `json:"finish_reason"`
		Targon  *struct{ Receipt string }
	}
	Usage  *struct{ Prompt, Completion, Total int }
	Targon *struct{ Receipt string }
}

// chunks reads a stream up to [DONE].
func chunks(t *testing.T, w *httptest.ResponseRecorder) (out []reply) {
	t.Helper()
	for line := range strings.Lines(w.Body.String()) {
		data, ok := strings.CutPrefix(strings.TrimSpace(line), "data: ")
		if !ok || data == "[DONE]" {
			continue
		}
		var r reply
		if err := json.Unmarshal([]byte(data), &r); err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		out = append(out, r)
	}
	return out
}

// numbered answers each request with a letter of its own, in the order of asking.
func numbered(f *net, fail map[int]targon.Status) askerFunc {
	asked := 0
	return func(_ context.Context, n targon.Neuron, r targon.Request, each func(targon.Token) error) (targon.Exchange, error) {
		number := asked
		asked++
		r.ID = targon.RequestID{0xcd, byte(number)}
		answer := ids(string(rune('a' + number)))
		if err := each(targon.Token{ID: answer[0]}); err != nil {
			return targon.Exchange{UID: n.UID, Status: targon.StatusAborted, Transcript: targon.Transcript{Request: r}}, nil
		}
		x := targon.Exchange{UID: n.UID, Status: fail[number], Transcript: targon.Transcript{Request: r, Tokens: answer}}
		if x.Status == targon.StatusNone {
			x.Status = targon.StatusComplete
			x.Transcript.Receipt = signed(key(n.UID), r, answer)
		}
		return x, nil
	}
}

// TestSeveral: each answer is a choice of its own, with its own receipt; the answers to one
// prompt count it once.
func TestSeveral(t *testing.T) {
	for _, c := range []struct {
		name, path, body string
		texts            []string
		prompt           int
	}{
		{"chat", "/v1/chat/completions", chat + `,"n":3}`, []string{"a", "b", "c"}, 8},
		{"two prompts", "/v1/completions", `{"model":"tiny","prompt":["hi","you"]}`, []string{"a", "b"}, 3 + 4},
		{"two of each", "/v1/completions", `{"model":"tiny","prompt":["hi","you"],"n":2}`, []string{"a", "b", "c", "d"}, 3 + 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newNet(script{})
			conf := f.config()
			conf.Asker = numbered(f, nil)
			w := serve(gateway.New(conf).Handler(), post(c.path, c.body))
			var got struct {
				reply
				Usage map[string]int
			}
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 200 {
				t.Fatalf("%d %s: %v", w.Code, w.Body, err)
			}
			receipts := w.Header().Values("X-Targon-Receipt")
			if len(got.Choices) != len(c.texts) || len(receipts) != len(c.texts) || got.Targon != nil {
				t.Fatalf("%d receipts, %s", len(receipts), w.Body)
			}
			for i, ch := range got.Choices {
				if ch.Index != i || ch.Text+ch.Message.Content != c.texts[i] || ch.Finish != "stop" || ch.Targon == nil || ch.Targon.Receipt != receipts[i] ||
					receipts[i] != f.records[i].Transcript.Receipt.Digest().String() {
					t.Errorf("choice %d: %+v", i, ch)
				}
			}
			want := map[string]int{"prompt_tokens": c.prompt, "completion_tokens": len(c.texts), "total_tokens": c.prompt + len(c.texts)}
			if d := cmp.Diff(want, got.Usage); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestSeveralStreamed: one choice after the other, each with who speaks, its text and its
// end; a prover that fails before any text of its choice is replaced, whatever was shown
// of choices before.
func TestSeveralStreamed(t *testing.T) {
	f := newNet(script{}, script{})
	conf := f.config()
	conf.Asker = numbered(f, nil)
	w := serve(gateway.New(conf).Handler(), post("/v1/chat/completions", chat+`,"n":2,"stream":true,"stream_options":{"include_usage":true}}`))
	var got []string
	all := chunks(t, w)
	for _, r := range all[:len(all)-1] {
		ch := r.Choices[0]
		got = append(got, fmt.Sprintf("%d %s%s %s", ch.Index, ch.Delta.Role, ch.Delta.Content, ch.Finish))
		if r.ID != all[0].ID || (r.Targon != nil) != (ch.Finish != "") {
			t.Errorf("chunk %+v", r)
		}
	}
	if d := cmp.Diff([]string{"0 assistant ", "0 a ", "0  stop", "1 assistant ", "1 b ", "1  stop"}, got); d != "" {
		t.Error(d)
	}
	if all[len(all)-1].Usage == nil || strings.Count(w.Body.String(), ": x-targon-receipt ") != 2 || len(w.Result().Trailer.Values("X-Targon-Receipt")) != 2 {
		t.Errorf("the end: %s %v", w.Body, w.Result().Trailer)
	}

	f = newNet(script{}, script{})
	conf = f.config()
	silent := numbered(f, nil)
	asked := 0
	conf.Asker = askerFunc(func(ctx context.Context, n targon.Neuron, r targon.Request, each func(targon.Token) error) (targon.Exchange, error) {
		if asked++; asked == 2 { // the second choice's first prover is gone
			return targon.Exchange{UID: n.UID, Status: targon.StatusGone, Transcript: targon.Transcript{Request: r}}, nil
		}
		return silent(ctx, n, r, each)
	})
	w = serve(gateway.New(conf).Handler(), post("/v1/chat/completions", chat+`,"n":2,"stream":true}`))
	if len(f.records) != 3 || !strings.Contains(w.Body.String(), "[DONE]") || !strings.Contains(w.Body.String(), `"content":"b"`) {
		t.Errorf("%d records, %s", len(f.records), w.Body)
	}
}

// TestSeveralFail: a whole reply is all of its answers or an error.
func TestSeveralFail(t *testing.T) {
	f := newNet(script{})
	conf := f.config()
	conf.Asker = numbered(f, map[int]targon.Status{1: targon.StatusIncomplete})
	g := gateway.New(conf)
	w := serve(g.Handler(), post("/v1/chat/completions", chat+`,"n":3}`))
	if w.Code != 502 || code(t, w) != "prover_failed" || len(f.records) != 2 {
		t.Errorf("%d %s, %d records", w.Code, w.Body, len(f.records))
	}
	if got := metricsOf(t, g); got[`targon_gateway_tokens_total{key="test",kind="completion"}`] != "0" {
		t.Errorf("what failed is charged: %v", got)
	}
	for _, body := range []string{
		`{"model":"tiny","prompt":["a","b","c"],"n":3}`, `{"model":"tiny","prompt":[]}`, `{"model":"tiny","prompt":["a",""]}`, `{"model":"tiny","prompt":[1,2]}`,
	} {
		if w := serve(g.Handler(), post("/v1/completions", body)); w.Code != 400 || !strings.Contains(w.Body.String(), `"param":"prompt"`) {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	}
}

// TestSeveralAreCharged: three answers are three requests of a minute's.
func TestSeveralAreCharged(t *testing.T) {
	f := newNet(script{})
	conf := f.config()
	conf.Asker, conf.Keys[1].PerMinute = numbered(f, nil), 4
	h := gateway.New(conf).Handler()
	codes := ""
	for range 3 {
		w := serve(h, post("/v1/chat/completions", chat+`,"n":3}`))
		codes += fmt.Sprint(w.Code, " ", w.Header().Get("X-Ratelimit-Remaining-Requests"), " ")
	}
	if codes != "200 1 200 0 429 0 " {
		t.Errorf("with 4 requests a minute, three answers each: %s", codes)
	}
}
