package verifier

import (
	"context"
	"fmt"
	"slices"

	"targon"
	"targon/challenge"
)

// Address turns a user's draft into a request to one prover, made exactly as a
// challenge is. Every request it returns should be recorded, however it ends.
func (v *Verifier) Address(_ context.Context, d targon.Draft, n targon.Neuron) (targon.Request, error) {
	v.mu.Lock()
	ready := len(v.hashes) > 0
	var nonce challenge.Nonce
	if ready {
		nonce = v.nonce()
	}
	v.mu.Unlock()
	if !ready {
		return targon.Request{}, fmt.Errorf("address request to uid %d: %w", n.UID, ErrNotReady)
	}
	r := challenge.Address(v.cfg.Root, d, v.cfg.Weights, v.cfg.Hotkey, n.Hotkey, nonce)
	if err := r.Validate(); err != nil {
		return targon.Request{}, fmt.Errorf("address request to uid %d: %w", n.UID, err)
	}
	v.takeOff(r)
	return r, nil
}

// Record takes in a user's finished exchange. When it returns nil, the receipt is
// durable and will be drawn like a challenge's; unless the user opted out of audit,
// for which nobody earns.
func (v *Verifier) Record(ctx context.Context, x targon.Exchange, optedOut bool) error {
	x.Origin = targon.OriginOrganic
	return v.arrive(ctx, x, optedOut)
}

// Provers returns the neurons that serve, as the chain last showed them, without those
// that are convicted or not cleared since: no user is sent to them, scored or not.
func (v *Verifier) Provers() []targon.Neuron {
	v.mu.Lock()
	defer v.mu.Unlock()
	month := targon.MonthOf(max(v.height, v.state.newest))
	return slices.DeleteFunc(v.meta.Provers(v.cfg.Hotkey), func(n targon.Neuron) bool {
		return v.state.shunned(n.Hotkey, month)
	})
}

// Scores returns by what share users are sent to provers, sorted by UID: the score that
// the last epoch ended with, divided as the prover's repute multiplies its audits, and 0
// for whoever is convicted by now or not cleared. It is empty before the first epoch ends.
func (v *Verifier) Scores() []targon.Score {
	v.mu.Lock()
	defer v.mu.Unlock()
	out := slices.Clone(v.state.scored.Scores)
	month := targon.MonthOf(max(v.height, v.state.newest))
	for i := range out {
		if v.state.shunned(out[i].Hotkey, month) {
			out[i].Value = 0
		}
		out[i].Value /= float64(v.state.tallies[out[i].Hotkey].reputation().Boost())
	}
	return out
}
