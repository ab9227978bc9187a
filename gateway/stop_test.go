package gateway

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestStopper: nothing of a sequence is shown, whatever pieces the text comes in, and
// nothing else is kept back for longer than it may begin one.
func TestStopper(t *testing.T) {
	for _, c := range []struct {
		name   string
		at     []string
		pieces []string
		shown  []string // after each piece, and at the end
		done   bool
	}{
		{"none", nil, []string{"a", "b"}, []string{"a", "b", ""}, false},
		{"in one piece", []string{"."}, []string{"a.b", "c"}, []string{"a", "", ""}, true},
		{"at the beginning", []string{"a"}, []string{"ab"}, []string{"", ""}, true},
		{"over pieces", []string{"end"}, []string{"the e", "n", "d is"}, []string{"the ", "", "", ""}, true},
		{"begun in vain", []string{"end"}, []string{"the e", "nt"}, []string{"the ", "ent", ""}, false},
		{"begun at the end", []string{"end"}, []string{"the en"}, []string{"the ", "en"}, false},
		{"the first of two", []string{"cd", "b"}, []string{"abcd"}, []string{"a", ""}, true},
		{"one within another", []string{"aab", "ab"}, []string{"xa", "ab"}, []string{"x", "", ""}, true},
		{"letters of more bytes", []string{"é!"}, []string{"né", "!"}, []string{"n", "", ""}, true},
	} {
		s := stopper{at: c.at}
		var got []string
		for _, p := range c.pieces {
			got = append(got, s.add(p))
		}
		if got = append(got, s.rest()); strings.Join(got, "|") != strings.Join(c.shown, "|") || s.done != c.done {
			t.Errorf("%s: %q, done %v, want %q, %v", c.name, got, s.done, c.shown, c.done)
		}
	}
}

// TestStopperCutsOnce: in any pieces, what is shown is the text up to where the first
// sequence to be complete begins; and if there is none, all of it.
func TestStopperCutsOnce(t *testing.T) {
	letters := rapid.StringOfN(rapid.SampledFrom([]rune("abé")), 0, 24, -1)
	rapid.Check(t, func(t *rapid.T) {
		pieces := rapid.SliceOfN(letters, 0, 6).Draw(t, "pieces")
		stops := rapid.SliceOfN(rapid.StringOfN(rapid.SampledFrom([]rune("abé")), 1, 4, -1), 0, 3).Draw(t, "stops")
		s, shown, all := stopper{at: stops}, "", strings.Join(pieces, "")
		for _, p := range pieces {
			shown += s.add(p)
		}
		shown += s.rest()
		if !strings.HasPrefix(all, shown) {
			t.Fatalf("%q is no beginning of %q", shown, all)
		}
		found := false
		for _, stop := range stops {
			if strings.Contains(shown, stop) {
				t.Fatalf("%q is shown, with %q in it", shown, stop)
			}
			found = found || strings.HasPrefix(all[len(shown):], stop)
		}
		if s.done != found || !s.done && shown != all {
			t.Fatalf("%q of %q is shown, done %v, stops %q", shown, all, s.done, stops)
		}
	})
}
