package native

import (
	"slices"

	"targon"
	"targon/engine/native/kernel"
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
	var high float32
	if top > 0 {
		high = p.Top[0].Logit
	} else {
		high = ws.kernel.Highest(logits)
	}
	warm := by.Temperature > 0
	if warm && by.Temperature == 1 && !by.Filtered() { // one look at the weights does for both
		p.Drawn = moments(ws.sums(logits, high, 1))
		p.LogProb = (float64(p.Claimed.Logit) - float64(high)) - p.Drawn.Norm
		return p
	}
	p.LogProb = (float64(p.Claimed.Logit) - float64(high)) - noise.Log(ws.total(logits, high))
	if warm {
		p.Drawn = ws.drawn(logits, high, by, p.Top)
	}
	return p
}

// drawn describes what a request above temperature 0 draws from; top is the head of the
// order, as far as it is known.
func (ws *workspace) drawn(logits []float32, high float32, by targon.Sampling, top []targon.Scored) targon.Draw {
	inverse := float32(min(1/by.Temperature, coldest))
	if !by.Filtered() {
		return moments(ws.sums(logits, high, inverse))
	}
	n, last := ws.head(logits, by, top)
	var all, kept kernel.Sums
	for from := 0; from < len(logits); from += piece {
		part := logits[from:min(from+piece, len(logits))]
		w := ws.weigh(part, high, inverse)
		ws.kernel.AddTotal(&all, w)
		for i, l := range part { // only what is allowed weighs anything
			if l < last.Logit || l == last.Logit && targon.TokenID(from+i) > last.ID {
				w[i] = 0
			}
		}
		ws.kernel.AddMoments(&kept, w, part, high, inverse)
	}
	d := moments(kept)
	norm := noise.Log(all.Total())
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

// piece is how much of a row of logits is weighed at a time, so that weights stay in the
// first-level cache. A multiple of 16.
const piece = 2048

// weigh returns e^((logit - high) × inverse) in float32, by the kernel, of up to a piece of a
// row, until the next call.
func (ws *workspace) weigh(part []float32, high, inverse float32) []float32 {
	return weigh(ws.kernel, ws.exps, part, high, inverse)
}

// weigh is that method with a kernel, into memory for a piece.
func weigh(k *kernel.Kernel, to, part []float32, high, inverse float32) []float32 {
	w := to[:kernel.Pad(len(part))]
	k.Exponents(w[:len(part)], part, high, inverse)
	clear(w[len(part):]) // padding, which is not summed
	k.ExpSub(w, 0)
	return w[:len(part)]
}

// total returns the sum of a row's weights at temperature 1 in float64, about 1e-7 from exact.
func (ws *workspace) total(logits []float32, high float32) float64 {
	var s kernel.Sums
	for part := range slices.Chunk(logits, piece) {
		ws.kernel.AddTotal(&s, ws.weigh(part, high, 1))
	}
	return s.Total()
}

// sums adds up a row's weights and their moments.
func (ws *workspace) sums(logits []float32, high, inverse float32) (s kernel.Sums) {
	for part := range slices.Chunk(logits, piece) {
		ws.kernel.AddMoments(&s, ws.weigh(part, high, inverse), part, high, inverse)
	}
	return s
}

// moments describes the distribution that weights make, as if it were all there is: with
// x the exponents, -ln p is Norm - x.
func moments(s kernel.Sums) targon.Draw {
	sum, first, second := s.Moments()
	mean := first / sum
	norm := noise.Log(sum)
	return targon.Draw{
		Norm: norm, Kept: 1,
		Entropy:    max(0, norm-mean),
		Varentropy: max(0, second/sum-float64(mean*mean)),
	}
}
