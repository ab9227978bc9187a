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
	return Answer{Tally: t, Bet: b.Of(t), Tokens: uint32(wide + near)}
}

func TestPoolFigures(t *testing.T) {
	b := table(t)
	p := Pool{answer(b, 60, 0, 4, 0), answer(b, 60, 3, 4, 0)}
	p[0].Tally.Undecided = 2
	if p.Tokens() != 128 || p.FlipRate() != 3.0/128 || p.UndecidedRate() != 2.0/128 || p.Power() != 0.5 {
		t.Errorf("%d ids, flips %v, undecided %v, power %v", p.Tokens(), p.FlipRate(), p.UndecidedRate(), p.Power())
	}
	p[0].Denied = true
	if p.Power() != 1 {
		t.Error("what is denied is not counted")
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

// TestWorstDraw: flips come as often as the bounds say, in each group.
func TestWorstDraw(t *testing.T) {
	b := table(t)
	x := answer(b, 500, 0, 40, 0)
	w := worstOf(x.Tally, b)
	near, wide := float64(b.Bound(targon.GapClassOf(5e-4)))/1e9, float64(b.Bound(targon.GapClassOf(1)))/1e9
	want := 40*near + 500*wide
	rng := rand.New(rand.NewPCG(1, 2))
	const n = 20_000
	sum := 0.0
	flip := float64(b.Of(targon.Tally{Ids: []targon.GapCount{{Class: targon.GapClassOf(5e-4), Flips: 1}}})[8])
	match := float64(b.Of(targon.Tally{Ids: []targon.GapCount{{Class: targon.GapClassOf(5e-4), Matches: 1}}})[8])
	clean := float64(w.clean[8])
	for range n {
		// Each near flip moves the process of rate 0.3 by flip - match.
		sum += (float64(w.draw(rng)[8]) - clean) / (flip - match)
	}
	if got := sum / n; math.Abs(got-want) > 5*math.Sqrt(want/n)+0.02*want {
		t.Errorf("%v flips an answer, want %v", got, want)
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
	if got := p.WorstMonths(b, 2000, 200, 1); got > 8 {
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
		p.WorstMonths(table, 64, 3600, 1)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/64/3600, "ns/answer")
}
