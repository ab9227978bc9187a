package main

import "github.com/spf13/cobra"

// newChainCommand returns the tools that read the chain and send it transactions.
func newChainCommand() *cobra.Command { return newChainCommandWith(realWalletOutside()) }

func newChainCommandWith(o walletOutside) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "chain",
		Short: "read a subnet, register, serve, stake, transfer and set weights",
		Long: "Chain speaks to a node of Bittensor's chain. It believes what the node says about storage: name one that you trust.\n" +
			"Passwords are read as `targon wallet` reads them; a coldkey is open only while its command runs.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	for _, build := range []func(walletOutside) *cobra.Command{
		newChainMetagraphCommand, newChainHyperparamsCommand, newChainWatchCommand, newChainWeightsCommand,
		newChainRegisterCommand, newChainServeCommand, newChainStakeCommand, newChainTransferCommand,
	} {
		cmd.AddCommand(build(o))
	}
	cmd.AddCommand(newChainDevCommand()) // those that need no wallet
	return cmd
}
