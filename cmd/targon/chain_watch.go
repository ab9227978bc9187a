package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"targon"
	"targon/chain/substrate/rpc"
)

// shownBlock is one line of `watch`.
type shownBlock struct {
	Block     targon.Block  `json:"block"`
	Hash      targon.Digest `json:"hash"`
	NextEpoch targon.Block  `json:"next_epoch"` // 0: never
}

// watchTime is for one block: on the real chain one comes every 12 s.
const watchTime = 2 * time.Minute

func newChainWatchCommand(walletOutside) *cobra.Command {
	var count uint64
	cmd := &cobra.Command{
		Use:   "watch",
		Short: "print final blocks as they come, and when the next epoch is",
		Long: "Watch prints a line for every final block until it is interrupted, or for as many as --count says. It goes on\n" +
			"across lost connections. --timeout is the longest time to wait for one block.",
		Example: "targon chain watch --subtensor.network local --netuid 4 --count 10",
		Args:    cobra.NoArgs,
	}
	c := bindChain(cmd, watchTime)
	cmd.Flags().Uint64Var(&count, "count", 0, "stop after this many `blocks` (0: run until interrupted)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return c.watch(cmd, count) }
	return cmd
}

// watch prints blocks. An interrupt is a normal end.
func (c *chainFlags) watch(cmd *cobra.Command, count uint64) error {
	err := c.connected(cmd, nil, func(s *chainSession) error {
		ctx, cancel := context.WithCancelCause(cmd.Context())
		defer cancel(nil)
		late := time.AfterFunc(c.timeout, func() { cancel(fmt.Errorf("no block: %w", rpc.ErrUnavailable)) })
		defer late.Stop()
		seen := uint64(0)
		for h, err := range s.Blocks(ctx) {
			if err != nil {
				return err
			}
			if err := c.printBlock(ctx, cmd, s, h); err != nil {
				return err
			}
			if seen++; seen == count {
				return nil
			}
			late.Reset(c.timeout)
		}
		return nil
	})
	if errors.Is(err, context.Canceled) && cmd.Context().Err() != nil {
		return nil
	}
	return err
}

func (c *chainFlags) printBlock(ctx context.Context, cmd *cobra.Command, s *chainSession, h targon.Header) error {
	t, err := s.Timing(ctx)
	if err != nil {
		return err
	}
	b := shownBlock{Block: h.Number, Hash: h.Hash, NextEpoch: t.Next()}
	if c.json {
		return printJSON(cmd.OutOrStdout(), b)
	}
	next := "no epochs"
	if b.NextEpoch > 0 {
		next = fmt.Sprintf("next epoch in block %d", b.NextEpoch)
	}
	return printText(cmd.OutOrStdout(), fmt.Sprintf("block %d  %s  %s\n", b.Block, b.Hash, next))
}
