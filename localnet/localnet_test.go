package localnet_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"targon"
	"targon/engine/native"
	"targon/ledger"
	"targon/localnet"
	"targon/model"
	"targon/node"
	"targon/verifier"
)

func TestMain(m *testing.M) {
	localnet.SpareScheduling()
	goleak.VerifyTestMain(m)
}

func builtin(t testing.TB) *native.Model {
	t.Helper()
	m, err := native.Load(model.GGUF())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// run lets a network come to its end.
func run(t *testing.T, c localnet.Config) localnet.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute) // on a machine that does other things too
	defer cancel()
	n, err := localnet.Start(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	waited := n.Wait(ctx)
	r, err := n.Close()
	if err := errors.Join(waited, err); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestTheCastIsFoundOut is the whole system in one test:
//
//   - three honest provers, one of them slow, and every cheat of the cast
//   - a verifier that knows nothing about them, a gateway, users
//   - one epoch
//   - every cheat ends convicted or with weight 0; no honest prover does
//   - the ledger, read again by who was not there, says the same
func TestTheCastIsFoundOut(t *testing.T) {
	seed, dir := uint64(1), t.TempDir()
	var progress bytes.Buffer
	r := run(t, localnet.Config{
		Model: builtin(t), Epochs: 1, Seed: &seed, Honest: 3, Cheats: localnet.Cheats(),
		AuditPPM: 500_000, Dir: dir, Progress: &progress,
	})
	for _, p := range r.Provers {
		switch {
		case p.Cheat == "" && (p.Convicted || p.Weight == 0):
			t.Errorf("honest uid %d: convicted %v, weight %d, reason %s", p.UID, p.Convicted, p.Weight, p.Reason)
		case p.Cheat != "" && !p.Caught():
			t.Errorf("%s is not found out: %+v", p.Cheat, p)
		case p.Cheat != "" && p.Incentive != 0:
			t.Errorf("%s is paid: %+v", p.Cheat, p)
		}
	}
	if len(r.Provers) != 10 || r.Epochs != 1 || r.Gateway.Requests == 0 || r.Generate <= 0 || r.Score <= r.Generate {
		t.Errorf("result: %+v", r)
	}
	if !strings.Contains(progress.String(), "first verified answer") {
		t.Errorf("progress tells no first verified answer:\n%s", progress.String())
	}
	recheck(t, dir, r)
}

// recheck replays the ledger alone and compares what was paid for.
func recheck(t *testing.T, dir string, r localnet.Result) {
	t.Helper()
	l, err := ledger.Open(filepath.Join(dir, "ledger"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	state, err := verifier.Replay(t.Context(), l, node.Policy())
	if err != nil {
		t.Fatal(err)
	}
	_, weights, ok := state.Weights()
	if !ok {
		t.Fatal("the ledger has no weights")
	}
	for _, p := range r.Provers {
		if got := weights.Of(p.UID); got != p.Weight {
			t.Errorf("uid %d: the ledger pays %d, the network said %d", p.UID, got, p.Weight)
		}
	}
}

// TestTheNetworksOwnFileIsNoCheat: whoever runs the claimed weights from a file of its
// own is honest, whatever it is called; and no honest company is convicted.
func TestTheNetworksOwnFileIsNoCheat(t *testing.T) {
	path := filepath.Join(t.TempDir(), "same.gguf")
	if err := os.WriteFile(path, model.GGUF(), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	c := localnet.Config{Model: builtin(t), Epochs: 1, Honest: 1, Cheats: []string{"model:" + path}, AuditPPM: 500_000, Dir: dir}
	first := run(t, c)
	again := run(t, c) // goes on where the first one ended
	for _, p := range again.Provers {
		if p.Convicted || p.Weight == 0 {
			t.Errorf("uid %d (%q): convicted %v, weight %d, reason %s", p.UID, p.Cheat, p.Convicted, p.Weight, p.Reason)
		}
	}
	if again.Provers[1].Cheat != "model:same.gguf" {
		t.Errorf("label is %q", again.Provers[1].Cheat)
	}
	c.Tempo = 7
	if _, err := localnet.Start(t.Context(), c); err == nil || !strings.Contains(err.Error(), "was made with other settings (--tempo, --commit-reveal)") {
		t.Errorf("with another tempo: %v", err)
	}
	if first.Epochs != 1 || again.Epochs != 2 || again.Blocks <= first.Blocks || again.Provers[0].Requests <= first.Provers[0].Requests {
		t.Errorf("the second run does not resume the first: %d epochs and %d blocks after %d and %d",
			again.Epochs, again.Blocks, first.Epochs, first.Blocks)
	}
}

// TestCommitReveal: where weights must be committed to and revealed, they are, and are
// paid for.
func TestCommitReveal(t *testing.T) {
	r := run(t, localnet.Config{Model: builtin(t), Epochs: 1, Honest: 1, AuditPPM: 500_000, BlockTime: 50 * time.Millisecond, CommitReveal: true})
	if p := r.Provers[0]; p.Weight != 65535 || p.Incentive != 65535 || r.Epochs != 1 {
		t.Errorf("after %d epochs: %+v", r.Epochs, p)
	}
}

// TestStartCanBeLeft: who interrupts a network before it stands leaves nothing behind,
// which TestMain looks for.
func TestStartCanBeLeft(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	dir := t.TempDir()
	_, err := localnet.Start(ctx, localnet.Config{Model: builtin(t), Honest: 1, AuditPPM: 500_000, BlockTime: time.Hour, Dir: dir})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Start ends with %v", err)
	}
	l, err := ledger.Open(filepath.Join(dir, "ledger")) // nobody has it open
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

func TestStartRefuses(t *testing.T) {
	m := builtin(t)
	for _, c := range []struct {
		name string
		give localnet.Config
		want string
	}{
		{"no model", localnet.Config{Honest: 1, AuditPPM: 1}, "no model"},
		{"no provers", localnet.Config{Model: m, AuditPPM: 1}, "no provers"},
		{"fewer than none", localnet.Config{Model: m, Honest: -1, Cheats: localnet.Cheats(), AuditPPM: 1}, "no provers"},
		{"a crowd", localnet.Config{Model: m, Honest: 65, AuditPPM: 1}, "65 provers in one process"},
		{"no audits", localnet.Config{Model: m, Honest: 1}, "audit rate"},
		{"more than all", localnet.Config{Model: m, Honest: 1, AuditPPM: 1_000_001}, "audit rate"},
		{"no time", localnet.Config{Model: m, Honest: 1, AuditPPM: 1, BlockTime: time.Microsecond}, "block time"},
	} {
		_, err := localnet.Start(t.Context(), c.give)
		if !errors.Is(err, localnet.ErrConfig) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// TestResultIsAnInterface: scripts read these names.
func TestResultIsAnInterface(t *testing.T) {
	line, err := json.Marshal(localnet.Result{Provers: []localnet.ProverResult{{UID: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	hotkey := targon.Hotkey{}.String()
	want := `{"epochs":0,"blocks":0,"model":"","provers":[{"uid":1,"hotkey":"` + hotkey + `","cheat":"","requests":0,"tokens":0,` +
		`"audited_tokens":0,"tokens_per_second":0,"passed":0,"failed":0,"undecided":0,"convicted":false,"reason":"",` +
		`"tokens_to_conviction":0,"score":0,"weight":0,"incentive":0}],"gateway":{"requests":0,"verified":0},` +
		`"generate_tokens_per_cpu_second":0,"score_tokens_per_cpu_second":0}`
	if string(line) != want {
		t.Errorf("result is\n%s\nwant\n%s", line, want)
	}
}

func ExampleProverResult_Caught() {
	r := localnet.Result{Epochs: 3, Blocks: 60, Model: "tiny", Provers: []localnet.ProverResult{
		{UID: 1, Passed: 20, Weight: 65535, AuditedTokens: 900},
		{UID: 2, Cheat: "replay", Failed: 20, Convicted: true, Reason: "mismatch", TokensToConviction: 80},
	}}
	for _, p := range r.Provers {
		fmt.Println(p.UID, p.Caught())
	}
	// Output:
	// 1 false
	// 2 true
}
