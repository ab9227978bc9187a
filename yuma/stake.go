package yuma

import (
	"math"
	"slices"

	"targon/yuma/fixed"
)

// active says who has set weights, or registered, recently enough.
func (s State) active(p Params) []bool {
	out := make([]bool, len(s.Neurons))
	for i, n := range s.Neurons {
		until := uint64(n.LastUpdate) + uint64(p.ActivityCutoff)
		if until < uint64(n.LastUpdate) {
			until = math.MaxUint64
		}
		out[i] = until >= uint64(p.Block)
	}
	return out
}

// stake is everybody's part of the stake that reaches the threshold. It is worked
// out in I64F64 and cut to 32 bits at the end.
func (s State) stake(p Params) []fixed.I32F32 {
	weight := fixed.Proportion64(p.TaoWeight)
	total := make([]fixed.I64F64, len(s.Neurons))
	var sum fixed.I64F64
	for i, n := range s.Neurons {
		tao := fixed.FromUint64(uint64(n.TaoStake)).Mul(weight)
		x := fixed.FromUint64(uint64(n.AlphaStake)).Add(tao)
		if x.Uint64() >= uint64(p.StakeThreshold) {
			total[i] = x
		}
		sum = sum.Plus(total[i])
	}
	out := make([]fixed.I32F32, len(total))
	for i, x := range total {
		if !sum.IsZero() {
			x = x.DivOrZero(sum)
		}
		out[i] = x.I32F32()
	}
	return out
}

// activeStake is the stake of those who are active and had a permit, shared out
// among them.
func (s State) activeStake(stake []fixed.I32F32, active []bool) []fixed.I32F32 {
	out := make([]fixed.I32F32, len(stake))
	for i, n := range s.Neurons {
		if active[i] && n.Permit {
			out[i] = stake[i]
		}
	}
	normalise(out)
	return out
}

// topNonZero marks the k largest values but never a zero. Of equal ones the later
// wins, because the source drops the first of a stable ascending order.
func topNonZero(x []fixed.I32F32, k int) []bool {
	out := make([]bool, len(x))
	order := make([]int, len(x))
	for i, v := range x {
		out[i], order[i] = v != 0, i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case x[a] < x[b]:
			return -1
		case x[a] > x[b]:
			return 1
		}
		return 0
	})
	for _, i := range order[:max(len(x)-k, 0)] {
		out[i] = false
	}
	return out
}

// sum wraps around, as the source's does.
func sum(x []fixed.I32F32) fixed.I32F32 {
	var total fixed.I32F32
	for _, v := range x {
		total += v
	}
	return total
}

// normalise divides by the sum, unless that is 0.
func normalise(x []fixed.I32F32) { divide(x, sum(x)) }

func divide(x []fixed.I32F32, by fixed.I32F32) {
	if by == 0 {
		return
	}
	for i, v := range x {
		x[i] = v.DivOrZero(by)
	}
}

// ratios is x ÷ y, 0 where y is 0.
func ratios(x, y []fixed.I32F32) []fixed.I32F32 {
	out := make([]fixed.I32F32, len(x))
	for i, v := range x {
		out[i] = v.DivOrZero(y[i])
	}
	return out
}

func proportions(x []fixed.I32F32) []uint16 {
	out := make([]uint16, len(x))
	for i, v := range x {
		out[i] = v.Scale65535()
	}
	return out
}
