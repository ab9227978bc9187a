package exact_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"targon/wire/exact"
)

func TestText(t *testing.T) {
	for raw, want := range map[string]error{
		``:                        nil,
		`"a"`:                     nil,
		`"\ud83d\ude00"`:          nil,
		`"\\ud800"`:               nil, // a backslash, and then letters
		`"\uFFFD"`:                nil, // it is written
		"\"\xff\"":                exact.ErrUTF8,
		`"\ud83d"`:                exact.ErrSurrogate,
		`"\ud83d\u0041"`:          exact.ErrSurrogate,
		`"\ude00\ud83d"`:          exact.ErrSurrogate,
		`"\ud83d\ud83d\ude00"`:    exact.ErrSurrogate,
		`{"\udfff":1}`:            exact.ErrSurrogate,
		`"\ud83d`:                 exact.ErrSurrogate,
		`"\u12`:                   nil, // no JSON, which the decoder says
		`"\`:                      nil,
		`"\ud83d\ude00 \\\ud800"`: exact.ErrSurrogate,
	} {
		if err := exact.Text([]byte(raw)); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", raw, err, want)
		}
	}
}

// FuzzText: what is let through means the same text to encoding/json as it says.
func FuzzText(f *testing.F) {
	for _, seed := range []string{`"a"`, `"\ud83d\ude00"`, `"\ud83d"`, `"\ude00\ud83d"`, `"\\ud800"`, `"\ud83d\u0041"`, `"\ud83d`, "\"\xff\"", `"\`, `"\u12`, `"\uFFFD"`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var s string
		if exact.Text(raw) != nil || json.Unmarshal(raw, &s) != nil {
			return
		}
		said := strings.Count(string(raw), "\uFFFD") + strings.Count(strings.ToLower(string(raw)), `\ufffd`)
		if strings.Count(s, "\uFFFD") > said {
			t.Fatalf("%q is read as %q", raw, s)
		}
	})
}
