package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"targon/bench/speed"
)

// newBenchCommand returns the measurements that need nobody else's software.
func newBenchCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "measure this machine, and how well cheats are caught: engine, proof, comparators",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newBenchEngineCommand(nil), newBenchProofCommand(builtinPack), newBenchComparatorsCommand(builtinPack))
	return cmd
}

// newBenchEngineCommand measures the built-in engine on some models; nil: the usual ones.
func newBenchEngineCommand(subjects []speed.Subject) *cobra.Command {
	var asJSON bool
	var budget time.Duration
	cmd := &cobra.Command{
		Use:   "engine",
		Short: "how fast the built-in engine generates and scores",
		Long: "Engine runs the built-in model and a made-up one of 24 million weights in four number formats, with every\n" +
			"kernel of this machine, one and two threads, one sequence, 16 and 64. Speeds are ids in a second of CPU\n" +
			"time, medians of turns. Rows of one model and type whose kernels agree have one hash of logits.",
		Example: "targon bench engine --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if budget < 0 {
				return fmt.Errorf("--time %v: want a time", budget)
			}
			report, err := speed.Run(cmd.Context(), speed.Options{
				Budget: budget, Subjects: subjects,
				Note: func(what string) { fmt.Fprintf(cmd.ErrOrStderr(), "targon: measuring %s\n", what) },
			})
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(report)
			}
			return printSpeeds(cmd.OutOrStdout(), report)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&asJSON, "json", false, "print one JSON object")
	f.DurationVar(&budget, "time", 50*time.Second, "about how long to measure; every row is measured once at least")
	return cmd
}

func printSpeeds(out io.Writer, report speed.Report) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "model\ttype\tkernel\tthreads\tbatch\tdecode/CPU s\tscore/CPU s\tratio\tof peak\tdecode/s\tscore/s\tlogits\t")
	for _, r := range report.Rows {
		share := "-"
		if r.PeakShare > 0 {
			share = fmt.Sprintf("%.0f %%", 100*r.PeakShare)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%.0f\t%.0f\t%.1f\t%s\t%.0f\t%.0f\t%.8s\t\n",
			r.Model, r.Type, r.Kernel, r.Threads, r.Batch, r.Decode, r.Score, r.Ratio, share, r.DecodeWall, r.ScoreWall, r.Logits)
	}
	return w.Flush()
}
