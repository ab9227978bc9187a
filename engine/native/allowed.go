package native

import (
	"math"
	"slices"

	"targon"
	"targon/noise"
)

// A filter finds the ids that [targon.Sampling] allows. It is working memory of one
// goroutine; its zero value is ready.
type filter struct {
	logits []float32
	ids    []targon.TokenID // a heap, then those taken from it, the first of them last
	heap   int              // how many are still in the heap
	head   []targon.TokenID // what a nucleus is a share of, by rising id
}

// allowed returns the ids that may be drawn, in no order, and the last of them in the
// order of falling logits, ties by rising id: whatever comes before it is allowed, too.
// The ids are good until the next call.
func (f *filter) allowed(logits []float32, by targon.Sampling) (ids []targon.TokenID, last targon.Scored) {
	f.logits = logits
	warm := by.Temperature > 0
	high := f.keep(by)
	k := len(f.ids)
	if warm && by.TopK > 0 {
		k = int(min(uint32(k), by.TopK))
	}
	switch {
	case warm && by.TopP > 0:
		k = f.nucleus(k, high, by)
	case k == len(f.ids):
		return f.ids, f.scored(f.lowest())
	default:
		f.order()
	}
	end := f.at(k - 1)
	return f.ids[len(f.ids)-k:], f.scored(end)
}

// keep starts with the ids that min-p keeps, by rising id, and returns the highest logit.
func (f *filter) keep(by targon.Sampling) (high float64) {
	top := f.logits[0]
	for _, l := range f.logits {
		top = max(top, l)
	}
	high = float64(top)
	floor := math.Inf(-1)
	if by.Temperature > 0 && by.MinP > 0 {
		floor = high + float64(by.Temperature*noise.Log(by.MinP))
	}
	f.ids = f.ids[:0]
	for id, l := range f.logits {
		if float64(l) >= floor {
			f.ids = append(f.ids, targon.TokenID(id))
		}
	}
	return high
}

// nucleus returns how many of the first k ids hold a share of TopP of their weight.
func (f *filter) nucleus(k int, high float64, by targon.Sampling) int {
	weight := func(id targon.TokenID) float64 {
		return noise.Exp((float64(f.logits[id]) - high) / by.Temperature)
	}
	f.head = append(f.head[:0], f.ids...)
	f.order()
	if n := len(f.ids); k < n {
		f.at(k - 1)
		f.head = append(f.head[:0], f.ids[n-k:]...)
		slices.Sort(f.head)
	}
	total, sum := 0.0, 0.0
	for _, id := range f.head {
		total += weight(id)
	}
	enough := float64(by.TopP * total)
	for i := range k {
		if sum += weight(f.at(i)); sum >= enough {
			return i + 1
		}
	}
	return k // what the two sums were rounded to differs
}

func (f *filter) scored(id targon.TokenID) targon.Scored {
	return targon.Scored{ID: id, Logit: f.logits[id]}
}

// before reports whether a comes before b in the order.
func (f *filter) before(a, b targon.TokenID) bool {
	x, y := f.logits[a], f.logits[b]
	return x > y || x == y && a < b
}

func (f *filter) lowest() targon.TokenID {
	last := f.ids[0]
	for _, id := range f.ids {
		if f.before(last, id) {
			last = id
		}
	}
	return last
}

// order makes a heap of all ids (Williams and Floyd), the first of the order on top:
// few are taken as a rule, and sorting a large vocabulary takes longer.
func (f *filter) order() {
	f.heap = len(f.ids)
	for i := f.heap/2 - 1; i >= 0; i-- {
		f.sink(i)
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
