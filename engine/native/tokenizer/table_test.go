package tokenizer

import (
	"testing"

	"pgregory.net/rapid"

	"targon"
	"targon/engine/native/gguf"
)

// textsOf returns texts as a file has them.
func textsOf(t interface{ Fatal(...any) }, texts []string) *gguf.Texts {
	var f gguf.File
	if err := f.Set("texts", texts); err != nil {
		t.Fatal(err)
	}
	list, _ := f.List("texts")
	out, ok := list.Texts()
	if !ok {
		t.Fatal("no texts")
	}
	return out
}

// TestMerges: it finds what a map finds, of several rewrites of one pair the first, and
// ranks rise.
func TestMerges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.Map(rapid.Int32Range(0, 6), func(i int32) targon.TokenID { return targon.TokenID(i) })
		some := rapid.Custom(func(t *rapid.T) rewrite { return rewrite{id.Draw(t, "left"), id.Draw(t, "right"), id.Draw(t, "id")} })
		all := rapid.SliceOfN(some, 0, 60).Draw(t, "rewrites")
		m, want, last := newMerges(len(all)), map[pair]targon.TokenID{}, -1
		for _, r := range all {
			m.add(r)
			p := pair{r.left, r.right}
			if _, there := want[p]; there {
				continue
			}
			want[p] = r.id
			if rank, _, _ := m.find(p); rank <= last {
				t.Fatalf("rank %d follows %d", rank, last)
			} else {
				last = rank
			}
		}
		for l := targon.TokenID(0); l <= 6; l++ {
			for r := targon.TokenID(0); r <= 6; r++ {
				_, got, ok := m.find(pair{l, r})
				if id, there := want[pair{l, r}]; ok != there || ok && got != id {
					t.Fatalf("%d and %d make %d, %v; want %d, %v", l, r, got, ok, id, there)
				}
			}
		}
	})
}

// TestTable: it finds what a map finds, the last of several of one text, and nothing else.
func TestTable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.RuneFrom([]rune("abé")), 0, 3, -1)
		texts := rapid.SliceOfN(text, 0, 60).Draw(t, "texts")
		x, want := newTable(textsOf(t, texts)), map[string]targon.TokenID{}
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
