package proof

import (
	"math"

	"targon"
	"targon/noise"
)

// Where a filter's edge lies depends on the last digits of logits. If the difference of
// any two logits differs by at most a band b between prover and reference, then, in the
// reference's order,
//
//   - min-p may keep what lies up to b below its floor, and surely keeps what lies b above;
//   - top-k may keep what has fewer than k ids more than b above it, and surely keeps
//     what has fewer than k others no more than b below it;
//   - top-p may keep what has, more than b above it, less than its share, and surely keeps
//     what has less than its share among all others down to b below it, where the odds
//     of a share are e^(±b/T) times those that the request asks for.
//
// All six sets are heads of the order (source: own).

// edges returns how many of the ids at the head of p's list surely are allowed, and how
// many may be. All of the list means that ids below it may be as well.
func (r Replay) edges(by targon.Sampling, p targon.Position, vocab int) (core, outer int) {
	n, band := len(p.Top), r.band()
	if !by.Filtered() {
		return n, n
	}
	core, outer = n, n
	if by.MinP > 0 {
		floor := float64(p.Top[0].Logit) + float64(by.Temperature*noise.Log(by.MinP))
		outer = head(p.Top, floor-band)
		core = head(p.Top, floor+band)
	}
	if k := int(by.TopK); by.TopK > 0 && uint64(by.TopK) < uint64(vocab) && k <= n {
		outer = min(outer, head(p.Top, float64(p.Top[k-1].Logit)-band))
		next := p.Top[min(k, n-1)] // the first that is left out, or one that is no lower
		core = min(core, k, head(p.Top, math.Nextafter(float64(next.Logit)+band, math.Inf(1))))
	}
	if by.TopP > 0 {
		core, outer = r.nucleus(by, p, core, outer)
		if last := float64(p.Top[n-1].Logit); n < vocab { // who else is near the last is not listed
			core = min(core, head(p.Top, math.Nextafter(last+band, math.Inf(1))))
		}
	}
	return min(core, outer), outer
}

// Edges is what Margins makes of the filters at a position whose whole vocabulary is
// listed: how many ids at the head of the list surely are allowed, and how many may be.
// A winner between the two is [Edge].
func (r Replay) Edges(by targon.Sampling, p targon.Position) (core, outer int) {
	return r.edges(by, p, len(p.Top))
}

// head returns how many of the falling logits are at least as high.
func head(top []targon.Scored, logit float64) int {
	n := 0
	for n < len(top) && float64(top[n].Logit) >= logit {
		n++
	}
	return n
}

// nucleus narrows what the other filters leave to what top-p leaves.
func (r Replay) nucleus(by targon.Sampling, p targon.Position, core, outer int) (surely, maybe int) {
	n, band := len(p.Top), r.band()
	// sums[i] is the weight of the first i ids.
	sums := make([]float64, n+1)
	for i, s := range p.Top {
		sums[i+1] = sums[i] + noise.Exp((float64(s.Logit)-float64(p.Top[0].Logit))/by.Temperature)
	}
	most, least := noise.Exp(p.Drawn.Norm), sums[core]
	switch {
	case by.TopK == 0 && by.MinP == 0:
		least = most
	case outer < n:
		most = sums[outer]
	}
	odds, shift := (1-by.TopP)/by.TopP, noise.Exp(band/by.Temperature)
	high, low := most/(1+odds/shift), least/(1+float64(odds*shift))
	maybe = 0
	for i, above := 0, 0; i < outer; i++ {
		for float64(p.Top[above].Logit) > float64(p.Top[i].Logit)+band {
			above++
		}
		if !(sums[above] < high) {
			break
		}
		maybe = i + 1
	}
	for i, down := 0, 0; i < core; i++ {
		for down < n && float64(p.Top[down].Logit) >= float64(p.Top[i].Logit)-band {
			down++
		}
		others := sums[down] - (sums[i+1] - sums[i])
		if !(others < low) {
			break
		}
		surely = i + 1
	}
	return surely, maybe
}

// below reports whether an id below the list may be allowed, and whether it surely is.
func (r *race) below(p targon.Position, logit float32, core, outer int) (may, sure bool) {
	d := p.Drawn
	if d.Allowed == 0 {
		return true, true
	}
	if outer < len(p.Top) {
		return false, false
	}
	band := r.by.band()
	may = float64(logit) >= float64(d.Last.Logit)-band
	sure = core == len(p.Top) && float64(logit) >= float64(d.Last.Logit)+band
	return may, sure
}
