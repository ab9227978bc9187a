package trial

import (
	"math"
	"math/rand/v2"
	"testing"

	"targon"
	"targon/evidence"
)

// table is the bounds of a pack in which ids flip at gaps below 1e-3 only.
func table(t *testing.T) *evidence.Bets {
	t.Helper()
	p := evidence.NewPack()
	s := evidence.Stratum{MinTemperature: 0.5, MaxTemperature: 1.5, MaxLength: 256}
	for c := range targon.GapClass(targon.GapClasses) {
		d := evidence.Draws{Class: c, Draws: 1_000_000}
		switch edge := targon.GapClassOf(1e-3); {
		case c < edge-8:
			d.Flips = 300_000
		case c < edge:
			d.Flips = 10_000
		}
		s.Counts = append(s.Counts, d)
	}
	p.Strata = []evidence.Stratum{s}
	return p.Bets(0)
}

func answer(b *evidence.Bets, wide, wideFlips, near, nearFlips int) Answer {
	var t targon.Tally
	for i := range wide {
		t.Add(targon.GapClassOf(1), false, i < wideFlips)
	}
	for i := range near {
		t.Add(targon.GapClassOf(5e-4), false, i < nearFlips)
	}
	return Answer{Tally: t, Bet: b.Of(t), Bets: b, Tokens: uint32(wide + near)}
}

func TestPoolFigures(t *testing.T) {
	b := table(t)
	p := Pool{answer(b, 60, 0, 4, 0), answer(b, 60, 3, 4, 0)}
	p[0].Tally.Undecided = 2
	if p.Tokens() != 128 || p.FlipRate() != 3.0/128 || p.UndecidedRate() != 2.0/128 || p.Refused() != 0.5 {
		t.Errorf("%d ids, flips %v, undecided %v, refused %v", p.Tokens(), p.FlipRate(), p.UndecidedRate(), p.Refused())
	}
	p[0].Denied = true
	if p.Refused() != 1 {
		t.Error("what is denied is not counted")
	}
}

// TestPower: the threshold leaves one honest answer in a thousand above it.
func TestPower(t *testing.T) {
	b := table(t)
	var honest Pool
	for i := range 2000 {
		near := 0
		if i < 2 { // the third is the threshold
			near = 3
		}
		honest = append(honest, answer(b, 60, 0, 4, near))
	}
	honest[2] = answer(b, 60, 0, 4, 1)
	if got := Power(honest, Pool{honest[0], honest[2], honest[3], answer(b, 60, 3, 4, 0)}); got != 0.5 {
		t.Errorf("power %v, want half", got)
	}
	denied := honest[3]
	denied.Denied, denied.Reason = true, targon.ReasonTermination
	if got := Power(honest, Pool{denied}); got != 1 {
		t.Errorf("a contradiction is told in %v", got)
	}
	if Power(nil, honest) != 0 || Power(honest, nil) != 0 {
		t.Error("nothing has power")
	}
}

func TestAUC(t *testing.T) {
	b := table(t)
	honest, cheat := Pool{answer(b, 60, 0, 4, 1), answer(b, 64, 0, 0, 0)}, Pool{answer(b, 60, 3, 4, 0)}
	if got := AUC(honest, cheat, 300, 1); got != 1 {
		t.Errorf("AUC %v of a cheat that is plain to see", got)
	}
	if got := AUC(honest, honest, 300, 1); math.Abs(got-0.5) > 0.03 {
		t.Errorf("AUC %v of the honest against themselves", got)
	}
	if got := AUC(cheat, honest, 300, 1); got != 0 {
		t.Errorf("AUC %v the wrong way round", got)
	}
}

func TestCaught(t *testing.T) {
	b := table(t)
	cheat, honest := Pool{answer(b, 60, 3, 4, 0)}, Pool{answer(b, 60, 0, 4, 0)}
	if got := cheat.Caught(64, 1000, 1); got.Share != 1 || got.Mean != 64 || got.P95 != 64 {
		t.Errorf("a plain cheat: %+v", got)
	}
	if got := honest.Caught(64, 10_000, 1); got.Share != 0 || !math.IsInf(got.Mean, 1) {
		t.Errorf("an honest prover: %+v", got)
	}
	if got := (Pool{answer(b, 63, 1, 1, 0)}).Caught(64, 1000, 1); got.Share != 0 || got.Mean < 65 || got.Mean > 512 {
		t.Errorf("one flip an answer: %+v", got)
	}
}

// TestWorstFlips: flips come as often as the bounds say, in each group, wherever in a
// month one looks.
func TestWorstFlips(t *testing.T) {
	b := table(t)
	x := answer(b, 500, 0, 40, 0)
	w := worstOf(Pool{x, x, x}, 50, 1)
	near, wide := float64(b.Bound(targon.GapClassOf(5e-4)))/1e9, float64(b.Bound(targon.GapClassOf(1)))/1e9
	total := w.hazard[1]
	if want := -40*math.Log1p(-near) - 500*math.Log1p(-wide); math.Abs(total-want) > 1e-12 {
		t.Errorf("the answer's hazard is %v, want %v", total, want)
	}
	flip := b.Of(targon.Tally{Ids: []targon.GapCount{{Class: targon.GapClassOf(5e-4), Flips: 1}}})[8]
	match := b.Of(targon.Tally{Ids: []targon.GapCount{{Class: targon.GapClassOf(5e-4), Matches: 1}}})[8]
	rng := rand.New(rand.NewPCG(1, 2))
	const n = 40_000
	sum := 0.0
	for range n {
		at := rng.ExpFloat64()
		if at >= total {
			continue // no flip
		}
		// Each near flip moves the process of rate 0.3 by flip - match.
		sum += float64(w.answers[0].flipped(at, rng)[8]-w.clean[1][8]) / float64(flip-match)
	}
	want := 40*near + 500*wide
	if got := sum / n; math.Abs(got-want) > 5*math.Sqrt(want/n)+0.01*want {
		t.Errorf("%v flips an answer, want %v", got, want)
	}
}

// TestWorstMonthIsStepByStep: going from flip to flip convicts as often as drawing every
// id, answer by answer. A table with bounds that are too low stands for the null's, or
// hardly anybody would be convicted.
func TestWorstMonthIsStepByStep(t *testing.T) {
	b := table(t)
	p := Pool{answer(b, 60, 0, 4, 0), answer(b, 50, 0, 14, 0), answer(b, 40, 0, 0, 0)}
	const n, requests, times = 3000, 30, 5
	w := worstOf(p, requests, 1)
	for i := range w.answers { // the truth is far from the table
		for k := range w.answers[i].groups {
			w.answers[i].groups[k].p *= times
		}
	}
	sum := 0.0
	for i := range len(w.hazard) - 1 {
		w.hazard[i] = sum
		for _, g := range w.answers[i%len(p)].groups {
			sum += float64(g.n) * g.hazard()
		}
	}
	w.hazard[len(w.hazard)-1] = sum
	quick, slow := 0, 0
	for i := range uint64(n) {
		if w.month(requests, rand.New(rand.NewPCG(1, i))) {
			quick++
		}
		rng := rand.New(rand.NewPCG(2, i))
		var s evidence.Stream
		at := rng.IntN(len(p))
		for range requests {
			o := w.answers[at%len(p)]
			at++
			flips := make([]uint32, len(o.groups))
			for k, g := range o.groups {
				flips[k] = binomial(rng, g.n, g.p)
			}
			s.Add(o.bets.Of(o.tally(flips)))
			if s.LogE() >= logConvict {
				slow++
				break
			}
		}
	}
	share := float64(quick+slow) / (2 * n)
	if share < 0.05 || share > 0.95 {
		t.Fatalf("%d and %d of %d are convicted, which compares nothing", quick, slow, n)
	}
	if d := math.Abs(float64(quick - slow)); d > 5*math.Sqrt(2*n*share*(1-share)) {
		t.Errorf("%d of %d are convicted from flip to flip, %d step by step", quick, n, slow)
	}
}

// TestMonths: under the worst null next to nobody is convicted, and everybody when the
// bounds are far too low.
func TestMonths(t *testing.T) {
	b := table(t)
	p := Pool{answer(b, 60, 0, 4, 0), answer(b, 50, 0, 14, 0)}
	if got := p.Months(50, 100, 1); got != 0 {
		t.Errorf("%d months without a flip are convicted", got)
	}
	if got := p.WorstMonths(2000, 200, 1); got > 8 {
		t.Errorf("%d of 2000 months under the worst null are convicted", got)
	}
	if got := (Pool{answer(b, 60, 3, 4, 0)}).Months(50, 100, 1); got != 50 {
		t.Errorf("%d of 50 months of a cheat are convicted", got)
	}
}

func TestUpper95(t *testing.T) {
	for _, c := range []struct {
		k, n int
		want float64
	}{
		{0, 20_000, 1.4978e-4}, // 1 - 0.05^(1/n)
		{10, 20_000, 8.4793e-4},
		{5, 10, 0.77756}, // Clopper and Pearson's own chart
	} {
		if got := Upper95(c.k, c.n); math.Abs(got/c.want-1) > 1e-3 {
			t.Errorf("%d of %d: %v, want %v", c.k, c.n, got, c.want)
		}
	}
}

func BenchmarkMonth(b *testing.B) {
	t := &testing.T{}
	table := table(t)
	p := Pool{answer(table, 60, 0, 4, 0), answer(table, 50, 0, 14, 0)}
	for b.Loop() {
		p.WorstMonths(64, 3600, 1)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/64/3600, "ns/answer")
}
