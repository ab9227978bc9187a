package serve_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"targon"
	"targon/engine/native/serve"
)

// TestStop: stop strings and ids end an answer where they occur in the answer that is
// not stopped, whole or in a stream, and the ids say all that was drawn.
func TestStop(t *testing.T) {
	h := serve.New(config(t)).Handler()
	base := func() map[string]any {
		return map[string]any{"prompt": "ab", "max_tokens": 60, "temperature": 1.5, "seed": 3, "return_token_ids": true}
	}
	whole := complete(t, h, base()).Choices[0]
	cut := len(whole.Text) / 2
	for !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz ", rune(whole.Text[cut])) {
		cut++
	}
	stop := whole.Text[cut : cut+2]
	at := strings.Index(whole.Text, stop)
	for _, include := range []bool{false, true} {
		body := base()
		body["stop"], body["include_stop_str_in_output"] = []string{"never there", stop}, include
		got := complete(t, h, body).Choices[0]
		want := whole.Text[:at]
		if include {
			want += stop
		}
		if got.Text != want || got.Finish != "stop" || got.Reason != stop {
			t.Errorf("include %v: %q, %s, %v; want %q", include, got.Text, got.Finish, got.Reason, want)
		}
		if n := len(got.IDs); n >= len(whole.IDs) || !slices.Equal(got.IDs, whole.IDs[:n]) {
			t.Errorf("ids %v are not the first of %v", got.IDs, whole.IDs)
		}
		if text, last := streamed(t, h, body); text != want || last != stop {
			t.Errorf("include %v: streamed %q until %v, want %q", include, text, last, want)
		}
	}
	body := base()
	id := whole.IDs[20]
	body["stop_token_ids"] = []targon.TokenID{id}
	got := complete(t, h, body).Choices[0]
	n := slices.Index(whole.IDs, id) + 1
	if !slices.Equal(got.IDs, whole.IDs[:n]) || got.Finish != "stop" || got.Reason != float64(id) {
		t.Errorf("stopped by id %d: %v, %s, %v", id, got.IDs, got.Finish, got.Reason)
	}
}

// streamed returns the text of a stream and why it ended.
func streamed(t *testing.T, h http.Handler, body map[string]any) (text string, reason any) {
	t.Helper()
	body["stream"] = true
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events(t, do(h, "POST", "/v1/completions", string(raw)).Body.String()) {
		text += e.Choices[0].Text
		reason = e.Choices[0].Reason
	}
	return text, reason
}
