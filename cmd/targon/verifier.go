package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"targon"
	"targon/chain/subtensor"
	"targon/engine/native"
	"targon/gateway"
	"targon/node"
	"targon/wallet"
)

// verifierFlags are the verifier's own.
type verifierFlags struct {
	*roleFlags
	epoch           uint32
	auditRate       float64
	repute          bool
	proof           proofFlags
	bundles         string
	userBundles     time.Duration
	blockTime       time.Duration
	pace            time.Duration
	private         bool
	gateway, keys   string
	desk            string
	gateways        []string
	health          string
	acceptAsWritten acceptedFlags
}

func newVerifierCommand() *cobra.Command { return newVerifierCommandWith(realWalletOutside()) }

func newVerifierCommandWith(o walletOutside) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verifier",
		Short: "check provers, score them, set weights; serve users if asked to",
		Long: `Verifier asks the provers of a subnet, proves that their answers came from the model it holds, scores them and sets
weights, until it is told to end. It needs a registered hotkey with a validator permit, never a coldkey.

What is asked for users is drawn and judged like a challenge. With --gateway.listen it serves them with the OpenAI
protocol in the same process; with --desk.listen, gateways in other processes (targon gateway) do, whose hotkeys
--desk.allow names.

Every flag is also a key of the file that --config names and a variable: --audit-rate is audit-rate and
TARGON_AUDIT_RATE. Flags come before variables and those before the file.

GET /readyz at --health.listen answers 200 when it is ready and 503 with the reason when not. On SIGTERM users' answers
under way are finished for as long as --grace says, and everything that was acknowledged is on the ledger.

` + exitStatuses,
		Example: `  targon verifier --wallet.name default --wallet.hotkey default --model model.gguf --health.listen 127.0.0.1:8092
  targon verifier --wallet.name default --gateway.listen :8080 --gateway.keys gateway.keys
  targon verifier --subtensor.network local --wallet.dev //Alice --allow-private --block-time 250ms`,
		Args: cobra.NoArgs,
	}
	v := &verifierFlags{roleFlags: bindRole(cmd, "verifier")}
	f := cmd.Flags()
	f.Uint32Var(&v.epoch, "neuron.epoch_length", uint32(targon.EpochBlocks), "least `blocks` from one decision about weights to the next")
	f.Float64Var(&v.auditRate, "audit-rate", 0.1, "share of the answers that are checked, 0 to 1")
	f.BoolVar(&v.repute, "audit-repute", true, "check up to four times as many answers of provers of little repute, newcomers among them")
	v.proof.bind(cmd)
	f.StringVar(&v.bundles, "bundles", "", "`folder` for audited challenges that targon check checks again, 256 MiB at most (default: none are kept)")
	f.DurationVar(&v.userBundles, "user-bundles", 2*time.Hour, "how `long` a user can fetch the bundle of his own audited answer once its epoch has closed; in memory; 0: not at all")
	f.DurationVar(&v.blockTime, "block-time", 12*time.Second, "`time` between blocks of the chain")
	f.DurationVar(&v.pace, "pace", time.Second, "least `time` between two challenges to one prover")
	f.BoolVar(&v.private, "allow-private", false, "ask provers on this machine and on private networks too")
	f.StringVar(&v.gateway, "gateway.listen", "", "`address` that serves users (default: nobody is served)")
	f.StringVar(&v.keys, "gateway.keys", "", "`file` of mode 0600 with a name and a key on each line")
	f.StringVar(&v.desk, "desk.listen", "", "`address` for gateways in other processes (default: none)")
	f.StringSliceVar(&v.gateways, "desk.allow", nil, "SS58 `addresses` of the hotkeys of gateways, commas between them or repeated")
	f.StringVar(&v.health, "health.listen", "", "`address` of GET /readyz and, with a gateway, /metrics (default: none)")
	v.acceptAsWritten.bindDatabase(cmd)
	v.acceptAsWritten.bindAxon(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return v.run(cmd, o) }
	settled(cmd, o.lookup)
	return cmd
}

func (v *verifierFlags) check() error {
	switch {
	case !(v.auditRate >= 1e-6 && v.auditRate <= 1): // it is kept in millionths
		return fmt.Errorf("--audit-rate %v: want a share of 0.000001 to 1", v.auditRate)
	case v.epoch == 0:
		return errors.New("--neuron.epoch_length 0: want at least one block")
	case v.blockTime <= 0 || v.pace <= 0 || v.grace <= 0:
		return errors.New("--block-time, --pace and --grace: want positive times")
	case v.userBundles < 0:
		return fmt.Errorf("--user-bundles %s: want 0 or more", v.userBundles)
	case v.gateway != "" && v.keys == "":
		return errors.New("--gateway.listen: say with --gateway.keys who may come in")
	case v.desk != "" && len(v.gateways) == 0:
		return errors.New("--desk.listen: name the hotkeys of its gateways with --desk.allow")
	}
	for flag, address := range map[string]string{"gateway.listen": v.gateway, "desk.listen": v.desk, "health.listen": v.health} {
		if err := checkListen(flag, address); err != nil {
			return err
		}
	}
	return nil
}

// checkListen refuses an address that nothing could listen on, before the chain is asked.
func checkListen(flag, address string) error {
	if address == "" {
		return nil
	}
	_, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Errorf("--%s %q: want host:port, the port a number", flag, address)
	}
	return nil
}

func (v *verifierFlags) run(cmd *cobra.Command, o walletOutside) error {
	if err := v.check(); err != nil {
		return usage(err)
	}
	log := v.logger(cmd)
	v.acceptAsWritten.warn(cmd, log)
	// A file that several verifiers share may well say more than one of them does.
	if v.keys != "" && v.gateway == "" {
		log.WarnContext(cmd.Context(), "nobody can use --gateway.keys: there is no --gateway.listen")
	}
	if len(v.gateways) > 0 && v.desk == "" {
		log.WarnContext(cmd.Context(), "nobody can use --desk.allow: there is no --desk.listen")
	}
	c, err := v.config(cmd, o)
	if err != nil {
		return usage(err)
	}
	c.Log = log
	return v.serve(cmd.Context(), c)
}

// config reads all that is read from files.
func (v *verifierFlags) config(cmd *cobra.Command, o walletOutside) (node.VerifyingConfig, error) {
	c := node.VerifyingConfig{
		Engine: native.Options{Kernel: os.Getenv(kernelVariable)}, AuditPPM: uint32(v.auditRate*1e6 + 0.5), Repute: v.repute,
		Epoch: targon.Blocks(v.epoch), BlockTime: v.blockTime, Pace: v.pace, Private: v.private,
		Gateway: v.gateway, Desk: v.desk, Health: v.health, Bundles: v.bundles, UserBundles: v.userBundles, Grace: v.grace,
	}
	for _, text := range v.gateways {
		h, err := targon.ParseHotkey(text)
		if err != nil {
			return c, fmt.Errorf("--desk.allow: %q: %w", text, err)
		}
		c.Gateways = append(c.Gateways, h)
	}
	var err error
	if c.Key, err = v.key(cmd, o); err != nil {
		return c, err
	}
	if c.Dir, err = v.folder("verifier", c.Key.Hotkey()); err != nil {
		return c, err
	}
	if c.Keys, err = gatewayKeys(v.keys); err != nil {
		return c, err
	}
	if c.Model, err = loadModel(v.model, builtinModel); err != nil {
		return c, err
	}
	c.Packs, err = v.proof.read(c.Model, builtinPack())
	return c, err
}

// serve connects to the chain and verifies until told to end, which is no error.
func (v *verifierFlags) serve(ctx context.Context, c node.VerifyingConfig) error {
	conf := v.chain.config()
	conf.Log = c.Log
	client, err := conf.Connect() //nolint:contextcheck // it is closed below, after what ctx ended has said goodbye
	if err != nil {
		return usage(err) // it only reads the addresses
	}
	defer func() { _ = client.Close() }()
	chain := subtensor.New(client, targon.NetUID(v.chain.netuid), c.Key)
	chain.Pledges = node.PledgeFile(c.Dir)
	c.Chain = chain
	started, err := node.StartVerifying(ctx, c)
	switch {
	case errors.Is(err, node.ErrUnregistered):
		return fmt.Errorf("%w: targon chain register buys it a slot", err)
	case err != nil && ctx.Err() != nil: // told to end before it had begun
		return nil
	case err != nil:
		return v.chain.explain(ctx, conf, err)
	}
	c.Log.InfoContext(ctx, "verifier runs", "hotkey", c.Key.Hotkey().String(), "model", c.Model.Name(), "weights", c.Model.Digest().String(), "data", c.Dir, "gateway", c.Gateway, "desk", c.Desk)
	err = started.Run(ctx)
	c.Log.InfoContext(ctx, "verifier has ended")
	return err
}

// gatewayKeys reads who may come in: on each line a name, a key, and if need be how
// many requests at a time, how many a minute and how many ids a day; 0 is any number. Empty lines and those that begin
// with # are left out.
func gatewayKeys(path string) ([]gateway.Key, error) {
	if path == "" {
		return nil, nil
	}
	text, err := wallet.ReadSecretFile(path)
	if err != nil {
		return nil, fmt.Errorf("--gateway.keys: %w", err)
	}
	defer clear(text)
	var out []gateway.Key
	names, keys := map[string]bool{}, map[targon.Digest]bool{}
	for i, line := range strings.Split(string(text), "\n") {
		f := strings.Fields(line)
		if len(f) == 0 || strings.HasPrefix(f[0], "#") {
			continue
		}
		k, ok := gatewayKey(f)
		if !ok || names[k.Name] {
			return nil, fmt.Errorf("--gateway.keys: line %d of %s: want NAME KEY [AT-A-TIME [A-MINUTE [TOKENS-A-DAY]]], each name once, keys of printable ASCII, %d characters at most", i+1, path, gateway.MaxKey)
		}
		if keys[k.SHA256] { // or one of the two would have the other's limits
			return nil, fmt.Errorf("--gateway.keys: line %d of %s: the key of another line", i+1, path)
		}
		names[k.Name], keys[k.SHA256] = true, true
		out = append(out, k)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("--gateway.keys: %s names nobody", path)
	}
	return out, nil
}

// sendable reports whether a key can stand in a header, and is not too long to be let in.
func sendable(key string) bool {
	return len(key) <= gateway.MaxKey && !strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' })
}

func gatewayKey(f []string) (gateway.Key, bool) {
	if len(f) < 2 || len(f) > 5 || !sendable(f[1]) {
		return gateway.Key{}, false
	}
	k := gateway.Key{Name: f[0], SHA256: gateway.HashKey(f[1])}
	for i, dst := range []*int{&k.Concurrent, &k.PerMinute, &k.PerDay} {
		if len(f) <= 2+i {
			break
		}
		n, err := strconv.Atoi(f[2+i])
		if err != nil || n < 0 {
			return gateway.Key{}, false
		}
		*dst = n
	}
	return k, true
}
