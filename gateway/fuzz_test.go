package gateway

import (
	"errors"
	"slices"
	"testing"
	"unicode/utf8"

	"targon"
)

// FuzzChatRequest: whatever comes in, a body is refused as the user's mistake or
// becomes an order within bounds.
func FuzzChatRequest(f *testing.F) {
	for _, seed := range []string{
		`{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":true,"stream_options":{"include_usage":true}}`,
		`{"model":"m","prompt":["a"],"max_tokens":5,"temperature":0.7,"top_p":0.9,"top_k":-1,"min_p":1}`,
		`{"model":"m","messages":[{"role":"developer","content":[{"type":"text","text":"é"}]}],"n":1e0}`,
		`{"model":null,"messages":null,"temperature":-0,"max_tokens":1e30}`,
		`[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]`,
		`{"a":"\"[[[[[[[[[[[[[[[[[[["}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, parse := range []func(body) (order, error){parseChat, parseText} {
			b, err := parseBody(raw)
			var o order
			if err == nil {
				o, err = parse(b)
			}
			if err != nil {
				if !errors.Is(err, errBody) {
					t.Fatalf("refused as something else than a bad body: %v", err)
				}
				continue
			}
			ok := o.model != "" && o.temperature >= 0 && o.temperature <= 2 && o.maxTokens <= targon.MaxOutputTokens &&
				len(o.messages) <= maxMessages && (len(o.prompts) == 0) != (len(o.messages) == 0) && o.n >= 1 && o.answers() <= maxAnswers &&
				!slices.ContainsFunc(o.prompts, func(s string) bool { return s == "" || !utf8.ValidString(s) })
			by := targon.Sampling{Temperature: o.temperature, TopK: o.topK, TopP: o.topP, MinP: o.minP}
			if !ok || by.Validate() != nil {
				t.Fatalf("accepted %q as %+v", raw, o)
			}
		}
	})
}

func TestDepth(t *testing.T) {
	for raw, want := range map[string]int{`1`: 0, `{}`: 1, `[{"a":[]}]`: 3, `"[["`: 0, `["\"[",[]]`: 2, `]]]]`: 0} {
		if got := depth([]byte(raw)); got != want {
			t.Errorf("%s: depth %d, want %d", raw, got, want)
		}
	}
}
