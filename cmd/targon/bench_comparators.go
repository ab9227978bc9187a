package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"targon/bench/trial"
)

// newBenchComparatorsCommand measures the checks that Targon used before beside replay.
func newBenchComparatorsCommand(calibrated func() []byte) *cobra.Command {
	t := proofTrial{model: builtinModel, calibrated: calibrated}
	var answers int
	cmd := &cobra.Command{
		Use:   "comparators",
		Short: "what the checks of earlier Targon versions let pass, and whom they refuse",
		Long: "Comparators has honest and cheating engines answer the same requests, at temperature 1 and at 0, and counts how many\n" +
			"answers pass each check: replay of the draws, as a verifier does it, and the comparators of earlier Targon versions.",
		Example: "targon bench comparators --json",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return t.compare(cmd, answers) },
	}
	f := cmd.Flags()
	f.BoolVar(&t.asJSON, "json", false, "print one JSON object")
	f.IntVar(&answers, "answers", 32, "`answers` of each engine at each temperature")
	f.StringVar(&t.pack, "pack", "", "calibration pack `file` (default: the built-in model's own)")
	f.Uint64Var(&t.seed, "seed", 1, "chooses the prompts")
	f.StringVar(&t.page, "page", "", "also write comparators.md into this `folder`")
	f.StringVar(&t.at, "at", "", "`commit` that the page names")
	return cmd
}

func (t proofTrial) compare(cmd *cobra.Command, answers int) error {
	if answers < 1 || answers > 10_000 {
		return fmt.Errorf("--answers %d: want 1 to 10000", answers)
	}
	desk, err := t.desk()
	if err != nil {
		return err
	}
	began := time.Now()
	var all []trial.Methods
	for _, temperature := range []float64{1, 0} {
		fmt.Fprintf(cmd.ErrOrStderr(), "targon: answers at temperature %g\n", temperature)
		one, err := desk.Compare(cmd.Context(), trial.Comparison{Answers: answers, Temperature: temperature, Seed: t.seed})
		if err != nil {
			return err
		}
		all = append(all, one)
		if !t.asJSON {
			if err := one.Write(cmd.OutOrStdout()); err != nil {
				return err
			}
		}
	}
	if t.page != "" {
		if err := trial.WriteMethods(t.page, t.machine(began), all); err != nil {
			return err
		}
	}
	if t.asJSON {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]any{"rows": all})
	}
	return nil
}
