package exact_test

import (
	"encoding/json"
	"errors"
	"math"
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

// TestField: integers may be written as floats, if they are one; what is wanted instead of
// another type is named.
func TestField(t *testing.T) {
	for raw, want := range map[string]int64{
		`16`: 16, `16.0`: 16, `1e3`: 1000, `-0.0`: 0, `-2.5e1`: -25, `9223372036854775807`: math.MaxInt64, `9007199254740992.0`: 1 << 53,
	} {
		var n int64
		if wanted, ok := exact.Field([]byte(raw), &n); !ok || n != want || wanted != "" {
			t.Errorf("%s: %d, %v, want %d", raw, n, ok, want)
		}
	}
	for _, c := range []struct {
		raw  string
		dst  any
		want string
	}{
		{`1.5`, new(int64), "an integer of 64 bits"},
		{`1e30`, new(int64), "an integer of 64 bits"},
		{`9007199254740994.0`, new(int64), "an integer of 64 bits"},
		{`"16"`, new(int64), "an integer of 64 bits"},
		{`16.0`, new(string), "a string"},
		{`1`, new(bool), "true or false"},
		{`"1"`, new(float64), "a number"},
		{`{}`, new([]json.RawMessage), "a list"},
		{`[]`, new(map[string]int), "an object"},
	} {
		if wanted, ok := exact.Field([]byte(c.raw), c.dst); ok || wanted != c.want {
			t.Errorf("%s into %T: %v, wanted %q, want %q", c.raw, c.dst, ok, wanted, c.want)
		}
	}
	var n float64
	if _, ok := exact.Field([]byte(`2.5`), &n); !ok || n != 2.5 {
		t.Errorf("2.5 is read as %v", n)
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
