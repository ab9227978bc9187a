package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"targon/evidence"
	"targon/node"
)

// newCalibrateCommand makes calibration packs.
func newCalibrateCommand() *cobra.Command {
	var path, out, prover, verifier string
	var positions, draws int
	var seed uint64
	cmd := &cobra.Command{
		Use:   "calibrate",
		Short: "make a calibration pack: how often honest answers of another stack differ",
		Long: "Calibrate has a model write texts, scores them on two stacks, and counts how often a seeded id of the one would\n" +
			"not have been that of the other, by how much it led. The pack that it writes is what verifiers judge provers on\n" +
			"that stack by. Stacks: " + strings.Join(node.Stacks(), ", ") + ".",
		Example: "targon calibrate --model m.gguf --prover " + node.StackForeign + " --out m.pack.json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if positions < 1000 {
				return fmt.Errorf("--positions %d: want at least 1000", positions)
			}
			if out == "" {
				return fmt.Errorf("--out: want a file to write to")
			}
			m, err := loadModel(path, builtinModel)
			if err != nil {
				return err
			}
			began := time.Now()
			step := max(positions/20, 1)
			next := step
			p, err := node.Calibrate(cmd.Context(), node.CalibrationConfig{
				Model: m, Prover: prover, Verifier: verifier, Positions: positions, Draws: draws, Seed: seed,
				Progress: func(n int) {
					if n >= next {
						next = n - n%step + step
						fmt.Fprintf(cmd.ErrOrStderr(), "targon: %d of %d positions, %v\n", n, positions, time.Since(began).Round(time.Second))
					}
				},
			})
			if err != nil {
				return err
			}
			b, err := encodePack(p)
			if err != nil {
				return err
			}
			if err := os.WriteFile(out, b, 0o644); err != nil {
				return fmt.Errorf("write pack: %w", err)
			}
			printPack(cmd, p)
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&path, "model", "", "GGUF file; empty: the built-in model")
	f.StringVar(&prover, "prover", node.StackForeign, "stack that answers")
	f.StringVar(&verifier, "verifier", node.StackNative, "stack that scores")
	f.StringVar(&out, "out", "", "file to write the pack to")
	f.IntVar(&positions, "positions", 400_000, "ids to score on both stacks; fewer take less time and make looser bounds")
	f.IntVar(&draws, "draws", node.UsualDraws, "noise drawn for each stratum, at least "+strconv.Itoa(evidence.MinDraws)+"; more make sharper bounds of rare flips")
	f.Uint64Var(&seed, "seed", 1, "chooses texts and noise")
	return cmd
}

// encodePack writes a pack with one class a line, so that versions can be compared.
func encodePack(p evidence.Pack) ([]byte, error) {
	b, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("encode pack: %w", err)
	}
	b = bytes.ReplaceAll(b, []byte(`{"class"`), []byte("\n{\"class\""))
	b = bytes.ReplaceAll(b, []byte(`{"min_temperature"`), []byte("\n{\"min_temperature\""))
	return append(b, '\n'), nil
}

// printPack says what a pack knows: for each stratum how often an id flips, and from
// which gap on next to none does.
func printPack(cmd *cobra.Command, p evidence.Pack) {
	for i, s := range p.Strata {
		var draws, flips uint64
		for _, c := range s.Counts {
			draws, flips = draws+c.Draws, flips+c.Flips
		}
		bets, floor := p.Bets(i), 0
		for c := range s.Counts {
			if bets.Bound(s.Counts[c].Class) > p.FloorPPB {
				floor = int(s.Counts[c].Class) + 1
			}
		}
		fmt.Fprintf(cmd.OutOrStdout(), "T %.2f-%.2f filtered %-5v up to %4d ids: %8d positions, %9d draws, %.5f %% flip, floor from class %d\n",
			s.MinTemperature, s.MaxTemperature, s.Filtered, s.MaxLength, s.Positions, draws, 100*float64(flips)/float64(draws), floor)
	}
}
