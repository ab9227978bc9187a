package tokenizer

import (
	"math/bits"
	"math/rand/v2"

	"targon"
)

// A rewrite is one line of a list of merges: two tokens, and the one that they make.
type rewrite struct{ left, right, id targon.TokenID }

// A pair is two neighbours.
type pair struct{ left, right targon.TokenID }

// merges finds what pairs make, in half the memory that a map takes.
type merges struct {
	secret [2]uint64 // which keeps a file from choosing pairs that meet in one slot
	list   []rewrite // the sooner a pair is merged, the further in front
	slots  []uint32  // 0, or an index of the list and 1 under a part of the hash, as in a table
	bits   int       // of the index
}

func newMerges(n int) *merges {
	return &merges{
		secret: [2]uint64{rand.Uint64(), rand.Uint64() | 1},
		list:   make([]rewrite, 0, n), slots: make([]uint32, 2*n+2), bits: bits.Len(uint(n)),
	}
}

// hash multiplies and folds, as wyhash does (Wang Yi).
func (m *merges) hash(p pair) uint64 {
	hi, lo := bits.Mul64((uint64(uint32(p.left))<<32|uint64(uint32(p.right)))^m.secret[0], m.secret[1])
	hi, lo = bits.Mul64(hi^lo^m.secret[0], m.secret[1])
	return hi ^ lo
}

// place returns the slot where a pair is, or would be, what stands above the index there,
// and the index, -1 where it is not.
func (m *merges) place(p pair) (at int, tag uint32, index int) {
	hash := m.hash(p)
	tag = uint32(hash) << m.bits
	for at = slotOf(hash, len(m.slots)); m.slots[at] != 0; {
		slot := m.slots[at]
		if i := slot & (1<<m.bits - 1); slot^i == tag && m.list[i-1].left == p.left && m.list[i-1].right == p.right {
			return at, tag, int(i) - 1
		}
		if at++; at == len(m.slots) {
			at = 0
		}
	}
	return at, tag, -1
}

// add puts a rewrite behind those that are there, unless one of them is of the same pair.
func (m *merges) add(r rewrite) {
	if at, tag, index := m.place(pair{r.left, r.right}); index < 0 {
		m.list = append(m.list, r)
		m.slots[at] = tag | uint32(len(m.list))
	}
}

// find returns what a pair makes, and its rank.
func (m *merges) find(p pair) (rank int, id targon.TokenID, ok bool) {
	_, _, rank = m.place(p)
	if rank < 0 {
		return 0, absent, false
	}
	return rank, m.list[rank].id, true
}
