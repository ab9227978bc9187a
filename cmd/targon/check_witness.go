package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"targon"
	"targon/bundle"
	"targon/chain/subtensor"
	"targon/ledger"
	"targon/node"
	"targon/verifier"
)

// witnessFlags name what can say more than a bundle alone: the verifier's ledger and the
// chain. Neither is looked at unless it is named.
type witnessFlags struct {
	ledger string
	chain  chainFlags
}

func (f *witnessFlags) bind(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.StringVar(&f.ledger, "ledger", "", "the verifier's ledger: a `folder` (its --data) or the file; it is only read")
	fl.StringVar(&f.chain.network, "subtensor.network", "", "`name` of the chain to ask: finney, archive, test or local (default: it is not asked)")
	fl.StringVar(&f.chain.endpoint, "subtensor.chain_endpoint", "", "`address` of a node of the chain to ask, ws://…, wss://… or host:port (default: it is not asked)")
	fl.Uint16Var(&f.chain.netuid, "netuid", 4, "the subnet's `number`")
	fl.DurationVar(&f.chain.timeout, "timeout", 15*time.Second, "longest `time` that the chain is asked for")
}

// ask asks whoever was named about a bundle.
func (f *witnessFlags) ask(cmd *cobra.Command, b bundle.Bundle, a *bundle.Aids) error {
	var err error
	if f.chain.network != "" || f.chain.endpoint != "" {
		if a.Chain, err = f.askChain(cmd, b); err != nil {
			return err
		}
	}
	if f.ledger != "" {
		if a.Ledger, err = readLedger(cmd.Context(), f.ledger, b, a.Chain); err != nil {
			return fmt.Errorf("--ledger: %w", err)
		}
	}
	return nil
}

// askChain returns what a node says, and in words what it does not. It fails only where
// the flags make no sense.
func (f *witnessFlags) askChain(cmd *cobra.Command, b bundle.Bundle) (*bundle.Chain, error) {
	out := &bundle.Chain{Why: "nobody has asked", Lost: "nobody has asked"}
	if _, err := f.chain.config().Endpoints(); err != nil {
		return nil, err
	}
	if f.chain.timeout <= 0 {
		return nil, fmt.Errorf("--timeout %s: want a positive time", f.chain.timeout)
	}
	err := f.chain.with(cmd, nil, func(ctx context.Context, s *chainSession) error {
		return askNode(ctx, s.Client, b, out)
	})
	switch {
	case cmd.Context().Err() != nil:
		return nil, cmd.Context().Err()
	case err != nil && out.Hash == (targon.Digest{}):
		out.Why, out.Lost = err.Error(), "the chain did not answer"
	case err != nil:
		out.Lost = fmt.Sprintf("the node does not tell any more, or not in time; an archive node does: %v", err)
	}
	return out, nil
}

// askNode asks for the block that drew, and then for who had which slot at the arrival.
func askNode(ctx context.Context, c *subtensor.Client, b bundle.Bundle, out *bundle.Chain) error {
	hash, err := c.BlockHash(ctx, b.Arrived.Block+bundle.DrawDistance)
	if err != nil {
		return err
	}
	out.Hash = hash
	slots, err := c.SlotsAt(ctx, b.Arrived.Block, b.Arrived.Prover, b.Transcript.Request.Verifier)
	if err != nil {
		return err
	}
	out.Slots = &bundle.Slots{Prover: bundle.Slot(slots[0]), Verifier: bundle.Slot(slots[1])}
	return nil
}

// ledgerFile is the name of the ledger in a verifier's folder.
const ledgerFile = "ledger"

// readLedger replays a ledger as a whole, and takes out of it what the bundle is about.
// Draws are
// repeated with the one block hash that the chain has told.
func readLedger(ctx context.Context, path string, b bundle.Bundle, chain *bundle.Chain) (*bundle.Ledger, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, ledgerFile)
	}
	l, err := bundle.Find(ledger.Read(ctx, path), b)
	if err != nil {
		return nil, err
	}
	_, err = verifier.Recheck(ledger.Read(ctx, path), node.Policy(), func(at targon.Block) (targon.Digest, bool) {
		if chain == nil || at != b.Arrived.Block+bundle.DrawDistance {
			return targon.Digest{}, false
		}
		return chain.Hash, chain.Hash != targon.Digest{}
	})
	if errors.Is(err, verifier.ErrLedger) {
		l.Fault, err = err, nil
	}
	return l, err
}
