package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"targon"
	"targon/chain/substrate"
	"targon/chain/substrate/rpc"
	"targon/chain/subtensor"
	"targon/node"
	"targon/wallet"
)

// How long a command of the chain may take: what reads needs an answer, what sends
// needs a block that is final, half a minute on the real chain, and at most the 64
// blocks in which an extrinsic is valid.
const (
	readTime = 30 * time.Second
	sendTime = 3 * time.Minute
)

// chainFlags are Bittensor's.
type chainFlags struct {
	network, endpoint string
	netuid            uint16
	timeout           time.Duration
	json              bool
}

func bindChain(cmd *cobra.Command, timeout time.Duration) *chainFlags {
	c := &chainFlags{}
	c.bindEndpoint(cmd)
	f := cmd.Flags()
	f.Uint16Var(&c.netuid, "netuid", 4, "the subnet's `number`")
	f.DurationVar(&c.timeout, "timeout", timeout, "longest `time` that the command may take")
	f.BoolVar(&c.json, "json", false, "print JSON, one object on a line")
	return c
}

// bindEndpoint adds the flags that say which chain is meant.
func (c *chainFlags) bindEndpoint(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&c.network, "subtensor.network", "", "`name` of the chain: finney, archive, test or local (default $BT_SUBTENSOR_NETWORK or finney)")
	f.StringVar(&c.endpoint, "subtensor.chain_endpoint", "", "`address` of a node, ws://…, wss://… or host:port; several with commas\n(default $BT_SUBTENSOR_CHAIN_ENDPOINT or the network's)")
}

func (c *chainFlags) config() node.ChainConfig {
	out := node.ChainConfig{Network: c.network, Endpoint: c.endpoint, Call: c.timeout}
	if c.network == "" && c.endpoint == "" {
		out.Network, out.Endpoint = os.Getenv("BT_SUBTENSOR_NETWORK"), os.Getenv("BT_SUBTENSOR_CHAIN_ENDPOINT")
	}
	return out
}

// chainSession is a connection for the length of one command.
type chainSession struct {
	*subtensor.Client
	sent *sends
}

// sends remembers the last extrinsic that took effect, for what returns none.
type sends struct {
	subtensor.Node
	mu   sync.Mutex
	last rpc.Inclusion
}

// Send sends and remembers.
func (s *sends) Send(ctx context.Context, key substrate.Signer, build rpc.Build) (rpc.Inclusion, error) {
	in, err := s.Node.Send(ctx, key, build)
	if err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.last = in
	}
	return in, err
}

// with connects, does something before the time is up, and hangs up. The key may be
// nil.
func (c *chainFlags) with(cmd *cobra.Command, key substrate.Signer, do func(context.Context, *chainSession) error) error {
	return c.connected(cmd, key, func(s *chainSession) error {
		ctx, cancel := context.WithTimeout(cmd.Context(), c.timeout)
		defer cancel()
		return do(ctx, s)
	})
}

// connected connects, does something and hangs up.
func (c *chainFlags) connected(cmd *cobra.Command, key substrate.Signer, do func(*chainSession) error) error {
	if c.timeout <= 0 {
		return usage(fmt.Errorf("--timeout %s: want a positive time", c.timeout))
	}
	conf := c.config()
	client, err := conf.Connect()
	if err != nil {
		return usage(err) // it only reads the addresses
	}
	defer func() { _ = client.Close() }()
	s := &sends{Node: client}
	return c.explain(cmd.Context(), conf, do(&chainSession{subtensor.New(s, targon.NetUID(c.netuid), key), s}))
}

// explain says what to do about a chain that does not answer.
func (c *chainFlags) explain(ctx context.Context, conf node.ChainConfig, err error) error {
	endpoints, bad := conf.Endpoints()
	where := strings.Join(endpoints, ", ")
	switch {
	case err == nil || ctx.Err() != nil || bad != nil:
		return err
	case errors.Is(err, rpc.ErrUnknown):
		return fmt.Errorf("sent, but not seen in a final block within %s: it may yet take effect, look before you send again: %w", c.timeout, err)
	case errors.Is(err, rpc.ErrUnavailable), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("no answer from the chain at %s within %s (--subtensor.chain_endpoint, --timeout): %w", where, c.timeout, err)
	}
	return err
}

// keyFlags say who signs.
type keyFlags struct {
	*walletFlags
	dev    string
	hotkey string // an address instead of the wallet's own hotkey
}

func bindKeys(cmd *cobra.Command) *keyFlags {
	k := &keyFlags{walletFlags: bindWallet(cmd)}
	k.bindPassword(cmd)
	cmd.Flags().StringVar(&k.dev, "wallet.dev", "", "a development `key` such as //Alice, as hotkey and coldkey, instead of a wallet")
	return k
}

// bindHotkey adds the flag that names another hotkey than the wallet's.
func (k *keyFlags) bindHotkey(cmd *cobra.Command) {
	cmd.Flags().StringVar(&k.hotkey, "hotkey", "", "SS58 `address` of a hotkey instead of the wallet's")
}

// coldkey unlocks the key that owns. The caller wipes it.
func (k *keyFlags) coldkey(ctx context.Context, o walletOutside) (*wallet.Key, error) {
	if k.dev != "" {
		return wallet.Dev(k.dev)
	}
	w, err := k.at(o)
	if err != nil {
		return nil, err
	}
	return w.UnlockColdkey(k.passwords(ctx, o))
}

// signer returns the hotkey to sign with.
func (k *keyFlags) signer(ctx context.Context, o walletOutside) (substrate.Signer, error) {
	if k.dev != "" {
		key, err := wallet.Dev(k.dev)
		if err != nil {
			return nil, err
		}
		return key.Signer(), nil
	}
	w, err := k.at(o)
	if err != nil {
		return nil, err
	}
	return w.LoadHotkey(k.passwords(ctx, o))
}

// address returns the hotkey that is meant, for which no password is needed.
func (k *keyFlags) address(o walletOutside) (targon.Hotkey, error) {
	if k.hotkey != "" {
		h, err := targon.ParseHotkey(k.hotkey)
		if err != nil {
			return h, fmt.Errorf("--hotkey: %w", err)
		}
		return h, nil
	}
	if k.dev != "" {
		key, err := wallet.Dev(k.dev)
		if err != nil {
			return targon.Hotkey{}, err
		}
		return key.Address(), nil
	}
	w, err := k.at(o)
	if err != nil {
		return targon.Hotkey{}, err
	}
	return w.HotkeyAddress()
}

// printIncluded prints where an extrinsic took effect.
func printIncluded(cmd *cobra.Command, in rpc.Inclusion, asJSON bool) error {
	hash := "0x" + hex.EncodeToString(in.Extrinsic[:])
	if asJSON {
		return printJSON(cmd.OutOrStdout(), struct {
			Block     targon.Block `json:"block"`
			Extrinsic string       `json:"extrinsic"`
		}{in.Block.Number, hash})
	}
	return printText(cmd.OutOrStdout(), fmt.Sprintf("block      %d\nextrinsic  %s\n", in.Block.Number, hash))
}

func printText(out io.Writer, text string) error {
	if _, err := io.WriteString(out, text); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// hostPort joins an address and a port as axons are written.
func hostPort(host string, port uint16) string { return net.JoinHostPort(host, fmt.Sprint(port)) }
