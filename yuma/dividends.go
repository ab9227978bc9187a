package yuma

import (
	"math"

	"targon"
	"targon/yuma/fixed"
)

// Key is what the division of dividends needs to know of a hotkey.
type Key struct {
	Coldkey    targon.Hotkey
	AlphaStake targon.Rao // its own on the subnet
	RootStake  targon.Rao // its own on root
	Take       uint16     // proportion of its dividends that its owner keeps
	ChildTake  uint16     // proportion of a parent's part that it keeps
	Parents    []Parent   // whose stake counts for it
	Children   []uint64   // what it lends to each child, of 2^64-1
}

// Parent is a hotkey that lends stake.
type Parent struct {
	Key        int    // index among the keys
	Proportion uint64 // of its stake, of 2^64-1
}

// Pending is what has gathered for those who judge since the last epoch.
type Pending struct {
	TaoWeight uint64
	Swapped   targon.Rao // the part of the emission that was sold for Tao
	Tao       targon.Rao
}

// Dividend is what one hotkey gets: its owner the take, all who stake on it the rest.
// The chain stores the rest as AlphaDividendsPerSubnet and TaoDividendsPerSubnet.
type Dividend struct{ Take, Rest targon.Rao }

// Divide shares what an epoch pays for judging among hotkeys and their parents: half
// the emission, or all of it where nobody earned for serving, less what was sold for
// Tao; and that Tao by root stake (run_coinbase.rs drain_pending_emission).
//
// The first keys are those of the neurons by UID; parents without a slot follow. A
// parent that is no key is left out.
func Divide(p Pending, emission targon.Rao, r Result, keys []Key) (alpha, tao []Dividend) {
	d := divider{keys: keys, weight: proportion64(p.TaoWeight)}
	due := make([]fixed.U96F32, len(keys))
	for i, paid := range r.DividendEmission {
		if i < len(keys) {
			d.lend(due, i, uint64(paid))
		}
	}
	local, root := make([]fixed.U96F32, len(keys)), make([]fixed.U96F32, len(keys))
	for i, k := range keys {
		stake, weighed := fixed.Amount(uint64(k.AlphaStake)), fixed.Amount(uint64(k.RootStake)).Mul(d.weight)
		root[i] = due[i].Mul(weighed.DivOrZero(stake.Add(weighed)))
		local[i] = due[i].Sub(root[i])
	}
	return d.share(local, judged(p, emission, r)), d.share(root, uint64(p.Tao))
}

// judged is what there is to divide in alpha.
func judged(p Pending, emission targon.Rao, r Result) uint64 {
	whole := uint64(emission)
	for _, paid := range r.IncentiveEmission {
		if paid != 0 {
			whole /= 2
			break
		}
	}
	return whole - min(whole, uint64(p.Swapped))
}

type divider struct {
	keys   []Key
	weight fixed.U96F32
}

// lend gives the parents of key i their parts of what it was paid, by the stake that
// each brought, and the key what remains. From the parent of another owner it keeps
// its take.
func (d divider) lend(due []fixed.U96F32, i int, paid uint64) {
	k := d.keys[i]
	left := fixed.Amount(1)
	for _, lent := range k.Children {
		left = left.Sub(proportion64(lent))
	}
	total := fixed.Amount(d.brings(i, left).Uint64())
	brought := make([]fixed.U96F32, len(k.Parents))
	for n, parent := range k.Parents {
		if parent.Key >= 0 && parent.Key < len(d.keys) {
			brought[n] = d.brings(parent.Key, proportion64(parent.Proportion))
			total = total.Add(brought[n])
		}
	}
	whole := fixed.Amount(paid)
	own := whole
	var kept fixed.U96F32
	for n, parent := range k.Parents {
		if brought[n] == (fixed.U96F32{}) {
			continue
		}
		part := whole.Mul(brought[n].DivOrZero(total))
		own = own.Sub(part)
		if d.keys[parent.Key].Coldkey != k.Coldkey {
			take := proportion16(k.ChildTake).Mul(part)
			part, kept = part.Sub(take), kept.Add(take)
		}
		due[parent.Key] = due[parent.Key].Add(fixed.Amount(part.Uint64()))
	}
	due[i] = due[i].Add(fixed.Amount(own.Add(kept).Uint64()))
}

// brings is a part of key i's own stake, that on root weighed.
func (d divider) brings(i int, part fixed.U96F32) fixed.U96F32 {
	k := d.keys[i]
	root := fixed.Amount(uint64(k.RootStake)).Mul(part).Mul(d.weight)
	return fixed.Amount(uint64(k.AlphaStake)).Mul(part).Add(root)
}

// share divides an amount in the ratio of parts.
func (d divider) share(parts []fixed.U96F32, amount uint64) []Dividend {
	var total fixed.U96F32
	for _, x := range parts {
		total = total.Add(x)
	}
	out := make([]Dividend, len(parts))
	for i, x := range parts {
		got := fixed.Amount(amount).Mul(x.DivOrZero(total))
		take := proportion16(d.keys[i].Take).Mul(got)
		out[i] = Dividend{targon.Rao(take.Uint64()), targon.Rao(got.Sub(take).Uint64())}
	}
	return out
}

func proportion16(n uint16) fixed.U96F32 {
	return fixed.Amount(uint64(n)).DivOrZero(fixed.Amount(math.MaxUint16))
}

func proportion64(n uint64) fixed.U96F32 {
	return fixed.Amount(n).DivOrZero(fixed.Amount(math.MaxUint64))
}
