package verifier

import (
	"context"

	"targon"
)

// closeDistance lies between the first block after an epoch and its closing: by then
// the last receipt of the epoch has met the block that draws it.
const closeDistance = drawDistance

// close takes every epoch that is over as far as it can go: its secret is shown,
// its provers are scored, its weights are decided. Each step is durable before the
// next, and each is due until the ledger holds it, so that a crash between any two
// repeats nothing.
func (v *Verifier) close(ctx context.Context) error {
	for {
		e, err := v.due()
		if e == nil || err != nil {
			return err
		}
		if err := v.journal.write(ctx, e); err != nil {
			return err
		}
		if c, ok := e.(targon.EpochClosed); ok {
			if err := v.show(c); err != nil {
				return err
			}
		}
	}
}

// due returns the next entry of the oldest epoch that can be written now, or nil.
func (v *Verifier) due() (targon.Entry, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	e := v.state.epochs[0] // open has been called, so there is one
	n := e.opened.Epoch
	switch {
	case len(v.state.unrecorded) > 0:
		return *v.state.dossiers[v.state.unrecorded[0]].record, nil
	case e.end == 0 || v.height < e.end+closeDistance || e.unjudged > 0 || v.arriving(n):
		return nil, nil
	case !e.closed:
		// From here anybody can repeat the epoch's draws, and none is left to make.
		return e.closing(targon.Digest(v.secret(n)))
	case v.meta.Block == 0 && len(v.meta.Neurons) == 0:
		return nil, nil // the chain has not told us yet who there is
	case !e.scored:
		_, scores := v.state.scores(e, v.meta.Provers(v.cfg.Hotkey))
		return targon.ScoresMade{Epoch: n, Scores: scores}, nil
	default:
		// Owed to the chain from here on: send takes it from the ledger.
		return targon.WeightsDecided{Epoch: n, Block: v.height, Weights: v.state.weights(present(v.meta))}, nil
	}
}

// arriving reports whether arrivals dated into an epoch are not on record yet. The
// caller holds the lock.
func (v *Verifier) arriving(n targon.Epoch) bool {
	for _, e := range v.stamped {
		if e == n {
			return true
		}
	}
	return false
}

// present reports whether a scored hotkey still has its UID: weights go to UIDs, and
// must not fall to whoever took one over.
func present(m targon.Metagraph) func(targon.Score) bool {
	return func(s targon.Score) bool {
		n, ok := m.ByUID(s.UID)
		return ok && n.Hotkey == s.Hotkey
	}
}
