package evidence_test

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"targon"
	"targon/evidence"
)

var prover = targon.Hotkey{1}

func verdict(r targon.Reason) targon.Verdict {
	return targon.Verdict{Prover: prover, Outcome: r.Outcome(), Reason: r, Tokens: 64}
}

func after(matches, mismatches int) targon.Evidence {
	e := evidence.New(prover, 3)
	for range matches {
		e = evidence.Update(e, verdict(targon.ReasonEqual))
	}
	for range mismatches {
		e = evidence.Update(e, verdict(targon.ReasonMismatch))
	}
	return e
}

func TestUpdate(t *testing.T) {
	for _, c := range []struct {
		name                string
		matches, mismatches int
		want                targon.Evidence
	}{
		{"nothing", 0, 0, targon.Evidence{}},
		{"one match", 1, 0, targon.Evidence{Matches: 1, Tokens: 64, LogE: -100_006}},
		{"many matches", 10_000, 0, targon.Evidence{Matches: 10_000, Tokens: 640_000, LogE: -1_000_060_000}},
		{"one mismatch", 0, 1, targon.Evidence{
			Mismatches: 1, Tokens: 64, LogE: 9_210_340_371,
			Convicted: true, ConvictedAt: 64, Reason: targon.ReasonMismatch,
		}},
		{"the last number of matches that one mismatch outweighs", 20_793, 1, targon.Evidence{
			Matches: 20_793, Mismatches: 1, Tokens: 20_794 * 64, LogE: 9_210_340_371 - 20_793*100_006,
			Convicted: true, ConvictedAt: 20_794 * 64, Reason: targon.ReasonMismatch,
		}},
		{"one match more", 20_794, 1, targon.Evidence{
			Matches: 20_794, Mismatches: 1, Tokens: 20_795 * 64, LogE: 9_210_340_371 - 20_794*100_006,
		}},
		{"then the second convicts", 20_794, 2, targon.Evidence{
			Matches: 20_794, Mismatches: 2, Tokens: 20_796 * 64, LogE: 2*9_210_340_371 - 20_794*100_006,
			Convicted: true, ConvictedAt: 20_796 * 64, Reason: targon.ReasonMismatch,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.want.Prover, c.want.Month = prover, 3
			if diff := cmp.Diff(c.want, after(c.matches, c.mismatches)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestThreshold: 1250 in logarithm convicts, one billionth less does not.
func TestThreshold(t *testing.T) {
	for _, c := range []struct {
		before    int64
		convicted bool
	}{{7_130_898_831 - 9_210_340_371, true}, {7_130_898_830 - 9_210_340_371, false}} {
		e := evidence.New(prover, 0)
		e.LogE = c.before
		if got := evidence.Update(e, verdict(targon.ReasonTermination)); got.Convicted != c.convicted {
			t.Errorf("at %d: convicted %v", got.LogE, got.Convicted)
		}
	}
}

// TestConstants: the fixed-point logarithms lie on the prover's side of the real ones.
func TestConstants(t *testing.T) {
	match, mismatch := after(1, 0).LogE, after(0, 1).LogE
	for _, c := range []struct {
		name string
		nano int64
		real float64 // of 1e9 × ln, to 1e-3
	}{
		{"match", match, 1e9 * math.Log1p(-1e-4)},
		{"mismatch", mismatch, 1e9 * math.Log(1e4)},
	} {
		if d := c.real - float64(c.nano); d <= 0 || d >= 1 {
			t.Errorf("%s: %d against %v is not its floor", c.name, c.nano, c.real)
		}
	}
	// The bet is fair to the honest: E[factor] ≤ 1 at the assumed fault rate, exactly.
	p := big.NewRat(1, 100_000_000)
	q := new(big.Rat).Sub(big.NewRat(1, 1), p)
	e := new(big.Rat).Add(q.Mul(q, big.NewRat(9999, 10_000)), p.Mul(p, big.NewRat(10_000, 1)))
	if e.Cmp(big.NewRat(1, 1)) > 0 {
		t.Errorf("expected factor %v", e.FloatString(12))
	}
}

// TestNeutral: every other reason leaves the evidence as it was.
func TestNeutral(t *testing.T) {
	e := after(5, 0)
	for r := targon.ReasonNone; r <= targon.ReasonMargin+1; r++ {
		v := verdict(r)
		mismatch := r == targon.ReasonMismatch || r == targon.ReasonTermination
		matched := r == targon.ReasonEqual || r == targon.ReasonBuffered || r == targon.ReasonBufferedLone
		changes := matched || mismatch
		if got := evidence.Update(e, v).LogE - e.LogE; matched != (got < 0) || mismatch != (got > 0) {
			t.Errorf("%v: moves by %d", r, got)
		}
		if got := evidence.Update(e, v); (got != e) != changes {
			t.Errorf("%v: changes %v", r, got != e)
		}
		if v.Tally.Undecided = 1; evidence.Update(e, v) != e {
			t.Errorf("%v by margins: changes", r)
		}
	}
	undecided := verdict(targon.ReasonMismatch)
	undecided.Outcome = targon.Undecided
	if evidence.Update(e, undecided) != e {
		t.Error("an undecided mismatch counts")
	}
	foreign := verdict(targon.ReasonMismatch)
	foreign.Prover[0]++
	if evidence.Update(e, foreign) != e {
		t.Error("a verdict about another prover counts")
	}
}

func TestConvictionLastsTheMonth(t *testing.T) {
	e := after(2, 1)
	for range 50_000 {
		e = evidence.Update(e, verdict(targon.ReasonEqual))
	}
	if !e.Convicted || e.ConvictedAt != 3*64 || e.LogE > 7_130_898_831 {
		t.Errorf("good behaviour clears: %+v", e)
	}
	e = evidence.Update(e, verdict(targon.ReasonTermination))
	if e.Reason != targon.ReasonMismatch || e.ConvictedAt != 3*64 {
		t.Errorf("a later verdict rewrites the conviction: %+v", e)
	}
	if got := evidence.In(e, 3); got != e {
		t.Error("the same month starts anew")
	}
	for _, m := range []targon.Month{2, 4} {
		if got := evidence.In(e, m); got != evidence.New(prover, m) {
			t.Errorf("month %d: %+v", m, got)
		}
	}
}

func TestSaturation(t *testing.T) {
	e := evidence.New(prover, 0)
	e.LogE, e.Matches, e.Tokens = math.MinInt64+5, math.MaxUint64, math.MaxUint64-3
	e = evidence.Update(e, verdict(targon.ReasonEqual))
	if e.LogE != math.MinInt64 || e.Matches != math.MaxUint64 || e.Tokens != math.MaxUint64 || e.Convicted {
		t.Errorf("bottom: %+v", e)
	}
	e.LogE, e.Mismatches = math.MaxInt64-5, math.MaxUint64
	e = evidence.Update(e, verdict(targon.ReasonMismatch))
	if e.LogE != math.MaxInt64 || e.Mismatches != math.MaxUint64 || !e.Convicted {
		t.Errorf("top: %+v", e)
	}
	// Exactly at the edges nothing is lost.
	e = evidence.New(prover, 0)
	e.LogE, e.Tokens = math.MinInt64+100_006, math.MaxUint64-64
	if e = evidence.Update(e, verdict(targon.ReasonEqual)); e.LogE != math.MinInt64 || e.Tokens != math.MaxUint64 {
		t.Errorf("edge: %+v", e)
	}
	e.LogE = math.MaxInt64 - 9_210_340_371
	if e = evidence.Update(e, verdict(targon.ReasonMismatch)); e.LogE != math.MaxInt64 {
		t.Errorf("upper edge: %+v", e)
	}
}

// TestWorstNull simulates provers at the worst rate that the null allows: few months in a
// thousand accuse. Months are long (20,000 audited requests); since mismatches are
// so rare, the times between them are drawn instead of each request.
func TestWorstNull(t *testing.T) {
	const months, requests, rate = 200_000, 20_000, 1e-8
	rng := rand.New(rand.NewPCG(1, 2))
	accused := 0
	for range months {
		matches := int(math.Min(requests, math.Log(1-rng.Float64())/math.Log1p(-rate)))
		if matches < requests {
			e := evidence.New(prover, 0)
			e.LogE = -100_006 * int64(matches)
			if evidence.Update(e, verdict(targon.ReasonMismatch)).Convicted {
				accused++
			}
		}
	}
	if share := float64(accused) / months; share > 1.0/1250 || accused == 0 {
		t.Errorf("%d of %d months accused: %v", accused, months, share)
	}
}

// TestMaximumOfSupermartingale checks Ville's bound where it is nearly tight: requests
// without end, each a mismatch at the rate that the bet assumes, in a month so long
// that the stake is used up. The bound itself is what is promised.
func TestMaximumOfSupermartingale(t *testing.T) {
	const provers, rate = 400_000, 1e-8
	rng := rand.New(rand.NewPCG(3, 4))
	accused := 0
	for range provers {
		logE := int64(0)
		for logE > -30_000_000_000 { // from here not even three mismatches convict
			gap := math.Log(1-rng.Float64()) / math.Log1p(-rate)
			if gap > 300_000 {
				break
			}
			e := evidence.New(prover, 0)
			e.LogE = logE - 100_006*int64(gap)
			e = evidence.Update(e, verdict(targon.ReasonMismatch))
			if logE = e.LogE; e.Convicted {
				accused++
				break
			}
		}
	}
	if share := float64(accused) / provers; share > 1.0/1250 || share < 1e-5 {
		t.Errorf("%d of %d accused: %v", accused, provers, share)
	}
}

// TestOrder: the sums do not depend on the order of verdicts; conviction only comes
// from mismatches.
func TestOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		reasons := rapid.SliceOfN(rapid.SampledFrom([]targon.Reason{
			targon.ReasonEqual, targon.ReasonMismatch, targon.ReasonIncomplete, targon.ReasonNotDrawn,
		}), 0, 40).Draw(t, "reasons")
		one, two := evidence.New(prover, 0), evidence.New(prover, 0)
		for i := range reasons {
			one = evidence.Update(one, verdict(reasons[i]))
			two = evidence.Update(two, verdict(reasons[len(reasons)-1-i]))
		}
		if one.LogE != two.LogE || one.Tokens != two.Tokens || one.Matches != two.Matches {
			t.Fatalf("%+v, %+v", one, two)
		}
		if one.Convicted && one.Mismatches == 0 {
			t.Fatal("convicted without a mismatch")
		}
	})
}

// Three thousand matching answers, one that did not come from the claimed model.
func Example() {
	e := evidence.New(targon.Hotkey{1}, 0)
	match := targon.Verdict{Prover: targon.Hotkey{1}, Outcome: targon.Passed, Reason: targon.ReasonEqual, Tokens: 64}
	for range 3000 {
		e = evidence.Update(e, match)
	}
	fmt.Printf("log e-value %.4f, convicted %v\n", float64(e.LogE)/1e9, e.Convicted)
	lie := targon.Verdict{Prover: targon.Hotkey{1}, Outcome: targon.Failed, Reason: targon.ReasonMismatch, Tokens: 64}
	e = evidence.Update(e, lie)
	fmt.Printf("log e-value %.4f, convicted %v after %d tokens\n", float64(e.LogE)/1e9, e.Convicted, e.ConvictedAt)
	fmt.Println("next month:", evidence.In(e, 1).Convicted)
	// Output:
	// log e-value -0.3000, convicted false
	// log e-value 8.9103, convicted true after 192064 tokens
	// next month: false
}
