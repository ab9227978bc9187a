package proof

import (
	"fmt"
	"math"

	"targon"
	"targon/noise"
)

// Surprise sums up how unlikely the claimed ids are against what drawing them as the
// request asks implies. The error is an [ErrReference].
//
// An id that the filters leave out is taken for as unlikely as its logit is: it is a
// margin's business that it is there at all. At temperature 0 nothing can surprise, and
// a reference that describes no draw measures nothing.
func Surprise(t targon.Transcript, s targon.Scores) (targon.Surprise, error) {
	if detail := unfit(t, s); detail != "" {
		return targon.Surprise{}, fmt.Errorf("%w: %s", ErrReference, detail)
	}
	temperature := t.Request.Sampling.Temperature
	if temperature == 0 {
		return targon.Surprise{}, nil
	}
	var out targon.Surprise
	for j, p := range s.Positions {
		d := p.Drawn
		if d == (targon.Draw{}) {
			return targon.Surprise{}, nil
		}
		high := float64(p.Top[0].Logit)
		unlikely := d.Norm + noise.Log(d.Kept) - (float64(p.Claimed.Logit)-high)/temperature
		excess := millionths(unlikely - d.Entropy)
		variance := millionths(d.Varentropy)
		if !(d.Kept > 0 && d.Kept <= 1+1e-6) || excess == none || variance == none || variance < 0 {
			return targon.Surprise{}, fmt.Errorf("%w: position %d: norm %v, kept %v, entropy %v, varentropy %v, claimed logit %v of %v",
				ErrReference, j, d.Norm, d.Kept, d.Entropy, d.Varentropy, p.Claimed.Logit, high)
		}
		out = out.Add(targon.Surprise{Tokens: 1, Excess: excess, Variance: variance})
	}
	return out, nil
}

const (
	// none is what millionths returns for what is no number.
	none = math.MinInt64
	// farthest bounds one id's part, in nats: at very low temperatures it has no end.
	farthest = 1 << 12
)

// millionths rounds to nearest even.
func millionths(x float64) int64 {
	if x != x {
		return none
	}
	return int64(math.RoundToEven(float64(1e6 * max(min(x, farthest), -farthest))))
}
