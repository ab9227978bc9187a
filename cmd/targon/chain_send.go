package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/spf13/cobra"

	"targon"
	"targon/chain/substrate"
	"targon/chain/substrate/rpc"
)

// owned does something that the coldkey signs, and prints where it took effect. The
// key is open for as long as that takes.
func (c *chainFlags) owned(cmd *cobra.Command, k *keyFlags, o walletOutside, do func(context.Context, *chainSession, substrate.Signer) (rpc.Inclusion, error)) error {
	coldkey, err := k.coldkey(cmd.Context(), o)
	if err != nil {
		return usage(err)
	}
	defer coldkey.Wipe()
	return c.with(cmd, nil, func(ctx context.Context, s *chainSession) error {
		in, err := do(ctx, s, coldkey.Signer())
		if err != nil {
			return err
		}
		return printIncluded(cmd, in, c.json)
	})
}

func newChainRegisterCommand(o walletOutside) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "register",
		Short: "give a hotkey a slot on a subnet; the coldkey pays",
		Long: "Register buys the wallet's hotkey a slot on the subnet for what `targon chain hyperparams` shows as burn.\n" +
			"It asks for the coldkey's password and returns once the registration is final.",
		Example: "targon chain register --netuid 4 --wallet.name default --wallet.hotkey default\n" +
			"targon chain register --subtensor.network local --wallet.dev //Alice --json",
		Args: cobra.NoArgs,
	}
	c, k := bindChain(cmd, sendTime), bindKeys(cmd)
	k.bindHotkey(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		hotkey, err := k.address(o)
		if err != nil {
			return usage(err)
		}
		return c.owned(cmd, k, o, func(ctx context.Context, s *chainSession, coldkey substrate.Signer) (rpc.Inclusion, error) {
			return s.Register(ctx, coldkey, hotkey)
		})
	}
	return cmd
}

func newChainStakeCommand(o walletOutside) *cobra.Command {
	var amount string
	var remove bool
	cmd := &cobra.Command{
		Use:   "stake",
		Short: "put TAO behind a hotkey, or take alpha away",
		Long:  "Stake puts the coldkey's TAO behind the wallet's hotkey on the subnet. With --remove it takes away as much of\nthe subnet's alpha.",
		Example: "targon chain stake --amount 10 --netuid 4\n" +
			"targon chain stake --remove --amount 2.5 --hotkey 5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY",
		Args: cobra.NoArgs,
	}
	c, k := bindChain(cmd, sendTime), bindKeys(cmd)
	k.bindHotkey(cmd)
	cmd.Flags().StringVar(&amount, "amount", "", "how much, in `TAO`; in alpha with --remove")
	cmd.Flags().BoolVar(&remove, "remove", false, "take stake away")
	require(cmd, "amount")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		rao, err := parseTAO(amount)
		if err != nil {
			return usage(err)
		}
		hotkey, err := k.address(o)
		if err != nil {
			return usage(err)
		}
		return c.owned(cmd, k, o, func(ctx context.Context, s *chainSession, coldkey substrate.Signer) (rpc.Inclusion, error) {
			if remove {
				return s.RemoveStake(ctx, coldkey, hotkey, rao)
			}
			return s.AddStake(ctx, coldkey, hotkey, rao)
		})
	}
	return cmd
}

func newChainTransferCommand(o walletOutside) *cobra.Command {
	var to, amount string
	cmd := &cobra.Command{
		Use:     "transfer",
		Short:   "send TAO from the coldkey to another account",
		Long:    "Transfer sends TAO, unless that would leave the sender with less than the chain keeps accounts for.",
		Example: "targon chain transfer --to 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty --amount 1.5",
		Args:    cobra.NoArgs,
	}
	c, k := bindChain(cmd, sendTime), bindKeys(cmd)
	cmd.Flags().StringVar(&to, "to", "", "SS58 `address` that receives")
	cmd.Flags().StringVar(&amount, "amount", "", "how much, in `TAO`")
	require(cmd, "to", "amount")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		dest, err := targon.ParseHotkey(to)
		if err != nil {
			return usage(fmt.Errorf("--to: %w", err))
		}
		rao, err := parseTAO(amount)
		if err != nil {
			return usage(err)
		}
		return c.owned(cmd, k, o, func(ctx context.Context, s *chainSession, coldkey substrate.Signer) (rpc.Inclusion, error) {
			return s.Transfer(ctx, coldkey, dest, rao)
		})
	}
	return cmd
}

func newChainServeCommand(o walletOutside) *cobra.Command {
	var ip string
	var port uint16
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "tell the chain where the hotkey serves",
		Long: "Serve writes the address of the wallet's hotkey into the chain; a prover does it by itself when it starts.\n" +
			"The chain refuses loopback addresses, and more than one change in its serving rate limit.",
		Example: "targon chain serve --axon.external_ip 203.0.113.7 --axon.external_port 8091",
		Args:    cobra.NoArgs,
	}
	c, k := bindChain(cmd, sendTime), bindKeys(cmd)
	cmd.Flags().StringVar(&ip, "axon.external_ip", "", "`address` where others reach it")
	cmd.Flags().Uint16Var(&port, "axon.external_port", 8091, "`port` where others reach it")
	require(cmd, "axon.external_ip")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		address, err := netip.ParseAddr(ip)
		if err != nil {
			return usage(fmt.Errorf("--axon.external_ip %q: want an IP address", ip))
		}
		if port == 0 {
			return usage(errors.New("--axon.external_port 0: want 1 to 65535"))
		}
		key, err := k.signer(cmd.Context(), o)
		if err != nil {
			return usage(err)
		}
		return c.with(cmd, key, func(ctx context.Context, s *chainSession) error {
			if err := s.ServeAxon(ctx, netip.AddrPortFrom(address, port)); err != nil {
				return err
			}
			return printIncluded(cmd, s.sent.last, c.json)
		})
	}
	return cmd
}

// shownWeights is what `weights` prints. Values are those of the chain, the largest
// being 65535.
type shownWeights struct {
	NetUID  targon.NetUID  `json:"netuid"`
	UID     targon.UID     `json:"uid"`
	Hotkey  targon.Hotkey  `json:"hotkey"`
	Weights targon.Weights `json:"weights"`
}

func newChainWeightsCommand(o walletOutside) *cobra.Command {
	var set string
	var uid uint16
	var versionKey uint64
	cmd := &cobra.Command{
		Use:   "weights",
		Short: "show the weights that a neuron last set, or set one's own",
		Long: "Weights shows what a neuron last set: that of --uid, of --hotkey, or of the wallet's hotkey. With --set it sets\n" +
			"the wallet's own, reads them back and says in which block they took effect. Where the subnet demands commit and\n" +
			"reveal it does both, which takes as many epochs as the subnet's reveal period: give it time with --timeout.",
		Example: "targon chain weights --netuid 4 --uid 0\n" +
			"targon chain weights --set '1:0.3,2:0.7' --wallet.dev //Alice --subtensor.network local --json",
		Args: cobra.NoArgs,
	}
	c, k := bindChain(cmd, sendTime), bindKeys(cmd)
	k.bindHotkey(cmd)
	cmd.Flags().StringVar(&set, "set", "", "`shares` to set, such as 1:0.3,2:0.7")
	cmd.Flags().Uint16Var(&uid, "uid", 0, "`number` of the neuron to show")
	cmd.Flags().Uint64Var(&versionKey, "version-key", 0, "version `key` to set weights with, where the subnet demands one")
	for _, other := range []string{"uid", "hotkey"} {
		cmd.MarkFlagsMutuallyExclusive("set", other)
	}
	cmd.MarkFlagsMutuallyExclusive("uid", "hotkey")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if cmd.Flags().Changed("set") {
			return c.setWeights(cmd, k, o, set, versionKey)
		}
		var hotkey targon.Hotkey
		byUID := cmd.Flags().Changed("uid")
		if !byUID {
			var err error
			if hotkey, err = k.address(o); err != nil {
				return usage(err)
			}
		}
		return c.with(cmd, nil, func(ctx context.Context, s *chainSession) error {
			return c.showWeights(ctx, cmd, s, func(m targon.Metagraph) (targon.Neuron, error) {
				n, ok := m.ByUID(targon.UID(uid))
				if !byUID {
					n, ok = m.ByHotkey(hotkey)
				}
				switch {
				case !ok && byUID:
					return n, fmt.Errorf("subnet %d has no neuron %d", c.netuid, uid)
				case !ok:
					return n, fmt.Errorf("%s is not on subnet %d (--uid or --hotkey name another neuron)", hotkey, c.netuid)
				}
				return n, nil
			})
		})
	}
	return cmd
}

func (c *chainFlags) setWeights(cmd *cobra.Command, k *keyFlags, o walletOutside, set string, versionKey uint64) error {
	w, err := parseWeights(set)
	if err != nil {
		return usage(err)
	}
	key, err := k.signer(cmd.Context(), o)
	if err != nil {
		return usage(err)
	}
	return c.with(cmd, key, func(ctx context.Context, s *chainSession) error {
		s.VersionKey = versionKey
		if err := s.SetWeights(ctx, w); err != nil {
			return err
		}
		return printIncluded(cmd, s.sent.last, c.json)
	})
}

func (c *chainFlags) showWeights(ctx context.Context, cmd *cobra.Command, s *chainSession, find func(targon.Metagraph) (targon.Neuron, error)) error {
	m, err := s.Metagraph(ctx)
	if err != nil {
		return err
	}
	n, err := find(m)
	if err != nil {
		return err
	}
	w, err := s.Weights(ctx, n.UID)
	if err != nil {
		return err
	}
	if c.json {
		return printJSON(cmd.OutOrStdout(), shownWeights{m.NetUID, n.UID, n.Hotkey, append(targon.Weights{}, w...)})
	}
	var text strings.Builder
	fmt.Fprintf(&text, "uid %d, %s, set %d weights\n", n.UID, n.Hotkey, len(w))
	for _, e := range w {
		fmt.Fprintf(&text, "%6d  %s\n", e.UID, shareOf(e.Value))
	}
	return printText(cmd.OutOrStdout(), text.String())
}
