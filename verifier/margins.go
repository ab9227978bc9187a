package verifier

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"targon"
	"targon/bundle"
	"targon/evidence"
	"targon/noise"
	"targon/proof"
)

// margins judges answers of engines that round differently, against what calibration
// packs say of honest ones.
//
// What enters evidence is an answer at temperature 0.3 and above: all seeds are drawn by
// this verifier, after the prompt was there. A colder one, greedy ones among them, is
// held against the bounds of temperature 0.3, and earns or costs score only: gaps are
// differences of logits, so what rounding does to them is the same, but how many prompts
// end in near ties is for users to choose. A challenge so cold says nothing at all, for
// its answer could have been looked up.
type margins struct {
	nulls  *evidence.Nulls
	replay proof.Replay

	mu   sync.Mutex
	bets map[string]*evidence.Bets // worked out so far, by the nulls that they are of
}

// newMargins returns nil where there are no packs.
func newMargins(packs []evidence.Pack, weights targon.Digest) (*margins, error) {
	if len(packs) == 0 {
		return nil, nil
	}
	nulls, err := evidence.NewNulls(packs...)
	if err != nil {
		return nil, err
	}
	if nulls.Weights() != weights {
		return nil, fmt.Errorf("%w: packs are for weights %s, the model has %s", ErrConfig, nulls.Weights(), weights)
	}
	profile, err := noise.ParseProfile(nulls.Sampler())
	if err != nil {
		return nil, fmt.Errorf("%w: sampler of packs: %w", ErrConfig, err)
	}
	return &margins{nulls: nulls, replay: proof.Replay{Noise: profile}, bets: map[string]*evidence.Bets{}}, nil
}

// weigh judges one answer with the help of a reference.
func (m *margins) weigh(p *pending, t targon.Transcript, need targon.Need, score func(targon.Need) (targon.Scores, error)) targon.Verdict {
	scores, err := score(need)
	if err != nil {
		return ruled(p.Arrived, targon.ReasonReference, err.Error()).Verdict
	}
	verdict, ask := proof.Weigh(t, scores, m.replay)
	for range proof.MaxAsks {
		if !ask.Wanted() {
			break
		}
		if scores, err = score(ask.Need); err != nil {
			return ruled(p.Arrived, targon.ReasonReference, err.Error()).Verdict
		}
		verdict, ask = proof.Weigh(t, scores, m.replay)
	}
	return m.settle(verdict, p.Origin, t, scores)
}

// settle holds a verdict against the nulls. Whatever was counted is bet on, whichever the
// reason: a bet that is called off after it was won or lost is no fair bet.
func (m *margins) settle(v targon.Verdict, origin targon.Origin, t targon.Transcript, s targon.Scores) targon.Verdict {
	if !v.Weighed() {
		return v
	}
	r, cold := t.Request, t.Request.Sampling.Temperature < evidence.MinTemperature
	if cold && origin == targon.OriginChallenge {
		return v
	}
	r.Sampling.Temperature = max(r.Sampling.Temperature, evidence.MinTemperature)
	nulls, ok := m.nulls.Of(r, len(t.Tokens))
	if !ok {
		return v
	}
	table := m.table(nulls)
	bet := table.Of(v.Tally)
	v.Nulls = nulls
	if !cold {
		v.Bet = slices.Clone(bet[:])
	}
	return proof.Ended(proof.Settle(v, bet.Surprising()), t, s, m.replay, table.FalseEnd)
}

// table returns the bets against nulls of these packs.
func (m *margins) table(of []targon.Null) *evidence.Bets {
	key := fmt.Sprint(of)
	m.mu.Lock()
	defer m.mu.Unlock()
	b := m.bets[key]
	if b == nil {
		b, _ = m.nulls.Bets(of)
		m.bets[key] = b
	}
	return b
}

// byMargins is verdict for answers that are weighed.
func (v *Verifier) byMargins(ctx context.Context, p *pending, t targon.Transcript, need targon.Need) targon.Verdict {
	p.shown.Replay = bundle.Replay{Noise: v.margins.replay.Noise, Band: v.margins.replay.Band}
	return v.margins.weigh(p, t, need, func(need targon.Need) (targon.Scores, error) {
		scores, err := v.score(ctx, v.cfg.Reference, t, need)
		p.shown.Scores = &scores
		return scores, err
	})
}
