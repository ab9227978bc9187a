package yuma

import "targon/yuma/fixed"

// medians is the consensus: for each column the weight that a majority of the stake
// supports, 0 where there is no stake.
func (m matrix) medians(stake []fixed.I32F32, majority fixed.I32F32) []fixed.I32F32 {
	out := make([]fixed.I32F32, len(m))
	var voters []int
	var votes []fixed.I32F32
	for i, x := range stake {
		if x > 0 {
			voters, votes = append(voters, i), append(votes, x)
		}
	}
	if len(voters) == 0 {
		return out
	}
	normalise(votes)
	scores := make([]fixed.I32F32, len(m)*len(voters)) // by column, 0 where no weight is set
	for k, i := range voters {
		for _, c := range m[i] {
			scores[c.col*len(voters)+k] = c.v
		}
	}
	total := sum(votes)
	q := newQuickMedian(votes)
	for j := range out {
		out[j] = q.of(scores[j*len(voters):][:len(voters)], total.Sub(majority), total)
	}
	return out
}

// quickMedian finds weighted medians by quick-select; it keeps its scratch space
// between columns.
type quickMedian struct {
	stake              []fixed.I32F32
	part, lower, upper []int
}

func newQuickMedian(stake []fixed.I32F32) *quickMedian {
	n := len(stake)
	return &quickMedian{stake, make([]int, 0, n), make([]int, 0, n), make([]int, 0, n)}
}

// of returns the score with at most minority of the stake below it and more than
// minority at it or below. The pivot is the middle of the part as it is ordered, and
// the edges lo and hi are carried along as the source does (math.rs
// weighted_median): both decide ties and the last unit.
func (q *quickMedian) of(score []fixed.I32F32, minority, hi fixed.I32F32) fixed.I32F32 {
	part := q.part[:0]
	for k := range score {
		part = append(part, k)
	}
	lower, upper := q.lower, q.upper
	lo := fixed.I32F32(0)
	for {
		pivot := score[part[len(part)/2]]
		if len(part) == 1 {
			return pivot
		}
		var below, above fixed.I32F32
		lower, upper = lower[:0], upper[:0]
		for _, k := range part {
			switch {
			case score[k] < pivot:
				below = below.Add(q.stake[k])
				lower = append(lower, k)
			case score[k] > pivot:
				above = above.Add(q.stake[k])
				upper = append(upper, k)
			}
		}
		switch {
		case minority < lo.Add(below) && len(lower) > 0:
			hi = lo.Add(below)
			part, lower = lower, part
		case hi.Sub(above) <= minority && len(upper) > 0:
			lo = hi.Sub(above)
			part, upper = upper, part
		default:
			return pivot
		}
	}
}
