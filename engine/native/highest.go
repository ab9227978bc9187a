package native

import (
	"cmp"
	"math"
	"slices"

	"targon"
	"targon/engine/native/kernel"
)

// rank counts, of ids from first on, those that a greedy sampler prefers to another: those
// with a higher logit, and those before it with the same.
func rank(by *kernel.Kernel, first int, logits []float32, than targon.Scored) uint32 {
	before := min(max(int(than.ID)-first, 0), len(logits))
	return uint32(by.Above(logits[:before], below(than.Logit)) + by.Above(logits[before:], than.Logit))
}

// fewOf is up to how many of the highest are kept sorted while ids go by; more are
// found by sorting all.
const fewOf = 64

// floor returns something that the k highest logits are not below, k being at most fewOf:
// the highest of parts of the row are as many different ones.
func floor(by *kernel.Kernel, logits []float32, k int) float32 {
	part := max(len(logits)/(2*k)/kernel.Lanes, 1) * kernel.Lanes // so that parts are twice as many, or more
	var high [4 * fewOf]float32
	n := 0
	for ; n < len(high) && (n+1)*part <= len(logits); n++ {
		high[n] = by.Max(logits[n*part : (n+1)*part])
	}
	if n < k {
		return float32(math.Inf(-1))
	}
	slices.Sort(high[:n])
	return high[n-k]
}

// highest returns the k highest logits, falling, ties by rising id.
func highest(by *kernel.Kernel, logits []float32, k int) []targon.Scored {
	k = min(k, len(logits))
	if k > fewOf {
		return sorted(logits)[:k:k]
	}
	return lead(by, nil, 0, logits, k)
}

// lead returns the k highest logits, at most fewOf, of the ids from first on and of those
// before, whose highest are best; falling, ties by rising id.
func lead(by *kernel.Kernel, best []targon.Scored, first int, logits []float32, k int) []targon.Scored {
	if k == 0 {
		return nil
	}
	if best == nil {
		best = make([]targon.Scored, 0, k)
	}
	var limit float32
	if len(best) < k {
		limit = below(floor(by, logits, k))
	} else {
		limit = best[k-1].Logit
	}
	for i := 0; ; i++ {
		i += by.FirstAbove(logits[i:], limit)
		if i == len(logits) {
			return best
		}
		v := logits[i]
		if len(best) < k {
			best = append(best, targon.Scored{})
		}
		at := len(best) - 1
		for ; at > 0 && best[at-1].Logit < v; at-- {
			best[at] = best[at-1]
		}
		best[at] = targon.Scored{ID: targon.TokenID(first + i), Logit: v}
		if len(best) == k {
			limit = best[k-1].Logit // on equality the lower id stays
		}
	}
}

func sorted(logits []float32) []targon.Scored {
	all := make([]targon.Scored, len(logits))
	for id, v := range logits {
		all[id] = targon.Scored{ID: targon.TokenID(id), Logit: v}
	}
	slices.SortFunc(all, func(a, b targon.Scored) int {
		return cmp.Or(cmp.Compare(b.Logit, a.Logit), cmp.Compare(a.ID, b.ID))
	})
	return all
}
