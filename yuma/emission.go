package yuma

import (
	"targon"
	"targon/yuma/fixed"
)

// shares are parts of one emission.
type shares struct {
	incentive, dividends []fixed.I32F32 // together they make up the whole
	combined             []fixed.I32F32 // what is stored and what prunes
}

// share divides the emission by incentive and dividends. If nobody earned either,
// validators get it by active stake, or by all stake if none is active.
func share(incentive, dividends, activeStake, stake []fixed.I32F32) shares {
	out := shares{
		incentive: append([]fixed.I32F32(nil), incentive...),
		dividends: append([]fixed.I32F32(nil), dividends...),
		combined:  make([]fixed.I32F32, len(incentive)),
	}
	for i := range out.combined {
		out.combined[i] = incentive[i].Add(dividends[i])
	}
	total := sum(out.combined)
	switch {
	case total != 0:
		divide(out.incentive, total)
		divide(out.dividends, total)
		divide(out.combined, total)
	case sum(activeStake) == 0:
		out.dividends, out.combined = stake, stake
	default:
		out.dividends, out.combined = activeStake, activeStake
	}
	return out
}

func amounts(parts []fixed.I32F32, emission targon.Rao) []targon.Rao {
	out := make([]targon.Rao, len(parts))
	for i, x := range parts {
		out[i] = targon.Rao(x.Of(uint64(emission)))
	}
	return out
}

// maxUpscale is the u16 form in which the largest value is 65535, rounded to the
// nearest (math.rs vec_max_upscale_to_u16, for values up to 32768).
func maxUpscale(x []fixed.I32F32) []uint16 {
	var top fixed.I32F32
	if len(x) > 0 {
		top = x[0]
	}
	for _, v := range x {
		top = max(top, v)
	}
	out := make([]uint16, len(x))
	for i, v := range x {
		scaled := v.Mul(fixed.FromUint16(65535))
		if top == 0 {
			out[i] = scaled.Uint16()
			continue
		}
		out[i] = scaled.DivOrZero(top).RoundUint16()
	}
	return out
}
