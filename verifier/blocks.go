package verifier

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"targon"
	"targon/challenge"
)

const (
	// quietBlocks without a finalised block, and nobody is challenged any more.
	quietBlocks = 10
	// patience is how many blocks a receipt waits for its draw.
	patience = 50
	// hashMemory must cover patience and the draw's distance.
	hashMemory = 64
	// drawDistance lies between an arrival and the block that draws: when the last
	// byte came, that block's hash was known to nobody.
	drawDistance = 2
)

// restore folds the ledger and settles what a crash left open.
func (v *Verifier) restore(ctx context.Context) error {
	if v.running.Swap(true) {
		return errors.New("internal error: a verifier runs once")
	}
	for e, err := range v.cfg.Ledger.All(ctx) {
		if err != nil {
			return fmt.Errorf("read ledger: %w", err)
		}
		if err := v.apply([]targon.Entry{e}); err != nil {
			return fmt.Errorf("replay ledger: %w", err)
		}
	}
	v.mu.Lock()
	for _, e := range v.state.epochs {
		if challenge.Commitment(challenge.EpochSecret(v.cfg.Root, e.opened.Epoch)) != e.opened.SecretHash {
			v.mu.Unlock()
			return fmt.Errorf("epoch %d: %w", e.opened.Epoch, ErrRoot)
		}
	}
	lost := v.state.unjudged()
	// Nonces go on where no earlier process can have been: each of its requests
	// that ended has an entry, and it made fewer than 2^24 more.
	v.asks.Store(v.state.entries << 24)
	v.epochAt = time.Now()
	v.mu.Unlock()

	entries := make([]targon.Entry, len(lost))
	for i, a := range lost {
		entries[i] = ruled(a, targon.ReasonRestart, "the text was lost in a restart")
	}
	// A crash here, or within: the next start finds the rest of them unjudged.
	return v.journal.write(ctx, entries...)
}

// watch ends the verifier when the journal fails in whichever goroutine.
func (v *Verifier) watch(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-v.journal.failed:
		return v.journal.broken()
	}
}

// finish lets judgements end, ends those that take too long, and tells the end of a
// context from a failure. What is left unjudged is settled by the next start.
func (v *Verifier) finish(err error, stop context.CancelFunc) error {
	late := time.AfterFunc(v.cfg.Drain, stop)
	v.judging.Wait()
	late.Stop()
	stop()
	if broken := v.journal.broken(); broken != nil {
		return broken
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

// blocks calls turn for every finalised block that is new to us. A chain that
// breaks off is asked again soon: receipts whose block is missed are not drawn.
func (v *Verifier) blocks(ctx context.Context, turn func(targon.Header) error) error {
	for ctx.Err() == nil {
		for h, err := range v.cfg.Chain.Blocks(ctx) {
			if err != nil {
				if ctx.Err() == nil {
					v.log.WarnContext(ctx, "chain gives no blocks", "error", err)
				}
				break
			}
			if !v.isNew(ctx, h) {
				continue
			}
			if err := turn(h); err != nil {
				return err
			}
		}
		pause(ctx, v.cfg.BlockTime/4)
	}
	return nil
}

// isNew refuses blocks that the ledger is already past: nothing may be dated
// before what is on record.
func (v *Verifier) isNew(ctx context.Context, h targon.Header) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if h.Number < v.state.newest {
		v.log.WarnContext(ctx, "chain is behind the ledger", "block", h.Number, "ledger", v.state.newest)
		return false
	}
	return h.Number > v.height || len(v.hashes) == 0
}

// open begins an epoch if the last one is over, and then moves to the new height.
//
// The order keeps an arrival from being dated into an epoch whose commitment is
// not durable: until height moves, arrivals belong to the epoch before.
func (v *Verifier) open(ctx context.Context, h targon.Header) error {
	if next, due := v.dueEpoch(h); due {
		secret := challenge.EpochSecret(v.cfg.Root, next)
		e := targon.EpochOpened{Epoch: next, Block: h.Number, SecretHash: challenge.Commitment(secret), AuditPPM: v.cfg.AuditPPM}
		// A crash within: the rates that are missing stay those of all others.
		if err := v.journal.write(ctx, v.opening(e)...); err != nil {
			return err
		}
		v.mu.Lock()
		v.epochAt = time.Now()
		v.mu.Unlock()
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.height, v.seen = h.Number, time.Now()
	v.hashes[h.Number] = h.Hash
	for b := range v.hashes {
		if b+hashMemory < h.Number {
			delete(v.hashes, b)
		}
	}
	return nil
}

// dueEpoch returns the epoch that opens at h, if one does.
func (v *Verifier) dueEpoch(h targon.Header) (targon.Epoch, bool) {
	v.mu.Lock()
	now := v.state.current()
	if now == nil {
		defer v.mu.Unlock()
		return v.state.next, true
	}
	// An arrival may be dated at h already if a crash lies between: it stays inside.
	if h.Number < now.opened.Block+targon.Block(v.cfg.Epoch) || h.Number <= v.state.newest {
		defer v.mu.Unlock()
		return 0, false
	}
	p := v.progress(now, h.Number)
	v.mu.Unlock()
	return p.Epoch + 1, v.cfg.CloseEpoch(p) // asked outside the lock: it is not ours
}

// leastLook is what the chain has to answer in at least: where blocks come faster, the
// machine that makes them is ours and busy.
const leastLook = 100 * time.Millisecond

// look refreshes what is known of the chain. What fails stays as it was, except
// that an old private input challenges nobody.
func (v *Verifier) look(ctx context.Context, h targon.Header) {
	ctx, cancel := context.WithTimeout(ctx, max(v.cfg.BlockTime/2, leastLook))
	defer cancel()
	meta, err := v.cfg.Chain.Metagraph(ctx)
	if err != nil {
		v.log.WarnContext(ctx, "metagraph is not known anew", "block", h.Number, "error", err)
	}
	input, bad := v.cfg.Inputs.Input(ctx, h.Number)
	if bad != nil {
		v.log.WarnContext(ctx, "no private input, nobody is challenged", "block", h.Number, "error", bad)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if err == nil {
		v.meta = meta
	}
	v.input, v.fed = input, bad == nil
}

// Progress is how far an epoch has come, for Config.CloseEpoch.
type Progress struct {
	Epoch   targon.Epoch
	Opened  targon.Block
	Height  targon.Block
	Elapsed time.Duration    // since it was opened, or since a restart
	Provers []ProverProgress // none until the chain has said who there is
}

// ProverProgress is one prover's part in an epoch.
type ProverProgress struct {
	UID      targon.UID
	Hotkey   targon.Hotkey
	Asked    int    // requests that ended in the epoch, and those under way
	Complete int    // answers with a receipt
	Audited  uint64 // ids of answers that were drawn and decided
}

// progress describes an epoch; the caller holds the lock.
func (v *Verifier) progress(e *epoch, h targon.Block) Progress {
	p := Progress{Epoch: e.opened.Epoch, Opened: e.opened.Block, Height: h, Elapsed: time.Since(v.epochAt)}
	asked, complete := map[targon.Hotkey]int{}, map[targon.Hotkey]int{}
	for h, f := range v.flights {
		asked[h] = len(f.open)
	}
	for _, r := range e.records {
		asked[r.arrived.Prover]++
		if r.arrived.Status == targon.StatusComplete {
			complete[r.arrived.Prover]++
		}
	}
	for _, n := range v.meta.Provers(v.cfg.Hotkey) {
		p.Provers = append(p.Provers, ProverProgress{
			UID: n.UID, Hotkey: n.Hotkey, Asked: asked[n.Hotkey], Complete: complete[n.Hotkey], Audited: e.audited[n.Hotkey],
		})
	}
	return p
}

// expire gives up receipts for which no block comes to draw with. It goes by the
// clock, since it is blocks that are missing.
func (v *Verifier) expire(ctx context.Context) error {
	for pause(ctx, v.cfg.BlockTime) {
		v.mu.Lock()
		var old []*pending
		v.waiting = slices.DeleteFunc(v.waiting, func(p *pending) bool {
			late := time.Since(p.since) > patience*v.cfg.BlockTime
			if late {
				old = append(old, p)
			}
			return late
		})
		v.mu.Unlock()
		if err := v.rule(ctx, old, targon.ReasonNoBlock, "no finalised block came to draw with"); err != nil {
			return err
		}
	}
	return nil
}

// pause waits and reports whether it was for that long.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
