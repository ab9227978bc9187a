package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"targon"
	"targon/node"
	"targon/wire/desk"
)

// gatewayFlags are the gateway's own.
type gatewayFlags struct {
	*roleFlags
	endpoint, verifier string
	listen, keys       string
	health             string
	private            bool
	acceptAsWritten    acceptedFlags
}

func newGatewayCommand() *cobra.Command { return newGatewayCommandWith(realWalletOutside()) }

func newGatewayCommandWith(o walletOutside) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "gateway",
		Short: "serve users with the OpenAI protocol, for a verifier in another process",
		Long: `Gateway serves users with the OpenAI protocol until it is told to end. It holds none of its verifier's secrets: each
request is addressed and sealed at the verifier's desk (targon verifier --desk.listen), sent to a prover as if the
verifier had sent it, and brought back to be drawn and judged like a challenge. Its hotkey needs no slot on the subnet
and no stake, only a place in the verifier's --desk.allow. It talks to no chain.

Every flag is also a key of the file that --config names and a variable: --gateway.listen is gateway.listen and
TARGON_GATEWAY_LISTEN. Flags come before variables and those before the file.

GET /readyz on its address answers 200 when it is ready and 503 with the reason when not. While the verifier is away
users get 503 and Retry-After; what they were served before is kept in memory until the verifier takes it. On SIGTERM
answers under way are finished for as long as --grace says, and their records are brought for as long again.

` + exitStatuses,
		Example: `  targon gateway --verifier.endpoint 10.0.0.2:8093 --verifier.hotkey 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty \
    --wallet.name default --wallet.hotkey gateway --gateway.listen :8080 --gateway.keys gateway.keys --model model.gguf`,
		Args: cobra.NoArgs,
	}
	g := &gatewayFlags{roleFlags: bindBare(cmd, "gateway")}
	f := cmd.Flags()
	f.StringVar(&g.endpoint, "verifier.endpoint", "", "`address` of the verifier's desk: host:port, http://… or https://…")
	f.StringVar(&g.verifier, "verifier.hotkey", "", "SS58 `address` of the verifier's hotkey, whose signature alone counts")
	f.StringVar(&g.listen, "gateway.listen", "127.0.0.1:8080", "`address` that serves users")
	f.StringVar(&g.keys, "gateway.keys", "", "`file` of mode 0600 with a name and a key on each line")
	f.StringVar(&g.health, "health.listen", "", "`address` of GET /readyz and /metrics, for operators (default: none; /readyz is also on the users' address)")
	f.BoolVar(&g.private, "allow-private", false, "ask provers on this machine and on private networks too")
	g.acceptAsWritten.bindDatabase(cmd)
	g.acceptAsWritten.bindAxon(cmd)
	g.acceptAsWritten.bind(cmd, "a gateway asks its verifier, not the chain", "subtensor.network", "subtensor.chain_endpoint")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return g.run(cmd, o) }
	settled(cmd, o.lookup)
	return cmd
}

func (g *gatewayFlags) check() error {
	switch {
	case g.endpoint == "" || g.verifier == "":
		return errors.New("name the verifier with --verifier.endpoint and --verifier.hotkey")
	case g.keys == "":
		return errors.New("say with --gateway.keys who may come in")
	case g.grace <= 0:
		return fmt.Errorf("--grace %s: want a positive time", g.grace)
	}
	return nil
}

// config reads all that is read from files.
func (g *gatewayFlags) config(cmd *cobra.Command, o walletOutside) (node.FarGatewayConfig, error) {
	c := node.FarGatewayConfig{NetUID: targon.NetUID(g.chain.netuid), Listen: g.listen, Health: g.health, Private: g.private, Grace: g.grace}
	err := g.check()
	if err != nil {
		return c, err
	}
	if c.Endpoint, err = desk.ParseEndpoint(g.endpoint); err != nil {
		return c, fmt.Errorf("--verifier.endpoint: %w", err)
	}
	if c.Verifier, err = targon.ParseHotkey(g.verifier); err != nil {
		return c, fmt.Errorf("--verifier.hotkey: %w", err)
	}
	if c.Key, err = g.key(cmd, o); err != nil {
		return c, err
	}
	if c.Keys, err = gatewayKeys(g.keys); err != nil {
		return c, err
	}
	c.Model, err = loadModel(g.model, builtinModel)
	return c, err
}

func (g *gatewayFlags) run(cmd *cobra.Command, o walletOutside) error {
	log := g.logger(cmd)
	g.acceptAsWritten.warn(cmd, log)
	c, err := g.config(cmd, o)
	if err != nil {
		return usage(err)
	}
	c.Log = log
	return serveFar(cmd.Context(), c)
}

// serveFar serves until told to end, which is no error.
func serveFar(ctx context.Context, c node.FarGatewayConfig) error {
	g, err := node.StartFarGateway(ctx, c)
	if err != nil {
		return err
	}
	c.Log.InfoContext(ctx, "gateway serves", "address", g.Address().String(), "hotkey", c.Key.Hotkey().String(), "model", c.Model.Name(), "verifier", c.Verifier.String())
	err = g.Run(ctx)
	c.Log.InfoContext(ctx, "gateway has ended")
	if errors.Is(err, node.ErrOtherNetwork) {
		return usage(err)
	}
	return err
}
