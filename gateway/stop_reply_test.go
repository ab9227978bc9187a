package gateway_test

import (
	"strings"
	"testing"

	"targon"
)

// TestStop: the user's text ends before the sequence and counts so far, whole and
// streamed, of chats and plain completions; the receipt is that of the whole answer, of
// which the prover heard nothing.
func TestStop(t *testing.T) {
	for _, c := range []struct {
		name, path, body string
		want             []string
		never            string
	}{
		{"chat", "/v1/chat/completions", chat + `,"stop":"END"}`, []string{`"content":"one "`, `"finish_reason":"stop"`, `"completion_tokens":7`}, "two"},
		{"list", "/v1/chat/completions", chat + `,"stop":["two","ne"]}`, []string{`"content":"o"`, `"finish_reason":"stop"`, `"completion_tokens":3`}, "one"},
		{"text", "/v1/completions", `{"model":"tiny","prompt":"hi","stop":["END"]}`, []string{`"text":"one "`, `"finish_reason":"stop"`}, "two"},
		{
			"stream", "/v1/chat/completions", chat + `,"stop":["END"],"stream":true,"stream_options":{"include_usage":true}}`,
			[]string{`"content":" "`, `"finish_reason":"stop"`, `"completion_tokens":7`, "[DONE]"},
			`"E"`,
		},
		{"not there", "/v1/chat/completions", chat + `,"stop":["three"]}`, []string{`"content":"one END two"`, `"completion_tokens":11`}, "three"},
		{"held to the end", "/v1/chat/completions", chat + `,"stop":["two!"],"stream":true}`, []string{`"content":"two"`, "[DONE]"}, "!"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newNet(script{text: "one END two"})
			w := serve(f.handler(), post(c.path, c.body))
			for _, want := range c.want {
				if !strings.Contains(w.Body.String(), want) {
					t.Errorf("no %s in %s", want, w.Body)
				}
			}
			if strings.Contains(w.Body.String(), c.never) {
				t.Errorf("%s is shown: %s", c.never, w.Body)
			}
			x := f.records[0].Transcript
			if len(x.Tokens) != 11 || !strings.Contains(w.Body.String(), x.Receipt.Digest().String()) {
				t.Errorf("%d ids are recorded, and the receipt is not that of them: %s", len(x.Tokens), w.Body)
			}
			if f.drafts[0].MaxTokens != 256 {
				t.Errorf("the prover is asked for something else: %+v", f.drafts[0])
			}
		})
	}
}

// TestStopAndFailOver: a prover that fails behind the user's text has failed; where nothing
// was shown, another is asked, and begins anew.
func TestStopAndFailOver(t *testing.T) {
	part := script{text: "ENDpar", status: targon.StatusIncomplete}
	f := newNet(part, script{text: "two END"})
	w := serve(f.handler(), post("/v1/chat/completions", chat+`,"stop":["END"],"stream":true}`))
	if !strings.Contains(w.Body.String(), `"content":"two"`) && !strings.Contains(w.Body.String(), `"content":"o"`) || !strings.Contains(w.Body.String(), "[DONE]") || len(f.records) != 2 {
		t.Errorf("%d records, %s", len(f.records), w.Body)
	}
}

// TestAssistantWithoutText: clients repeat a turn that had no text as null.
func TestAssistantWithoutText(t *testing.T) {
	f := newNet(script{text: "ok"})
	w := serve(f.handler(), post("/v1/chat/completions", `{"model":"tiny","messages":[{"role":"user","content":"a"},{"role":"assistant","content":null},{"role":"assistant"},{"role":"user","content":"b"}]}`))
	if w.Code != 200 || string(text(f.drafts[0].Prompt)) != "<user>a<assistant><assistant><user>b" {
		t.Errorf("%d %s, %+v", w.Code, w.Body, f.drafts)
	}
	if w := serve(f.handler(), post("/v1/chat/completions", `{"model":"tiny","messages":[{"role":"user","content":null}]}`)); w.Code != 400 {
		t.Errorf("a user's turn without text: %d", w.Code)
	}
}

func text(ids []targon.TokenID) (out []rune) {
	for _, id := range ids {
		out = append(out, rune(id))
	}
	return out
}

// TestRequestID: an answer's id is in the header that clients keep.
func TestRequestID(t *testing.T) {
	for body, path := range map[string]string{chat + `}`: "/v1/chat/completions", streamed: "/v1/chat/completions"} {
		f := newNet(script{text: "ok"})
		w := serve(f.handler(), post(path, body))
		if got, want := w.Header().Get("X-Request-Id"), "chatcmpl-"+f.records[0].Transcript.Request.ID.String(); got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}
