package native

import (
	"math"
	"slices"

	"targon"
)

// before reports whether a comes before b in the order.
func (f *filter) before(a, b targon.TokenID) bool {
	x, y := f.logits[a], f.logits[b]
	return x > y || x == y && a < b
}

// heapIDs is up to how many ids are made a heap of. As a rule few are taken from it, and it is
// made sooner than ids are sorted; where there are more of them, many may be taken.
const heapIDs = 2048

// order makes a heap of all ids, which rise (Williams and Floyd), the first of the order on top;
// or it sorts them.
func (f *filter) order() {
	if len(f.ids) > heapIDs {
		f.sort()
		return
	}
	f.heap = len(f.ids)
	for i := f.heap/2 - 1; i >= 0; i-- {
		f.sink(i)
	}
}

// A keyed id is one with a number that rises as its logit does.
type keyed struct {
	key uint32
	id  targon.TokenID
}

// sortBits is how many bits of the keys a pass of sort looks at.
const sortBits = 11

// sort puts ids that rise into the order, the first of it last, by the digits of their keys
// (radix sort from the lowest on): equal ones stay as they were, the lower id last.
func (f *filter) sort() {
	f.heap = 0
	f.keyed = slices.Grow(f.keyed[:0], 2*len(f.ids))
	from, to := f.keyed[:len(f.ids)], f.keyed[len(f.ids):2*len(f.ids)]
	for i, id := range f.ids {
		bits := math.Float32bits(f.logits[id] + 0) // a zero has no sign in the order
		if bits>>31 != 0 {
			bits = ^bits
		} else {
			bits |= 1 << 31
		}
		from[len(from)-1-i] = keyed{bits, id}
	}
	for shift := 0; shift < 32; shift += sortBits {
		var place [1 << sortBits]int
		for _, k := range from {
			place[k.key>>shift&(1<<sortBits-1)]++
		}
		before := 0
		for i, n := range place {
			place[i] = before
			before += n
		}
		for _, k := range from {
			p := &place[k.key>>shift&(1<<sortBits-1)]
			to[*p] = k
			*p++
		}
		from, to = to, from
	}
	for i, k := range from {
		f.ids[i] = k.id
	}
}

// at returns the id of index i in the order, taking from the heap what comes up to it.
func (f *filter) at(i int) targon.TokenID {
	place := len(f.ids) - 1 - i
	for f.heap > place {
		f.heap--
		f.ids[0], f.ids[f.heap] = f.ids[f.heap], f.ids[0]
		f.sink(0)
	}
	return f.ids[place]
}

func (f *filter) sink(i int) {
	ids := f.ids[:f.heap]
	for {
		child := 2*i + 1
		if child >= len(ids) {
			return
		}
		if child+1 < len(ids) && f.before(ids[child+1], ids[child]) {
			child++
		}
		if !f.before(ids[child], ids[i]) {
			return
		}
		ids[i], ids[child] = ids[child], ids[i]
		i = child
	}
}
