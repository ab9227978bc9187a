package tokenizer

import (
	"hash/maphash"
	"math/bits"
	"unsafe"

	"targon"
	"targon/engine/native/gguf"
)

// A table finds tokens by their text. It holds ids alone, a fraction of what a map of
// texts takes: vocabularies are large beside small models.
type table struct {
	texts *gguf.Texts // of all tokens, whether in the table or not
	seed  maphash.Seed
	// slots are 0, or an id and 1, in the lowest idBits; a part of the text's hash
	// stands above, so that hardly a text is looked at that is another. A third of
	// them, at least, are 0.
	slots  []uint32
	idBits int
}

func newTable(texts *gguf.Texts) *table {
	return &table{
		texts: texts, seed: maphash.MakeSeed(), slots: make([]uint32, slotsFor(texts.Len())),
		idBits: bits.Len(uint(texts.Len())),
	}
}

// slotsFor is how many slots so many entries have.
func slotsFor(n int) int { return n + n/2 + 2 }

// slotOf returns which of a number of slots is a hash's first.
func slotOf(hash uint64, slots int) int {
	hi, _ := bits.Mul64(hash, uint64(slots))
	return int(hi)
}

// place returns the slot where a text is, or would be, what stands above its
// id there, and whether it is there.
func (t *table) place(text string) (at int, tag uint32, found bool) {
	hash := maphash.String(t.seed, text)
	tag = uint32(hash) << t.idBits
	for at = slotOf(hash, len(t.slots)); t.slots[at] != 0; {
		slot := t.slots[at]
		id := slot & (1<<t.idBits - 1)
		if slot^id == tag && string(t.texts.At(int(id)-1)) == text {
			return at, tag, true
		}
		if at++; at == len(t.slots) {
			at = 0
		}
	}
	return at, tag, false
}

// add puts a token into the table, instead of one of the same text.
func (t *table) add(id targon.TokenID) {
	at, tag, _ := t.place(view(t.texts.At(int(id))))
	t.slots[at] = tag | uint32(id+1)
}

// find returns the token of a text.
func (t *table) find(text string) (targon.TokenID, bool) {
	at, _, found := t.place(text)
	if !found {
		return 0, false
	}
	return targon.TokenID(t.slots[at]&(1<<t.idBits-1)) - 1, true
}

// view returns bytes as a string without copying them, for as long as nobody changes them.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
