package localnet_test

import (
	"bytes"
	"path/filepath"
	"testing"

	"targon"
	"targon/evidence"
	"targon/ledger"
	"targon/localnet"
	"targon/model"
	"targon/node"
	"targon/verifier"
)

// packOf returns the built-in model's calibration pack.
func packOf(t *testing.T) evidence.Pack {
	t.Helper()
	p, err := evidence.ReadPack(bytes.NewReader(model.Pack()))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestForeignEarns: by margins an honest prover on other numerics passes and is paid, and
// cheats are convicted still; the ledger gives the same bets to who has the pack.
func TestForeignEarns(t *testing.T) {
	seed, dir, pack := uint64(3), t.TempDir(), packOf(t)
	r := run(t, localnet.Config{
		Model: builtin(t), Epochs: 1, Seed: &seed, Honest: 1, Cheats: []string{"foreign", "quantized", "wrong-seed", "smaller-model"},
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
