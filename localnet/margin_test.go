package localnet_test

import (
	"math"
	"path/filepath"
	"testing"

	"targon"
	"targon/engine/native"
	"targon/evidence"
	"targon/ledger"
	"targon/localnet"
	"targon/node"
	"targon/noise"
	"targon/verifier"
)

// wide makes a pack of the built-in model for a stack whose logits are off by Gaussian
// noise of width 5e-4, some times that of foreign float32: counts as they would have
// fallen, since no test has the time to make a real one.
func wide(m *native.Model) evidence.Pack {
	const width, draws = 5e-4, 2e7
	p := evidence.NewPack()
	p.Model, p.Weights, p.Sampler = m.Name(), m.Digest(), noise.Targon.Usual().String()
	p.Prover, p.Verifier = node.StackForeign, node.StackNative
	var counts []evidence.Draws
	below := 0.0
	for c := range targon.GapClass(targon.GapClasses) {
		gap := math.Exp2(-20 + float64(c)/4) // the class's upper edge; gaps are nearly exponential
		upTo := 1 - math.Exp(-gap)
		if n := uint64(draws * (upTo - below)); n > 0 {
			counts = append(counts, evidence.Draws{Class: c, Draws: n, Flips: uint64(float64(n) * 0.5 * math.Erfc(gap*0.9/width/math.Sqrt2))})
		}
		below = upTo
	}
	for _, filtered := range []bool{false, true} {
		p.Strata = append(p.Strata, evidence.Stratum{
			MinTemperature: evidence.MinTemperature, MaxTemperature: 2.01, Filtered: filtered, MaxLength: uint32(m.Context()),
			Positions: 1, Seeds: 16, Counts: counts,
		})
	}
	return p
}

// TestForeignEarns: by margins an honest prover on other numerics passes and is paid, and
// cheats are convicted still; the ledger gives the same bets to who has the pack.
func TestForeignEarns(t *testing.T) {
	seed, dir, m := uint64(3), t.TempDir(), builtin(t)
	pack := wide(m)
	r := run(t, localnet.Config{
		Model: m, Epochs: 1, Seed: &seed, Honest: 1, Cheats: []string{"foreign", "quantized", "wrong-seed", "smaller-model"},
		AuditPPM: 700_000, Packs: []evidence.Pack{pack}, Dir: dir,
	})
	for _, p := range r.Provers {
		honest := p.Cheat == "" || p.Cheat == "foreign"
		switch {
		case honest && (p.Convicted || p.Weight == 0 || p.Passed == 0):
			t.Errorf("honest uid %d (%s): %+v", p.UID, p.Cheat, p)
		case !honest && (!p.Convicted || p.Weight != 0 || p.Reason != "margin"):
			t.Errorf("%s is not convicted: %+v", p.Cheat, p)
		}
	}
	l, err := ledger.Open(filepath.Join(dir, "ledger"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	nobody := func(targon.Block) (targon.Digest, bool) { return targon.Digest{}, false }
	if audit, err := verifier.Recheck(l.All(t.Context()), node.Policy(), nobody); err != nil || audit.Epochs == 0 {
		t.Errorf("recheck: %+v, %v", audit, err)
	}
	if bets, err := verifier.RecheckBets(l.All(t.Context()), pack); err != nil || bets.Same < 10 || bets.Unknown != 0 {
		t.Errorf("bets: %+v, %v", bets, err)
	}
}
