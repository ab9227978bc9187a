package kernel

import (
	"math"

	"targon/noise"
)

// A Contest is one draw: the id of the greatest logit + temperature × noise wins, noise
// being [noise.Place.Gumbel] of the id. It is looked through for ids that may win, since
// to work out the noise of all ids can take longer than to compute their logits.
//
// With h the hash of an id and u = (h + 1/2) / 2^32, noise is -ln(-ln(1-u)). As -ln(1-u)
// is at least u, noise is at most -ln u. With k = h/2 without its fraction, u is more than
// k / 2^31, so that -ln u is less than ln 2 × (31 - log2 k). The bits of k as a float32,
// read as an integer b, tell log2 k without a logarithm: b / 2^23 - 127 is the exponent e
// plus m where k = 2^e (1 + m), and log2(1+m) is at least m for m from 0 to 1. So noise is less
// than ln 2 × (158 - b / 2^23), by at most 0.06 more than -ln u is. Where k is 0, so is b,
// and the bound is above any noise.
//
// What is rounded: k, as a float32, which changes its log2 by less than 1e-7; then the
// difference d = b - 158 × 2^23, slope = -temperature × ln 2 / 2^23, and their product, which
// is at most 110 × temperature, each by less than a 2^-23th part: together less than 1e-4 × temperature.
// A slope too small to be a normal number loses up to 2^-149, times d less than 1e-35. So
// logit + product, exactly, exceeds what it bounds less 1e-4 × temperature and 1e-30; and
// as rounding keeps the order of numbers, it does so when sum and limit are rounded, or
// both are the same.
type Contest struct {
	place        noise.Place
	temperature  float64
	slope, limit float32
}

// exponent is 158 in the place of a float32's exponent.
const exponent = 158 << 23

// NewContest returns one in which any id may win.
func NewContest(place noise.Place, temperature float64) Contest {
	return Contest{
		place: place, temperature: temperature,
		slope: float32(-temperature * (math.Ln2 / (1 << 23))), limit: float32(math.Inf(-1)),
	}
}

// Raise leaves out ids that cannot come above a value, or only by what float64 rounds.
func (c *Contest) Raise(best float64) {
	// 1e-12 of it covers that values are rounded to float64.
	c.limit = float32(best - float64(1e-4*c.temperature) - 1e-30 - float64(1e-12*math.Abs(best)))
}

// May reports whether an id of a logit and a hash may come above the value raised to: what
// does is never left out.
func (c *Contest) May(logit float32, hash uint32) bool {
	d := int32(math.Float32bits(float32(int32(hash>>1)))) - exponent
	return logit+float32(float32(d)*c.slope) >= c.limit
}

// Contend looks for ids that may win among those whose logits are x, the first of which is
// id first: from an index on, a multiple of 16. It returns the index of the first group of 16
// that holds some, and which of it do as bits; len(x) and 0 if there is none.
func (k *Kernel) Contend(x []float32, first, from int, c *Contest) (group int, which uint32) {
	whole := len(x) / Lanes * Lanes
	if from < whole {
		if from, which = k.contend(x[:whole], first, from, c); which != 0 {
			return from, which
		}
	}
	if from < len(x) {
		which = contenders(x[from:], first+from, c)
	}
	if which == 0 {
		from = len(x)
	}
	return from, which
}

// portableContend is [Kernel.Contend] where there are only whole groups.
func portableContend(x []float32, first, from int, c *Contest) (group int, which uint32) {
	for ; from < len(x); from += Lanes {
		if which := contenders(x[from:from+Lanes], first+from, c); which != 0 {
			return from, which
		}
	}
	return from, 0
}

func contenders(x []float32, first int, c *Contest) (which uint32) {
	for i, l := range x {
		if c.May(l, c.place.Hash(uint32(first+i))) {
			which |= 1 << i
		}
	}
	return which
}
