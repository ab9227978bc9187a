package node

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"targon"
	"targon/bundle"
	"targon/engine/native"
	"targon/evidence"
	"targon/score"
	"targon/sign"
	"targon/verifier"
	"targon/wire/ask"
)

// VerifierConfig says what a verifier checks, on which chain, and where it keeps
// its ledger.
type VerifierConfig struct {
	Key        *sign.Key
	Root       targon.Secret // every secret of the verifier's comes from it
	Model      *native.Model // what provers must run
	Chain      verifier.Chain
	Ledger     verifier.Ledger
	Inputs     verifier.Inputs
	Packs      []evidence.Pack // of the stacks that are admitted besides ours; none: ids must be equal
	AuditPPM   uint32
	Repute     bool          // provers of little repute are audited more often
	Epoch      targon.Blocks // least length
	BlockTime  time.Duration
	Pace       time.Duration // least time between two challenges to one prover
	Limits     ask.Limits
	CloseEpoch func(verifier.Progress) bool // nil: at the least length
	Engine     native.Options               // of the references; one of them takes the portable kernels
	Local      bool                         // provers may be on this machine or a private network
	Bundles    func(bundle.Bundle)          // takes what anyone may check again; nil: nobody does
	// UserBundles takes users' audited answers, for the users who asked; nil: nobody does.
	UserBundles func(bundle.Bundle)
	Log         *slog.Logger
}

// Policy is how verdicts become scores, here and in every replay.
func Policy() score.Throughput { return score.Throughput{} }

// NewVerifier builds a verifier and the client that it asks with, which the gateway
// uses too: what is sent for a user and for a challenge is then sent alike.
func NewVerifier(ctx context.Context, c VerifierConfig) (*verifier.Verifier, *ask.Client, error) {
	meta, err := c.Chain.Metagraph(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("read metagraph: %w", err)
	}
	if err := scorable(c.Packs); err != nil {
		return nil, nil, err
	}
	fast, err := native.New(c.Model, c.Engine)
	if err != nil {
		return nil, nil, err
	}
	second := c.Engine
	second.Kernel = "portable"
	portable, err := native.New(c.Model, second)
	if err != nil {
		return nil, nil, err
	}
	asker := ask.New(ask.Config{
		Key: c.Key, Genesis: meta.Genesis, NetUID: meta.NetUID, AllowPrivate: c.Local, Limits: c.Limits,
	})
	v, err := verifier.New(verifier.Config{
		Hotkey: c.Key.Hotkey(), Root: c.Root, Model: c.Model.Name(), Weights: c.Model.Digest(), Vocab: c.Model.Vocab(),
		Chain: c.Chain, Asker: asker, Reference: fast, Portable: portable, Ledger: c.Ledger,
		Inputs: c.Inputs, Prompts: Openings(c.Model), Policy: Policy(),
		Packs: c.Packs, AuditPPM: c.AuditPPM, Repute: c.Repute, Epoch: c.Epoch, BlockTime: c.BlockTime, Pace: c.Pace,
		// Half of the cores at most: where provers share the machine, as they do in a
		// demonstration, their streams must not stall while answers are scored.
		Auditors: max(1, runtime.NumCPU()/2),
		// Not before the client's own deadline, which a prover is told: challenges
		// and users' requests must name the same.
		Deadline: c.Limits.Total + 5*time.Second, CloseEpoch: c.CloseEpoch, Bundles: c.Bundles, UserBundles: c.UserBundles, Log: c.Log,
	})
	return v, asker, err
}

// scorable reports a pack that another stack than this verifier's must score by.
func scorable(packs []evidence.Pack) error {
	for _, p := range packs {
		if p.Verifier != StackNative {
			return fmt.Errorf("%w: made for a verifier on stack %q, this one is on %q", evidence.ErrPack, p.Verifier, StackNative)
		}
	}
	return nil
}
