package subtensor

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"targon"
	"targon/chain/substrate"
)

// ErrTooSoon says that the chain takes no weights from this hotkey yet. Nothing was
// sent.
var ErrTooSoon = errors.New("weights were set too recently")

// stance is what decides about setting weights, all of one finalised block.
type stance struct {
	head    targon.Header
	hyper   Hyperparameters
	uid     targon.UID
	permit  bool
	updated targon.Block
}

// stand reads where this hotkey stands.
func (c *Client) stand(ctx context.Context) (stance, error) {
	if c.key == nil {
		return stance{}, errors.New("no key to sign with")
	}
	head, err := c.node.Finalised(ctx)
	if err != nil {
		return stance{}, err
	}
	s := stance{head: head}
	if s.hyper, err = c.hyperparameters(ctx, head.Hash); err != nil {
		return s, err
	}
	v, err := c.read(ctx, head.Hash, item{"Uids", []any{c.netuid, c.key.Hotkey()}},
		item{"ValidatorPermit", []any{c.netuid}}, item{"LastUpdate", []any{c.netuid}})
	if err != nil {
		return s, err
	}
	if v[0] == nil {
		return s, fmt.Errorf("%s on subnet %d: %w", c.key.Hotkey(), c.netuid, ErrNotRegistered)
	}
	var permits []bool
	var updated []targon.Block
	if err := errors.Join(substrate.Into(v[0], &s.uid), substrate.Into(v[1], &permits), substrate.Into(v[2], &updated)); err != nil {
		return s, err
	}
	if int(s.uid) >= len(permits) || int(s.uid) >= len(updated) {
		return s, fmt.Errorf("uid %d: %w: lists of %d and %d", s.uid, errForm, len(permits), len(updated))
	}
	s.permit, s.updated = permits[s.uid], updated[s.uid]
	return s, nil
}

// check makes the chain's own checks before anything is sent, so that a nonce and a
// place in a block are not spent on a refusal. The chain has the last word.
func (s stance) check(w targon.Weights, key uint64) error {
	if err := w.Validate(); err != nil {
		return err
	}
	if len(w) > int(s.hyper.SubnetworkN) || len(w) > 0 && int(w[len(w)-1].UID) >= int(s.hyper.SubnetworkN) {
		return fmt.Errorf("weights for uids up to %d of %d neurons", w[len(w)-1].UID, s.hyper.SubnetworkN)
	}
	alone := len(w) == 1 && w[0].UID == s.uid
	switch limit := targon.Block(s.hyper.WeightsSetRateLimit); {
	case !s.permit && !alone:
		return NeuronNoValidatorPermit
	case len(w) < min(int(s.hyper.MinAllowedWeights), int(s.hyper.SubnetworkN)) && !alone:
		return fmt.Errorf("%d weights, the chain wants %d", len(w), min(int(s.hyper.MinAllowedWeights), int(s.hyper.SubnetworkN)))
	case s.hyper.WeightsVersionKey != 0 && key < s.hyper.WeightsVersionKey:
		return fmt.Errorf("weights version key %d, the chain wants %d", key, s.hyper.WeightsVersionKey)
	case !s.hyper.CommitRevealWeightsEnabled && s.updated != 0 && s.head.Number+1 < s.updated+limit:
		return fmt.Errorf("%w: at block %d, again at block %d", ErrTooSoon, s.updated, s.updated+limit)
	}
	return nil
}

// SetWeights sets this hotkey's weights and reads them back once they are final. Where
// the subnet demands commit and reveal it does both, which takes RevealPeriodEpochs
// epochs; a process that takes over in between goes on with Resume.
//
// ErrTooSoon, ErrNotRegistered and a Refusal mean that nothing was set;
// rpc.ErrUnknown that only LastUpdate and Weights can tell.
func (c *Client) SetWeights(ctx context.Context, w targon.Weights) error {
	s, err := c.stand(ctx)
	if err == nil {
		err = s.check(w, c.VersionKey)
	}
	if err != nil {
		return fmt.Errorf("set weights: %w", err)
	}
	uids, values := make([]uint16, len(w)), make([]uint16, len(w))
	for i, e := range w {
		uids[i], values[i] = uint16(e.UID), e.Value
	}
	if s.hyper.CommitRevealWeightsEnabled {
		err = c.commitAndReveal(ctx, s, uids, values)
	} else {
		_, err = c.send(ctx, c.key, "set_weights", substrate.Record{
			arg("netuid", c.netuid), arg("dests", uids), arg("weights", values), arg("version_key", c.VersionKey),
		})
	}
	if err != nil {
		return fmt.Errorf("set weights: %w", err)
	}
	got, err := c.Weights(ctx, s.uid)
	if err != nil {
		return fmt.Errorf("read weights back: %w", err)
	}
	if want := stored(w); !slices.Equal(got, want) {
		return fmt.Errorf("%w: uid %d", ErrReadBack, s.uid)
	}
	return nil
}

// stored returns weights as the chain keeps them: those of zero are dropped, which
// targon.Weights.Of does not tell apart.
func stored(w targon.Weights) targon.Weights {
	var out targon.Weights
	for _, e := range w {
		if e.Value != 0 {
			out = append(out, e)
		}
	}
	return out
}

// Weights returns what a neuron last set, as the chain stores it, without zeros.
func (c *Client) Weights(ctx context.Context, u targon.UID) (targon.Weights, error) {
	head, err := c.node.Finalised(ctx)
	if err != nil {
		return nil, err
	}
	v, err := c.read(ctx, head.Hash, item{"Weights", []any{c.netuid, u}})
	if err != nil {
		return nil, err
	}
	var row []targon.Weight
	if err := substrate.Into(v[0], &row); err != nil {
		return nil, fmt.Errorf("weights of uid %d: %w", u, err)
	}
	slices.SortFunc(row, func(a, b targon.Weight) int { return int(a.UID) - int(b.UID) })
	return stored(row), nil
}

// Current returns those weights whose neuron is still the one that was decided about:
// a slot may have changed hands between the metagraph of the decision and now. The rest
// is scaled so that the largest is 65535 again.
func (c *Client) Current(ctx context.Context, decided targon.Metagraph, w targon.Weights) (targon.Weights, error) {
	head, err := c.node.Finalised(ctx)
	if err != nil {
		return nil, err
	}
	slots := make([]item, len(w))
	for i, e := range w {
		slots[i] = item{"Keys", []any{c.netuid, e.UID}}
	}
	now, err := c.read(ctx, head.Hash, slots...)
	if err != nil {
		return nil, fmt.Errorf("read who holds the slots: %w", err)
	}
	var out targon.Weights
	top := uint16(0)
	for i, e := range w {
		if n, ok := decided.ByUID(e.UID); ok && now[i] == n.Hotkey {
			out, top = append(out, e), max(top, e.Value)
		}
	}
	if top == 0 {
		return out, nil
	}
	for i := range out { // to the nearest, as the chain's tools do
		out[i].Value = uint16((uint64(out[i].Value)*65535 + uint64(top)/2) / uint64(top))
	}
	return out, nil
}
