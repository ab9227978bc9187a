package native

import (
	"targon"
	"targon/noise"
)

// position reads everything that is asked for out of one row of logits.
func (ws *workspace) position(
	logits []float32, claimed targon.TokenID, by targon.Sampling, top int, also []targon.TokenID,
) targon.Position {
	p := targon.Position{
		Claimed: targon.Scored{ID: claimed, Logit: logits[claimed]},
		Rank:    rank(ws.kernel, logits, claimed),
		Top:     highest(ws.kernel, logits, top),
	}
	for _, id := range also {
		p.Also = append(p.Also, targon.Scored{ID: id, Logit: logits[id]})
	}
	high := ws.weigh(logits, 1)
	warm := by.Temperature > 0
	if warm && by.Temperature == 1 && !by.Filtered() { // one look at the weights does for both
		p.Drawn = ws.moments(logits, high, 1)
		p.LogProb = (float64(p.Claimed.Logit) - float64(high)) - p.Drawn.Norm
		return p
	}
	p.LogProb = (float64(p.Claimed.Logit) - float64(high)) - noise.Log(ws.total(len(logits)))
	if warm {
		p.Drawn = ws.drawn(logits, high, by, p.Top)
	}
	return p
}

// drawn describes what a request above temperature 0 draws from; top is the head of the
// order, as far as it is known.
func (ws *workspace) drawn(logits []float32, high float32, by targon.Sampling, top []targon.Scored) targon.Draw {
	inverse := float32(min(1/by.Temperature, coldest))
	if inverse != 1 {
		ws.weigh(logits, inverse)
	}
	if !by.Filtered() {
		return ws.moments(logits, high, inverse)
	}
	n, last := ws.head(logits, by, top)
	all := ws.total(len(logits))
	for id, l := range logits { // only what is allowed weighs anything
		if l < last.Logit || l == last.Logit && targon.TokenID(id) > last.ID {
			ws.exps[id] = 0
		}
	}
	d := ws.moments(logits, high, inverse)
	norm := noise.Log(all)
	d.Kept = noise.Exp(d.Norm - norm)
	d.Norm, d.Allowed, d.Last = norm, uint32(n), last
	return d
}

// head returns how many ids the filters allow, and the last of them.
func (ws *workspace) head(logits []float32, by targon.Sampling, top []targon.Scored) (n int, last targon.Scored) {
	if by.TopP == 0 && by.MinP == 0 && uint64(by.TopK) <= uint64(len(top)) { // sorted already
		return int(by.TopK), top[by.TopK-1]
	}
	ids, last := ws.filter.allowed(logits, by)
	return len(ids), last
}

// coldest bounds 1/T, so that it is a float32. Below such temperatures the highest id
// takes it all.
const coldest = 1e30

// weigh fills exps with e^((logit - highest) × inverse) in float32 by the kernel, and
// returns the highest logit.
func (ws *workspace) weigh(logits []float32, inverse float32) (high float32) {
	n := copy(ws.exps, logits)
	for i := n; i < len(ws.exps); i++ {
		ws.exps[i] = logits[0] // padding, which is not summed
	}
	high = ws.kernel.Max(ws.exps)
	if inverse == 1 {
		ws.kernel.ExpSub(ws.exps, high)
		return high
	}
	for i, l := range ws.exps {
		ws.exps[i] = (l - high) * inverse
	}
	ws.kernel.ExpSub(ws.exps, 0)
	return high
}

// total returns the sum of the first n weights in float64, about 1e-7 from exact.
func (ws *workspace) total(n int) float64 { return ws.kernel.Total(ws.exps[:n]) }

// moments describes the distribution that the weights in exps make, as if it were all
// there is: with x the exponents, -ln p is Norm - x.
func (ws *workspace) moments(logits []float32, high, inverse float32) targon.Draw {
	sum, first, second := ws.kernel.Moments(ws.exps[:len(logits)], logits, high, inverse)
	mean := first / sum
	norm := noise.Log(sum)
	return targon.Draw{
		Norm: norm, Kept: 1,
		Entropy:    max(0, norm-mean),
		Varentropy: max(0, second/sum-float64(mean*mean)),
	}
}
