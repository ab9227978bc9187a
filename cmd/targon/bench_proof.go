package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"targon/bench/trial"
	"targon/engine/native"
	"targon/engine/redteam"
	"targon/evidence"
)

// proofTrial is what targon bench proof is told.
type proofTrial struct {
	tokens     uint64
	pack       string
	page       string
	at         string
	cheats     []string
	seed       uint64
	asJSON     bool
	usual      func(tokens uint64) trial.Options
	model      func() []byte
	calibrated func() []byte // the pack of that model
}

// newBenchProofCommand measures how well cheats are caught. calibrated returns the
// built-in model's pack, or is nil where a build has none.
func newBenchProofCommand(calibrated func() []byte) *cobra.Command {
	return newProofTrial(proofTrial{usual: trial.Usual, model: builtinModel, calibrated: calibrated})
}

func newProofTrial(t proofTrial) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "proof",
		Short: "how soon cheats are convicted, how often the honest are, and what looking costs",
		Long: "Proof has every cheat of the red team answer challenges of the built-in model and judges the answers as a verifier does,\n" +
			"against the model's calibration pack. It measures how well a cheat is told from the honest, how many ids convict it,\n" +
			"in how many of thousands of months an honest prover on another stack is convicted, and what an audit costs.\n" +
			"What takes more ids than --tokens is not shown. Cheats: " + strings.Join(redteam.Names(), ", ") + ".",
		Example: "targon bench proof --json --tokens 12000",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return t.run(cmd) },
	}
	f := cmd.Flags()
	f.BoolVar(&t.asJSON, "json", false, "print one JSON object")
	f.Uint64Var(&t.tokens, "tokens", 12_000, "`ids` that each cheat gives; from 100000 on the honest part is larger, too")
	f.StringVar(&t.pack, "pack", "", "calibration pack `file` (default: the built-in model's own)")
	f.StringSliceVar(&t.cheats, "cheat", nil, "`names` of cheats to try, commas between them (default: all)")
	f.Uint64Var(&t.seed, "seed", 0, "chooses prompts and streams; 0: always the same")
	f.StringVar(&t.page, "page", "", "also write proof.md and its plots into this `folder`")
	f.StringVar(&t.at, "at", "", "`commit` that the page names")
	return cmd
}

func (t proofTrial) run(cmd *cobra.Command) error {
	if t.tokens < 500 {
		return fmt.Errorf("--tokens %d: want at least 500", t.tokens)
	}
	for _, name := range t.cheats {
		if redteam.Describe(name) == "" || name == redteam.Foreign {
			return fmt.Errorf("--cheat %q: choose from %s", name, strings.Join(redteam.Names(), ", "))
		}
	}
	desk, err := t.desk()
	if err != nil {
		return err
	}
	o, began := t.usual(t.tokens), time.Now()
	o.Cheats = t.cheats
	if t.seed != 0 {
		o.Seed = t.seed
	}
	o.Note = func(what string) {
		fmt.Fprintf(cmd.ErrOrStderr(), "targon: %v: %s\n", time.Since(began).Round(time.Second), what)
	}
	report, err := desk.Run(cmd.Context(), o)
	if err != nil {
		return err
	}
	if t.page != "" {
		if err := report.WritePage(t.page, t.environment(began)); err != nil {
			return err
		}
	}
	if t.asJSON {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(report)
	}
	return report.WriteTable(cmd.OutOrStdout())
}

// read returns the pack that everything is held against.
func (t proofTrial) read() (evidence.Pack, error) {
	if t.pack == "" {
		if t.calibrated == nil || len(t.calibrated()) == 0 {
			return evidence.Pack{}, errors.New("--pack: this build has no pack of its own; targon calibrate makes one")
		}
		return evidence.ReadPack(bytes.NewReader(t.calibrated()))
	}
	f, err := os.Open(t.pack)
	if err != nil {
		return evidence.Pack{}, fmt.Errorf("--pack: %w", err)
	}
	defer func() { _ = f.Close() }()
	p, err := evidence.ReadPack(f)
	if err != nil {
		return p, fmt.Errorf("--pack %s: %w", t.pack, err)
	}
	return p, nil
}

// environment says where, when and of how much figures were made.
func (t proofTrial) environment(began time.Time) string {
	return fmt.Sprintf("%s %d ids a cheat; it took %v.", t.machine(began), t.tokens, time.Since(began).Round(time.Second))
}

// machine says where and when figures were made.
func (t proofTrial) machine(began time.Time) string {
	processor, load := "unknown processor", "unknown"
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(b)) {
			if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
				processor = strings.TrimSpace(value)
				break
			}
		}
	}
	if b, err := os.ReadFile("/proc/loadavg"); err == nil && len(strings.Fields(string(b))) >= 3 {
		load = strings.Join(strings.Fields(string(b))[:3], " ")
	}
	at := ""
	if t.at != "" {
		at = " at commit " + t.at
	}
	return fmt.Sprintf("%s%s. Machine: %d cores of %s, %s/%s, %s. Load averages at the end: %s.",
		began.UTC().Format(time.DateOnly), at, runtime.NumCPU(), processor, runtime.GOOS, runtime.GOARCH, runtime.Version(), load)
}

// desk makes the folder for the page, now and not when minutes of work wait for it, and
// loads what answers are judged by.
func (t proofTrial) desk() (*trial.Desk, error) {
	if t.page != "" {
		if err := os.MkdirAll(t.page, 0o755); err != nil {
			return nil, fmt.Errorf("--page: %w", err)
		}
	}
	m, err := native.Load(t.model())
	if err != nil {
		return nil, err
	}
	pack, err := t.read()
	if err != nil {
		return nil, err
	}
	return trial.NewDesk(m, pack)
}
