package verifier

import (
	"context"
	"slices"

	"targon"
)

// resend is how many blocks the chain has to show weights before they are sent
// again. After an error they may have been taken all the same, so nothing is sent
// twice in a hurry.
const resend = 2

// sent is what the last SetWeights of this process was about. A crash loses it, at
// no cost but a look at the chain.
type sent struct {
	targon.WeightsDecided
	at  targon.Block // height when it was called
	any bool
}

// send pays what the ledger owes to the chain: the newest decided weights, until
// they are read back. Weights that a later epoch has overtaken are not sent.
func (v *Verifier) send(ctx context.Context) error {
	var last sent
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-v.fresh:
		}
		limited, cancel := context.WithTimeout(ctx, v.cfg.Deadline)
		err := v.pay(limited, &last)
		cancel()
		if err != nil {
			return err
		}
	}
}

// pay does the next thing about the weights that are owed: read back, or send, or
// wait for a block.
func (v *Verifier) pay(ctx context.Context, last *sent) error {
	d, before, owed := v.owed()
	if !owed {
		return nil
	}
	meta, err := v.cfg.Chain.Metagraph(ctx)
	if err != nil {
		v.log.WarnContext(ctx, "weights wait for the chain", "epoch", d.Epoch, "error", err)
		return nil
	}
	if last.any && last.Epoch < d.Epoch && last.at+resend > v.newest() {
		d = last.WeightsDecided // just sent, and overtaken since: what the chain shows may be these
	}
	// Read back first, sent or not: an earlier process may have sent them and died
	// before it could write so.
	if block, ok := v.landed(ctx, d, meta); ok && block > before {
		if err := v.journal.write(ctx, targon.WeightsSet{Epoch: d.Epoch, Block: block}); err != nil {
			return err
		}
		v.poke() // a later epoch may be owed already
		return nil
	}
	height := v.newest()
	switch {
	case last.any && height < last.at+resend:
		return nil
	case height <= before:
		return nil // two updates in one block could not be told apart
	}
	if anew := v.redecide(d, meta); !slices.Equal(anew.Weights, d.Weights) {
		if err := v.journal.write(ctx, anew); err != nil {
			return err
		}
		d = anew
	}
	// A crash from here on: the next start reads the chain before it sends.
	*last = sent{WeightsDecided: d, at: height, any: true}
	if err := v.cfg.Chain.SetWeights(ctx, d.Weights); err != nil {
		v.log.WarnContext(ctx, "weights are not set yet", "epoch", d.Epoch, "error", err)
		return nil
	}
	v.poke() // they may be there to read at once
	return nil
}

// bookkeeper is what a Chain may also be.
type bookkeeper interface {
	Weights(ctx context.Context, u targon.UID) (targon.Weights, error)
}

// landed returns the block in which the chain took weights that were decided.
func (v *Verifier) landed(ctx context.Context, d targon.WeightsDecided, meta targon.Metagraph) (targon.Block, bool) {
	self, ok := meta.ByHotkey(v.cfg.Hotkey)
	if !ok || self.LastUpdate < d.Block {
		return 0, false
	}
	if c, ok := v.cfg.Chain.(bookkeeper); ok {
		got, err := c.Weights(ctx, self.UID)
		if err != nil || !slices.Equal(positive(got), positive(d.Weights)) {
			return 0, false
		}
	}
	return self.LastUpdate, true
}

// positive leaves out zeros, which a chain may keep or not.
func positive(w targon.Weights) targon.Weights {
	return slices.DeleteFunc(slices.Clone(w), func(e targon.Weight) bool { return e.Value == 0 })
}

// owed returns weights that are decided and not set, and the block of the last that
// were set.
func (v *Verifier) owed() (d targon.WeightsDecided, before targon.Block, owed bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	s := v.state
	owed = s.decisions > 0 && (s.sets == 0 || s.set.Epoch < s.decided.Epoch)
	return s.decided, s.set.Block, owed
}

func (v *Verifier) newest() targon.Block {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.height
}

// redecide drops provers that have left since. The decision's block stays: it dates
// the debt, and whatever the chain has taken since then pays it.
func (v *Verifier) redecide(d targon.WeightsDecided, meta targon.Metagraph) targon.WeightsDecided {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.state.scored.Epoch != d.Epoch {
		return d // a later epoch is scored already and will overtake it
	}
	here := present(meta)
	d.Weights = v.state.weights(func(s targon.Score) bool { return listed(d.Weights, s.UID) && here(s) })
	return d
}

// listed reports whether a vector has an entry for a UID, be it 0.
func listed(w targon.Weights, u targon.UID) bool {
	_, ok := slices.BinarySearchFunc(w, u, func(e targon.Weight, u targon.UID) int { return int(e.UID) - int(u) })
	return ok
}

// poke wakes send.
func (v *Verifier) poke() {
	select {
	case v.fresh <- struct{}{}:
	default:
	}
}
