package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"targon/localnet"
	"targon/model"
)

// builtinModel returns the GGUF file inside the binary.
func builtinModel() []byte { return model.GGUF() }

// builtinPack returns the built-in model's calibration pack.
func builtinPack() []byte { return model.Pack() }

type upFlags struct {
	epochs    uint64
	seed      uint64
	json      bool
	provers   int
	cheats    []string
	auditRate float64
	proof     proofFlags
	bundles   string
	blockTime time.Duration
	tempo     uint16
	reveal    bool
	model     string
	listen    string
	data      string
	verbose   bool
}

func newUpCommand(started time.Time) *cobra.Command {
	var f upFlags
	cmd := &cobra.Command{
		Use:   "up",
		Short: "run a whole network on this machine: chain, provers, cheats, verifier, gateway, a user",
		Long: `Up runs a whole network in one process on the built-in model: a development chain,
honest and cheating provers, a verifier that finds out which is which, a gateway
that speaks the OpenAI protocol, a status page, and a user who chats all the time.

It runs until interrupted, or for as many epochs as --epochs says, and prints who
was caught, by what, and after how many tokens.`,
		Example: `  targon up
  targon up --epochs 3 --seed 7 --json
  targon up --provers 6 --cheats none
  targon up --cheats quantized,model:other.gguf
  targon up --proof margin --cheats foreign,q4_0,temp-0.9`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := f.config(cmd, started)
			if err != nil {
				return err
			}
			return up(cmd.Context(), c, f.json, cmd.OutOrStdout())
		},
	}
	fl := cmd.Flags()
	fl.Uint64Var(&f.epochs, "epochs", 0, "stop after this many epochs (0: run until interrupted)")
	fl.Uint64Var(&f.seed, "seed", 0, "fix every secret of the demonstration (default: random)")
	fl.BoolVar(&f.json, "json", false, "print the result as one JSON object on the last line of standard output")
	fl.IntVar(&f.provers, "provers", 3, "honest provers; of three or more the last runs at half speed")
	fl.StringArrayVar(&f.cheats, "cheats", nil, "cheats as a comma-separated list, repeatable: names, model:PATH.gguf, or none; foreign is honest on unlike hardware (default: a cast of seven)")
	fl.Float64Var(&f.auditRate, "audit-rate", 0.5, "share of the answers that are checked, 0 to 1")
	f.proof.bind(cmd)
	fl.StringVar(&f.bundles, "bundles", "", "`folder` for audited challenges that targon check checks again (default: none are kept)")
	fl.DurationVar(&f.blockTime, "block-time", 250*time.Millisecond, "time between blocks of the development chain")
	fl.Uint16Var(&f.tempo, "tempo", 11, "blocks between two payments, less one; also the least length of an epoch")
	fl.BoolVar(&f.reveal, "commit-reveal", false, "weights must be committed and revealed, as many subnets demand")
	fl.StringVar(&f.model, "model", "", "GGUF file to serve instead of the built-in model")
	fl.StringVar(&f.listen, "listen", "127.0.0.1:8080", "address of the gateway and the status page")
	fl.StringVar(&f.data, "data", "", "folder that keeps ledger and chain, so that a later run resumes (default: a temporary one)")
	fl.BoolVarP(&f.verbose, "verbose", "v", false, "log what every part does")
	return cmd
}

func (f upFlags) config(cmd *cobra.Command, started time.Time) (localnet.Config, error) {
	c := localnet.Config{
		Started: started, Epochs: f.epochs, Honest: f.provers, BlockTime: f.blockTime, Tempo: f.tempo, CommitReveal: f.reveal,
		Kernel: os.Getenv(kernelVariable), Cores: localnet.SpareScheduling(), Listen: f.listen, Dir: f.data, Bundles: f.bundles, Progress: cmd.ErrOrStderr(), Cheats: localnet.Cheats(),
	}
	if cmd.Flags().Changed("seed") {
		c.Seed = &f.seed
	}
	if f.auditRate < 0 || f.auditRate > 1 || f.auditRate != f.auditRate {
		return c, fmt.Errorf("--audit-rate %v: want a share from 0 to 1", f.auditRate)
	}
	c.AuditPPM = uint32(f.auditRate*1e6 + 0.5)
	if cmd.Flags().Changed("cheats") {
		names, err := localnet.SplitCheats(f.cheats)
		if err != nil {
			return c, fmt.Errorf("--cheats: %w", err)
		}
		c.Cheats = names
	}
	if f.verbose {
		c.Log = slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
	}
	var err error
	if c.Model, err = loadModel(f.model, builtinModel); err != nil {
		return c, err
	}
	c.Packs, err = f.proof.read(c.Model, builtinPack())
	return c, err
}

// live runs the network to its end. An interrupt is a normal one, also of a network that
// does not stand yet and has nothing to show.
func live(ctx context.Context, c localnet.Config) (localnet.Result, error) {
	net, err := localnet.Start(ctx, c)
	if err != nil && ctx.Err() != nil {
		return localnet.Result{Model: c.Model.Name(), Provers: []localnet.ProverResult{}}, nil
	}
	if err != nil {
		return localnet.Result{}, err
	}
	runErr := net.Wait(ctx)
	result, err := net.Close() //nolint:contextcheck // the network is put away although ctx has ended
	if runErr != nil && !errors.Is(runErr, context.Canceled) {
		return result, runErr
	}
	return result, err
}

// up runs the network and prints its result.
func up(ctx context.Context, c localnet.Config, asJSON bool, out io.Writer) error {
	result, err := live(ctx, c)
	if err != nil {
		return err
	}
	if !asJSON {
		return result.Table(out)
	}
	line, err := json.Marshal(result)
	if err != nil {
		return fmt.Errorf("encode the result: %w", err)
	}
	_, err = fmt.Fprintln(out, string(line))
	return err
}
