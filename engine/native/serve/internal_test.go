package serve

import (
	"context"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"targon/engine/enginetest"
	"targon/engine/native"
	"targon/engine/native/chat"
)

// TestStopperParts: however a text is cut into parts, what comes out is what comes out
// of the whole, whole characters at a time, and a text without a stop string is intact.
func TestStopperParts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOf(rapid.StringOf(rapid.SampledFrom([]rune("abé")))).Draw(t, "parts")
		stop := rapid.StringOfN(rapid.SampledFrom([]rune("abé")), 1, 4, -1).Draw(t, "stop")
		text := strings.Join(parts, "")
		want, _, found := strings.Cut(text, stop)
		s, out, hit := Stopper{Stops: []string{stop}}, "", ""
		for _, p := range parts {
			var more string
			if more, hit = s.Add(p); !utf8.ValidString(more) {
				t.Errorf("%q cuts a character", more)
			}
			if out += more; hit != "" {
				break
			}
		}
		if hit == "" {
			out += s.Flush()
		}
		if out != want || (hit != "") != found {
			t.Errorf("got %q (%q), want %q", out, hit, want)
		}
	})
}

// TestTextsWait: encoding takes much more memory than a text, so that no more than one body's
// worth of it is encoded at a time.
func TestTextsWait(t *testing.T) {
	data, err := enginetest.RandomModel(enginetest.Tiny())
	if err != nil {
		t.Fatal(err)
	}
	m, err := native.Load(data)
	if err != nil {
		t.Fatal(err)
	}
	s := New(Config{Model: m})
	most := s.longest * m.Context()
	for n, says := range map[int]string{most: "the prompt has", most + 1: "a prompt of"} { // the longer is not even encoded
		if _, err := s.plan(t.Context(), order{texts: []string{"a", strings.Repeat("a", n)}, n: 1, maxTokens: 1, top: none, promptTop: none}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%d bytes, %d at most: %v", n, most, err)
		}
	}
	text := &job{order: order{texts: []string{strings.Repeat("a", shortText+1)}}}
	if !s.texts.TryAcquire(maxBody - shortText) {
		t.Fatal("something is being encoded")
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.encode(gone, text); !errors.Is(err, context.Canceled) {
		t.Errorf("without room: %v", err)
	}
	if err := s.encode(t.Context(), &job{order: order{texts: []string{strings.Repeat("a", shortText)}}}); err != nil {
		t.Errorf("a short text waits for a long one: %v", err)
	}
	s.texts.Release(maxBody - shortText)
	if !s.texts.TryAcquire(maxBody - shortText - 1) {
		t.Fatal("what was encoded holds room")
	}
	for range 2 { // the room comes back
		if err := s.encode(t.Context(), text); err != nil {
			t.Error(err)
		}
	}
	if err := s.encode(gone, &job{order: order{messages: []chat.Message{{Role: "user", Content: text.texts[0] + "b"}}}}); !errors.Is(err, context.Canceled) {
		t.Errorf("a chat: %v", err)
	}
}

// FuzzOrder: whatever the body, the parsers end, and what they accept is within limits.
func FuzzOrder(f *testing.F) {
	for _, s := range []string{
		`{"prompt":"hello","max_tokens":4,"seed":7,"stop":["a"],"logprobs":2}`,
		`{"model":"m","prompt":[[1,2],[3]],"prompt_logprobs":50,"max_tokens":0,"temperature":0}`,
		`{"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}],"stream":true,"stream_options":{"include_usage":false},"logprobs":true,"top_logprobs":3}`,
		`{"prompt":["a",[1],null],"stop_token_ids":[1],"n":1.0,"echo":null,"temperature":1e-300}`,
		`{"prompt":"a","top_p":0.9,"top_k":-1,"min_p":1,"repetition_penalty":1.1,"logit_bias":{"5":-101,"6":1e2},"min_tokens":3,"ignore_eos":true}`,
		`{"tokens":[1,2],"return_token_strs":true}`, `[`, `{"prompt":{}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for name, parse := range map[string]func([]byte) (order, error){
			"text": parseText, "chat": parseChat,
			"tokenize": func(b []byte) (order, error) { o, _, err := parseTokenize(b); return o, err },
		} {
			o, err := parse(raw)
			if p, ours := explain(err); err != nil {
				if ours || p.Code != 400 || p.Message == "" {
					t.Errorf("%s of %q: %v", name, raw, err)
				}
				continue
			}
			if by := o.sampling; by.Validate() != nil || by.Temperature > 0 && by.Temperature < 0.01 && name != "tokenize" {
				t.Errorf("%s of %q: %+v", name, raw, by)
			}
			prompts := len(o.prompts) + len(o.texts)
			if name == "chat" && len(o.messages) == 0 || name == "text" && (prompts == 0 || prompts > maxPrompts) {
				t.Errorf("%s of %q: %d messages, %d prompts", name, raw, len(o.messages), prompts)
			}
			for _, list := range o.prompts {
				for _, id := range list {
					if id < 0 {
						t.Errorf("%s of %q: id %d", name, raw, id)
					}
				}
			}
			if name == "text" && (o.maxTokens < 0 || o.maxTokens == 0 && !o.echo && o.promptTop == none) {
				t.Errorf("%s of %q: max_tokens %d", name, raw, o.maxTokens)
			}
		}
	})
}

func TestTable(t *testing.T) {
	full := table{}
	full.set("b", 1)
	full.set("<a>", []int(nil))
	full.set("b", 2)
	for want, v := range map[string]table{"null": nil, "{}": {}, `{"b":2,"<a>":null}`: full} {
		if got, err := v.MarshalJSON(); err != nil || string(got) != want {
			t.Errorf("got %s %v, want %s", got, err, want)
		}
	}
}
