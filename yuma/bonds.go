package yuma

import (
	"targon"
	"targon/yuma/fixed"
)

// million is what bonds_moving_average is a part of.
const million = 1_000_000

// bonding is what bonds and dividends are made from.
type bonding struct {
	params      Params
	weights     matrix // with the penalty applied
	old         matrix // stored, in units of 1/65535
	consensus   []fixed.I32F32
	incentive   []fixed.I32F32
	activeStake []fixed.I32F32
}

// settle returns the new bonds as they are stored, and the dividends.
func (b bonding) settle() (matrix, []fixed.I32F32) {
	if b.params.Yuma3 {
		return b.settle3()
	}
	return b.settle2()
}

// settle2 is Yuma 2: the bonds to each neuron are shared out among validators, new
// ones by weight times stake.
func (b bonding) settle2() (matrix, []fixed.I32F32) {
	bought := b.weights.each(func(i int, c cell) fixed.I32F32 { return c.v.Mul(b.activeStake[i]) })
	bonds := moved(bought.shareColumns(), b.old.shareColumns(), b.params.alpha()).shareColumns()
	dividends := bonds.weighRows(b.incentive)
	normalise(dividends)
	return bonds.upscaleColumns(), dividends
}

// settle3 is Yuma 3: a bond is a proportion of its own that follows the weight, and
// stake counts in the dividends only.
func (b bonding) settle3() (matrix, []fixed.I32F32) {
	whole := fixed.FromUint16(65535)
	b.old = b.old.each(func(_ int, c cell) fixed.I32F32 { return c.v.DivOrZero(whole) })
	var bonds matrix
	if b.params.LiquidAlpha && anyNonZero(b.consensus) {
		bonds = b.liquid()
	} else {
		bonds = moved(b.weights, b.old, b.params.alpha())
	}
	earned := bonds.shareColumns().each(func(_ int, c cell) fixed.I32F32 {
		return c.v.Mul(b.incentive[c.col])
	})
	dividends := earned.sums()
	for i := range dividends {
		dividends[i] = dividends[i].MulOrZero(b.activeStake[i])
	}
	normalise(dividends)
	return bonds, dividends
}

// alpha is how far bonds move in one epoch: 1 - bonds_moving_average.
func (p Params) alpha() fixed.I32F32 {
	stays := fixed.FromUint64(p.BondsMovingAverage).DivOrZero(fixed.FromUint64(million))
	return fixed.One.Sub(stays.I32F32())
}

// moved is alpha × next + (1 - alpha) × old, without what is not positive.
func moved(next, old matrix, alpha fixed.I32F32) matrix {
	out := make(matrix, len(next))
	stays := fixed.One.Sub(alpha)
	dense := make([]fixed.I32F32, len(next))
	for i := range next {
		clear(dense)
		for _, c := range next[i] {
			dense[c.col] = dense[c.col].Add(alpha.Mul(c.v))
		}
		for _, c := range old[i] {
			dense[c.col] = dense[c.col].Add(stays.Mul(c.v))
		}
		out[i] = positive(dense)
	}
	return out
}

// liquid is moved with a rate of its own for each pair, limited to 0 … 1. A bond to
// a neuron without a weight is gone at once: only cells of the weights are written.
func (b bonding) liquid() matrix {
	n := len(b.weights)
	out := make(matrix, n)
	rate := b.params.liquidRate()
	weight, bond, kept := make([]fixed.I32F32, n), make([]fixed.I32F32, n), make([]fixed.I32F32, n)
	for i, row := range b.weights {
		walk(weight, row)
		walk(bond, b.old[i])
		clear(kept)
		spread(kept, b.old[i])
		for _, c := range row {
			alpha := rate.of(b.consensus[c.col], weight[c.col], bond[c.col])
			stays := fixed.One.Sub(alpha).Mul(kept[c.col])
			if v := min(stays.Add(max(alpha.Mul(c.v), 0)), fixed.One); v > 0 {
				out[i] = append(out[i], cell{c.col, v})
			}
		}
	}
	return out
}

// walk writes what the source sees of a row when it steps through the columns and
// the row side by side: a cell that stands after one of a higher column is not seen.
func walk(dense []fixed.I32F32, row []cell) {
	clear(dense)
	last := -1
	for _, c := range row {
		if c.col > last {
			dense[c.col], last = c.v, c.col
		}
	}
}

// liquidRate maps how far a weight is from consensus, or a bond from its weight, to
// a rate between low and high (run_epoch.rs alpha_sigmoid).
type liquidRate struct {
	low, high fixed.I32F32
	slope     fixed.I32F32 // negated
}

func (p Params) liquidRate() liquidRate {
	return liquidRate{
		low:   fixed.Proportion(p.AlphaLow),
		high:  fixed.Proportion(p.AlphaHigh),
		slope: fixed.FromInt16(p.AlphaSteepness).DivSat(fixed.FromInt16(-100)),
	}
}

func (r liquidRate) of(consensus, weight, bond fixed.I32F32) fixed.I32F32 {
	apart := weight.Sub(consensus) // buying
	if weight < bond {             // selling
		apart = bond.Sub(weight)
	}
	apart = clamp(apart, 0, fixed.One)
	power := fixed.ExpOrZero(r.slope.Mul(apart.Sub(fixed.One / 2)))
	sigmoid := fixed.One.DivSat(fixed.One.Add(power))
	return clamp(r.low.Add(sigmoid.Mul(r.high.Sub(r.low))), r.low, r.high)
}

// clamp lets the lower bound win where the bounds are crossed, as the source does.
func clamp(x, low, high fixed.I32F32) fixed.I32F32 { return max(min(x, high), low) }

func anyNonZero(x []fixed.I32F32) bool {
	for _, v := range x {
		if v != 0 {
			return true
		}
	}
	return false
}

// storedBonds is what is stored afterwards: the new row of who keeps or gets a
// permit, nothing for who lost it, and for all others what was there.
func (s State) storedBonds(permit []bool, bonds matrix) [][]Entry {
	out := make([][]Entry, len(bonds))
	for i, n := range s.Neurons {
		switch {
		case permit[i]:
			out[i] = make([]Entry, len(bonds[i]))
			for k, c := range bonds[i] {
				out[i][k] = Entry{targon.UID(c.col), c.v.Scale65535()}
			}
		case !n.Permit:
			out[i] = append([]Entry(nil), n.Bonds...)
		}
	}
	return out
}
