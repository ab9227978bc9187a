package node

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"targon"
	"targon/chain/substrate/rpc"
	"targon/chain/subtensor"
	"targon/verifier"
)

// errUnderWay says that weights are committed to and not revealed yet.
var errUnderWay = errors.New("weights are committed to and wait for their reveal")

// RemoteChain is a verifier's chain over a connection.
type RemoteChain interface {
	verifier.Chain
	BlockHashes
	WeightsBook
}

// WeightsBook says what a neuron last set, and how weights are to be set, and ends what
// was begun.
type WeightsBook interface {
	Weights(ctx context.Context, u targon.UID) (targon.Weights, error)
	Hyperparameters(ctx context.Context) (subtensor.Hyperparameters, error)
	// Resume finishes a commit of weights that an earlier process left unrevealed, and
	// reports whether there was one.
	Resume(ctx context.Context) (revealed bool, err error)
}

// setter lets weights that take epochs to set, because the subnet demands commit and
// reveal, be set beside the verifier's loop, whose calls have a deadline. One vector is
// under way at a time. What an earlier process has committed to comes first: its salt was
// kept, and the verifier, which reads back what it owes, finds the weights on the chain.
type setter struct {
	RemoteChain
	health *health
	slow   chan targon.Weights
	log    *slog.Logger
}

func newSetter(c RemoteChain, h *health, log *slog.Logger) *setter {
	return &setter{RemoteChain: c, health: h, slow: make(chan targon.Weights), log: log}
}

// Metagraph reads the subnet, which is also what tells that the chain answers.
func (s *setter) Metagraph(ctx context.Context) (targon.Metagraph, error) {
	m, err := s.RemoteChain.Metagraph(ctx)
	if err == nil {
		s.health.saw(m)
	}
	return m, err
}

// SetWeights sets weights at once, or begins to where that takes epochs.
func (s *setter) SetWeights(ctx context.Context, w targon.Weights) error {
	h, err := s.Hyperparameters(ctx)
	if err != nil {
		return err
	}
	if !h.CommitRevealWeightsEnabled {
		return s.RemoteChain.SetWeights(ctx, w)
	}
	select {
	case s.slow <- w:
	default:
	}
	return errUnderWay
}

// run sets what takes epochs, until ctx ends.
func (s *setter) run(ctx context.Context) error {
	for {
		s.resume(ctx)
		select {
		case <-ctx.Done():
			return nil
		case w := <-s.slow:
			if err := s.RemoteChain.SetWeights(ctx, w); err != nil && ctx.Err() == nil {
				s.log.WarnContext(ctx, "weights were not committed and revealed", "error", err)
			}
		}
	}
}

// resume reveals what is committed to and was not revealed, by an earlier process or
// because the chain went away: only its silence makes this try again.
func (s *setter) resume(ctx context.Context) {
	for ctx.Err() == nil {
		revealed, err := s.Resume(ctx)
		if revealed {
			s.log.InfoContext(ctx, "weights that were committed before are revealed")
		}
		if err == nil || ctx.Err() != nil {
			return
		}
		s.log.WarnContext(ctx, "weights that were committed before were not revealed", "error", err)
		if !errors.Is(err, rpc.ErrUnavailable) && !errors.Is(err, rpc.ErrUnknown) {
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(resumeAgain):
		}
	}
}

// resumeAgain is how long the chain is left alone: a block.
const resumeAgain = 12 * time.Second
