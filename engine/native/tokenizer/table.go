package tokenizer

import (
	"hash/maphash"

	"targon"
)

// A table finds tokens by their text. It holds ids alone, a fraction of what a map of
// texts takes: vocabularies are large beside small models.
type table struct {
	texts []string // of all tokens, whether in the table or not
	seed  maphash.Seed
	slots []int32 // 0 for none, or an id and 1; a power of two, half of it empty at least
}

func newTable(texts []string) *table {
	size := 2
	for size < 2*len(texts) {
		size *= 2
	}
	return &table{texts: texts, seed: maphash.MakeSeed(), slots: make([]int32, size)}
}

// slot returns where a text is, or would be.
func (t *table) slot(text string) int {
	last := len(t.slots) - 1
	i := int(maphash.String(t.seed, text)) & last
	for t.slots[i] != 0 && t.texts[t.slots[i]-1] != text {
		i = (i + 1) & last
	}
	return i
}

// add puts a token into the table, instead of one of the same text.
func (t *table) add(id targon.TokenID) { t.slots[t.slot(t.texts[id])] = int32(id) + 1 }

// find returns the token of a text.
func (t *table) find(text string) (targon.TokenID, bool) {
	id := t.slots[t.slot(text)] - 1
	return targon.TokenID(id), id >= 0
}
