package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"targon"
	"targon/chain/subtensor"
	"targon/engine/native"
	"targon/node"
	"targon/prover"
)

// proverFlags are the prover's own.
type proverFlags struct {
	*roleFlags
	axon            *axonFlags
	capacity        int
	permitOnly      bool
	unregistered    bool
	endpoint        string
	acceptAsWritten acceptedFlags
}

func newProverCommand() *cobra.Command { return newProverCommandWith(realWalletOutside()) }

func newProverCommandWith(o walletOutside) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "prover",
		Short: "serve a model to verifiers, for pay",
		Long: `Prover serves a model with the built-in engine to the verifiers of a subnet, until it is told to end. It needs a
registered hotkey (targon chain register), never a coldkey, and tells the chain where it is.

Every flag is also a key of the file that --config names and a variable: --axon.port is axon.port and
TARGON_AXON_PORT. Flags come before variables and those before the file.

GET /readyz on its address answers 200 when it is ready and 503 with the reason when not. On SIGTERM it takes
nothing new and finishes what is under way for as long as --grace says.

` + exitStatuses,
		Example: `  targon prover --wallet.name default --wallet.hotkey default --axon.external_ip 203.0.113.7 --model model.gguf
  targon prover --subtensor.network local --wallet.dev //Bob --axon.ip 127.0.0.1`,
		Args: cobra.NoArgs,
	}
	p := &proverFlags{roleFlags: bindRole(cmd, "prover"), axon: bindAxon(cmd)}
	f := cmd.Flags()
	f.IntVar(&p.capacity, "capacity", 0, "`requests` answered at once (default 8)")
	f.BoolVar(&p.permitOnly, "blacklist.force_verifier_permit", true, "of registered hotkeys, answer those with a validator permit only")
	f.BoolVar(&p.unregistered, "blacklist.allow_non_registered", false, "answer hotkeys that are not registered too")
	f.StringVar(&p.endpoint, "neuron.tgi_endpoint", "", "`URL` of an engine; comes later")
	p.acceptAsWritten.bindDatabase(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return p.run(cmd, o) }
	settled(cmd, o.lookup)
	return cmd
}

// check refuses what would be something else than was asked for.
func (p *proverFlags) check() error {
	switch {
	case p.endpoint != "":
		return errors.New("--neuron.tgi_endpoint: engines behind an address come in a later version; leave it out to serve --model with the built-in engine")
	case p.capacity < 0 || p.capacity > targon.MaxConcurrent:
		return fmt.Errorf("--capacity %d: want 1 to %d", p.capacity, targon.MaxConcurrent)
	case p.grace <= 0:
		return fmt.Errorf("--grace %s: want a positive time", p.grace)
	}
	return nil
}

func (p *proverFlags) run(cmd *cobra.Command, o walletOutside) (err error) {
	listen, external, err := p.axon.listen()
	if err == nil {
		err = p.check()
	}
	if err != nil {
		return usage(err)
	}
	log := p.logger(cmd)
	p.acceptAsWritten.warn(cmd, log)
	key, err := p.key(cmd, o)
	if err != nil {
		return usage(err)
	}
	dir, err := p.folder("prover", key.Hotkey())
	if err != nil {
		return err
	}
	c := node.ProverConfig{
		Key: key, Listen: listen, External: external, Capacity: p.capacity, Grace: p.grace, Log: log,
		Access: node.AccessRule{Registered: !p.permitOnly, Unregistered: p.unregistered},
	}
	if err := p.loadEngine(&c); err != nil {
		return usage(err)
	}
	c.State, err = prover.OpenState(dir)
	if errors.Is(err, prover.ErrState) { // damaged, and will be at the next start
		return usage(err)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.State.Close()) }()
	return p.serve(cmd.Context(), c, log)
}

// loadEngine opens the model.
func (p *proverFlags) loadEngine(c *node.ProverConfig) error {
	m, err := loadModel(p.model, builtinModel)
	if err != nil {
		return err
	}
	if c.Engine, err = native.New(m, native.Options{Kernel: os.Getenv(kernelVariable)}); err != nil {
		return err
	}
	c.Model, c.Weights, c.EOS = m.Name(), m.Digest(), m.EOS()
	return nil
}

// serve connects to the chain and serves until told to end, which is no error.
func (p *proverFlags) serve(ctx context.Context, c node.ProverConfig, log *slog.Logger) error {
	conf := p.chain.config()
	conf.Log = log
	client, err := conf.Connect() //nolint:contextcheck // it is closed below, after what ctx ended has said goodbye
	if err != nil {
		return usage(err) // it only reads the addresses
	}
	defer func() { _ = client.Close() }()
	c.Chain = subtensor.New(client, targon.NetUID(p.chain.netuid), c.Key)
	started, err := node.StartProver(ctx, c)
	if errors.Is(err, node.ErrUnregistered) {
		return fmt.Errorf("%w: targon chain register buys it a slot", err)
	}
	switch {
	case err != nil && ctx.Err() != nil: // told to end before it had begun
		return nil
	case err != nil:
		return p.chain.explain(ctx, conf, err)
	}
	log.InfoContext(ctx, "prover serves", "address", started.Address().String(), "hotkey", c.Key.Hotkey().String(), "model", c.Model, "weights", c.Weights.String())
	err = started.Run(ctx)
	log.InfoContext(ctx, "prover has ended")
	return err
}
