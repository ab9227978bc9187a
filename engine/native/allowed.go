package native

import (
	"math"
	"slices"

	"targon"
	"targon/engine/native/kernel"
	"targon/noise"
)

// A filter finds the ids that [targon.Sampling] allows. It is working memory of one
// goroutine; its zero value is ready.
//
// It looks at few ids closely, as a rule: at those of the highest logits, and at
// more of them if these do not do. What it returns is what sorting all ids and adding up
// their weights would give, to the bit.
type filter struct {
	kernel *kernel.Kernel // nil: the fastest
	logits []float32
	high   float32          // the highest of them
	floor  float32          // the lowest that min-p keeps
	kept   int              // how many it keeps
	ids    []targon.TokenID // a heap, then those taken from it, the first of them last
	heap   int              // how many are still in the heap
	keyed  []keyed          // while they are sorted
	head   []targon.TokenID // what a nucleus is a share of, by rising id
	exps   []float32
}

// allowed returns the ids that may be drawn, in no order, and the last of them in the
// order of falling logits, ties by rising id: whatever comes before it is allowed, too.
// The ids are good until the next call.
func (f *filter) allowed(logits []float32, by targon.Sampling) (ids []targon.TokenID, last targon.Scored) {
	if f.kernel == nil {
		f.kernel = fastest()
	}
	f.logits = logits
	f.keep(by)
	warm, k := by.Temperature > 0, f.kept
	if warm && by.TopK > 0 {
		k = int(min(uint32(k), by.TopK))
	}
	switch {
	case warm && by.TopP > 0:
		k = f.nucleus(k, by)
	case k == f.kept:
		f.gather(f.floor)
		return f.ids, f.scored(f.lowest())
	default:
		f.first(k, 1)
	}
	end := f.at(k - 1)
	return f.ids[len(f.ids)-k:], f.scored(end)
}

// keep finds the highest logit, and which min-p keeps.
func (f *filter) keep(by targon.Sampling) {
	f.high = f.logits[0]
	for i := 0; i < len(f.logits); i++ {
		if i += f.kernel.FirstAbove(f.logits[i:], f.high); i < len(f.logits) {
			f.high = f.logits[i]
		}
	}
	f.floor = float32(math.Inf(-1))
	if by.Temperature > 0 && by.MinP > 0 {
		limit := float64(f.high) + float64(by.Temperature*noise.Log(by.MinP))
		if f.floor = float32(limit); float64(f.floor) < limit {
			f.floor = math.Nextafter32(f.floor, float32(math.Inf(1)))
		}
	}
	f.kept = f.count(f.floor)
}

// below returns the number that those from a limit on are above.
func below(limit float32) float32 { return math.Nextafter32(limit, float32(math.Inf(-1))) }

// count returns how many logits are not below a limit.
func (f *filter) count(limit float32) int {
	if math.IsInf(float64(limit), -1) {
		return len(f.logits)
	}
	return f.kernel.Above(f.logits, below(limit))
}

// gather starts with the ids whose logits are not below a limit, by rising id.
func (f *filter) gather(limit float32) {
	f.ids = f.ids[:0]
	if n := f.count(limit); n > len(f.logits)/16 {
		for id, l := range f.logits {
			if l >= limit {
				f.ids = append(f.ids, targon.TokenID(id))
			}
		}
		return
	}
	for id := 0; id < len(f.logits); id++ {
		if id += f.kernel.FirstAbove(f.logits[id:], below(limit)); id < len(f.logits) {
			f.ids = append(f.ids, targon.TokenID(id))
		}
	}
}

// first makes a heap of so many ids of the highest logits that are kept, at least, and
// not many more if they can be had by a limit: it tries some, each twice as far below
// the highest.
func (f *filter) first(want int, distance float64) {
	limit := f.floor
	for range 40 {
		l := float32(float64(f.high) - distance)
		if 4*want >= f.kept || l <= f.floor {
			break
		}
		if f.count(l) >= want {
			limit = l
			break
		}
		distance *= 2
	}
	f.gather(limit)
	f.order()
}

// nucleus returns how many of the first k ids hold a share of TopP of their weight.
func (f *filter) nucleus(k int, by targon.Sampling) int {
	total := f.total(k, by)
	sum := 0.0
	for i := range k {
		if i >= len(f.ids) {
			f.first(4*i, 4*by.Temperature)
		}
		sum += f.weight(f.at(i), by)
		if sum >= float64(by.TopP*total.most) {
			return i + 1
		}
		if sum >= float64(by.TopP*total.least) { // too close to tell
			total = f.exactly(by)
			if sum >= float64(by.TopP*total.most) {
				return i + 1
			}
		}
	}
	return k // what the two sums were rounded to differs
}

// weight returns e^((logit - highest) / temperature).
func (f *filter) weight(id targon.TokenID, by targon.Sampling) float64 {
	return noise.Exp((float64(f.logits[id]) - float64(f.high)) / by.Temperature)
}

// A between is two bounds of a sum.
type between struct{ least, most float64 }

// few is up to how many weights are worked out one by one.
const few = 256

// total bounds the sum of the first k weights by rising id, and makes a heap of the ids
// that are most likely wanted.
func (f *filter) total(k int, by targon.Sampling) between {
	if k < f.kept {
		f.first(k, 1)
		f.at(k - 1)
		f.head = append(f.head[:0], f.ids[len(f.ids)-k:]...)
		slices.Sort(f.head)
		sum := 0.0
		for _, id := range f.head {
			sum += f.weight(id, by)
		}
		return between{sum, sum}
	}
	f.first(1, 4*by.Temperature)
	if k <= few || by.Temperature < 1e-6 {
		return f.exactly(by)
	}
	return f.nearly(by)
}

// exactly returns the sum of all weights that are kept, by rising id.
func (f *filter) exactly(by targon.Sampling) between {
	sum := 0.0
	for id, l := range f.logits {
		if l >= f.floor {
			sum += f.weight(targon.TokenID(id), by)
		}
	}
	return between{sum, sum}
}

// nearly bounds that sum, by exponentials in float32. With x an exponent, a weight is
// off by |x| times the rounding of x, three of 2^-24, and that of exp, some 2^-23. The
// mean of |x| under the weights is less than the entropy, since the largest weight is 1,
// and so less than ln 2^21, there being no more ids: all together 3e-6 of the sum. Weights
// beyond where exp stops, at e^-87, are nothing beside 1.
func (f *filter) nearly(by targon.Sampling) between {
	const off = 1e-5
	f.exps = resize(f.exps, piece)
	inverse := float32(1 / by.Temperature)
	var all kernel.Sums
	for part := range slices.Chunk(f.logits, piece) {
		w := weigh(f.kernel, f.exps, part, f.high, inverse)
		for i := 0; f.kept < len(f.logits) && i < len(part); i++ {
			if part[i] < f.floor {
				w[i] = 0
			}
		}
		f.kernel.AddTotal(&all, w)
	}
	sum := all.Total()
	return between{sum * (1 - off), sum * (1 + off)}
}

func (f *filter) scored(id targon.TokenID) targon.Scored {
	return targon.Scored{ID: id, Logit: f.logits[id]}
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
