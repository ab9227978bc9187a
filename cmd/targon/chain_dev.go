package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"targon"
	"targon/chain/local"
	"targon/wallet"
)

type chainDevFlags struct {
	listen       string
	blockTime    time.Duration
	tempo        uint16
	netuid       uint16
	rateLimit    uint64
	commitReveal bool
	publicAxons  bool
	yuma3        bool
	liquidAlpha  bool
	data         string
	quiet        bool
}

// newChainDevCommand returns the development chain.
func newChainDevCommand() *cobra.Command {
	var f chainDevFlags
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "run a development chain that speaks Subtensor's JSON-RPC",
		Long: `Dev runs a chain of one node on this machine: one subnet, every block final at once,
no fees, an epoch of Yuma consensus every tempo. It speaks Substrate's JSON-RPC over
websocket and HTTP with Subtensor's names, so that Bittensor's and Polkadot's tools can
use it. The development accounts //Alice to //Three hold TAO; everybody knows their keys.
//Alice may change the subnet's settings by Sudo.sudo of AdminUtils' calls.

The chain is forgotten when it ends, unless --data names a file that keeps it; a later
run with the same settings goes on where it ended. Whoever can reach the address may use it.`,
		Example: `  targon chain dev
  targon chain dev --listen 127.0.0.1:9944 --block-time 12s --tempo 360
  targon chain register --subtensor.network local --netuid 4 --wallet.dev //Alice`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), cmd.OutOrStdout()) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.listen, "listen", "127.0.0.1:9944", "address to serve")
	fl.DurationVar(&f.blockTime, "block-time", 250*time.Millisecond, "time between blocks; 0 makes them as fast as clients can follow")
	fl.Uint16Var(&f.tempo, "tempo", 10, "blocks between two epochs, less one")
	fl.Uint16Var(&f.netuid, "netuid", 4, "number of the subnet")
	fl.Uint64Var(&f.rateLimit, "weights-rate-limit", 0, "blocks between two settings of weights")
	fl.BoolVar(&f.commitReveal, "commit-reveal", false, "weights must be committed and revealed")
	fl.BoolVar(&f.publicAxons, "public-axons", false, "refuse loopback axons, as the real chain does")
	fl.BoolVar(&f.yuma3, "yuma3", false, "bonds of Yuma 3")
	fl.BoolVar(&f.liquidAlpha, "liquid-alpha", false, "liquid alpha; with --yuma3")
	fl.StringVar(&f.data, "data", "", "file that keeps the chain")
	fl.BoolVarP(&f.quiet, "quiet", "q", false, "say nothing but errors")
	return cmd
}

// fastest is the pace of --block-time 0, 1,250 blocks a second: beyond it a call's life of
// 64 blocks would be over before the call arrives.
const fastest = 800 * time.Microsecond

func (f chainDevFlags) config() (local.Config, error) {
	switch {
	case f.blockTime < 0:
		return local.Config{}, fmt.Errorf("--block-time %v: want a time from 0", f.blockTime)
	case f.tempo == 0:
		return local.Config{}, errors.New("--tempo 0: want at least 1")
	case f.netuid == 0:
		return local.Config{}, errors.New("--netuid 0: that is the root network, want another number")
	case f.liquidAlpha && !f.yuma3:
		return local.Config{}, errors.New("--liquid-alpha: works with --yuma3 only")
	}
	accounts, err := devAccounts()
	if err != nil {
		return local.Config{}, err
	}
	return local.Config{
		NetUID: targon.NetUID(f.netuid), Tempo: targon.Blocks(f.tempo), BlockTime: max(f.blockTime, fastest), CatchUp: f.blockTime < fastest, Accounts: accounts,
		Sudo: accounts[0].Hotkey,
		Rules: local.Rules{
			RateLimit: targon.Blocks(f.rateLimit), CommitReveal: f.commitReveal, PublicAxons: f.publicAxons, PayStake: true,
			Yuma3: f.yuma3, LiquidAlpha: f.liquidAlpha, Burn: raoPerTAO / 10,
		},
	}, nil
}

// devAccounts are those of Subtensor's local network. Source:
// node/src/chain_spec/localnet.rs of opentensor/subtensor.
func devAccounts() ([]local.Account, error) {
	var out []local.Account
	for i, name := range strings.Fields("Alice Bob Charlie Dave Eve Ferdie One Two Three") {
		k, err := wallet.Dev("//" + name)
		if err != nil {
			return nil, fmt.Errorf("derive //%s: %w", name, err)
		}
		balance := targon.Rao(2_000 * raoPerTAO)
		if i < 3 {
			balance = 1_000_000 * raoPerTAO
		}
		out = append(out, local.Account{Hotkey: k.Address(), Balance: balance})
	}
	return out, nil
}

func (f chainDevFlags) run(ctx context.Context, out io.Writer) error {
	config, err := f.config()
	if err == nil {
		err = checkListen("listen", f.listen)
	}
	if err != nil {
		return usage(err)
	}
	chain, err := f.chain(config)
	if errors.Is(err, local.ErrJournal) {
		return usage(err)
	}
	if err != nil {
		return err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", f.listen)
	if err != nil {
		_ = chain.Close()
		return fmt.Errorf("listen for the chain's clients (choose another --listen): %w", err)
	}
	if !f.quiet {
		fmt.Fprintf(out, "development chain on ws://%s, subnet %d, a block every %v, an epoch every %d blocks\n", l.Addr(), f.netuid, config.BlockTime, f.tempo+1)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return chain.Run(ctx) })
	group.Go(func() error { return local.NewNode(chain).Serve(ctx, l) })
	return errors.Join(group.Wait(), chain.Close()) // nil after an interrupt, which is its normal end
}

func (f chainDevFlags) chain(config local.Config) (*local.Chain, error) {
	if f.data == "" {
		return local.New(config)
	}
	return local.Open(config, f.data)
}
