package node

import (
	"context"
	"errors"
	"log/slog"

	"targon"
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

// WeightsBook says what a neuron last set, and how weights are to be set.
type WeightsBook interface {
	Weights(ctx context.Context, u targon.UID) (targon.Weights, error)
	Hyperparameters(ctx context.Context) (subtensor.Hyperparameters, error)
}

// setter lets weights that take epochs to set, because the subnet demands commit and
// reveal, be set beside the verifier's loop, whose calls have a deadline. One vector is
// under way at a time. A restart between commit and reveal loses the salt: the commit
// lapses, and the verifier, which reads back what it owes, has them committed again.
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
