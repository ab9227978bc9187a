package tokenizer

import (
	"testing"

	"pgregory.net/rapid"

	"targon"
)

// TestTable: it finds what a map finds, the last of several of one text, and nothing else.
func TestTable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.RuneFrom([]rune("abé")), 0, 3, -1)
		texts := rapid.SliceOfN(text, 0, 60).Draw(t, "texts")
		x, want := newTable(texts), map[string]targon.TokenID{}
		for id := range texts {
			if rapid.Bool().Draw(t, "in") {
				x.add(targon.TokenID(id))
				want[texts[id]] = targon.TokenID(id)
			}
		}
		for _, s := range append(texts, text.Draw(t, "other")) {
			id, ok := x.find(s)
			if other, there := want[s]; ok != there || ok && id != other {
				t.Fatalf("%q is %d, %v; want %d, %v", s, id, ok, other, there)
			}
		}
	})
}
