package verifier

import (
	"context"

	"targon"
	"targon/challenge"
	"targon/proof"
)

// draw applies the one audit rule to every waiting receipt whose block has come:
// PRF(secret of its epoch, receipt digest ‖ hash of the first finalised block at
// arrival + 2 or above) < rate. Chains have no gaps, so that block is arrival + 2;
// a receipt whose block we missed is not drawn with another.
func (v *Verifier) draw(ctx, work context.Context, h targon.Header) error {
	var audits, spared, missed []*pending
	v.mu.Lock()
	wait := v.waiting[:0]
	for _, p := range v.waiting {
		at := p.Block + drawDistance
		hash, known := v.hashes[at]
		switch {
		case at > h.Number:
			wait = append(wait, p)
		case !known:
			missed = append(missed, p)
		case challenge.Drawn(v.secret(p.Epoch), p.Receipt.Digest(), hash, v.state.find(p.Epoch).rate(p.Prover)):
			p.shown.Block = hash
			audits = append(audits, p)
		default:
			spared = append(spared, p)
		}
	}
	clear(v.waiting[len(wait):])
	v.waiting = wait
	v.mu.Unlock()

	if err := v.rule(ctx, spared, targon.ReasonNotDrawn, ""); err != nil {
		return err
	}
	if err := v.rule(ctx, missed, targon.ReasonNoBlock, "the block to draw with was missed"); err != nil {
		return err
	}
	for _, p := range audits {
		v.backlog.Add(1)
		v.judging.Go(func() {
			defer v.backlog.Add(-1)
			v.judge(ctx, work, p)
		})
	}
	return nil
}

func (v *Verifier) secret(e targon.Epoch) targon.Secret { return challenge.EpochSecret(v.cfg.Root, e) }

// judge looks at one drawn answer. It waits for its turn as long as ctx lasts, and
// once begun may go on as long as work does. The journal reports its own failure.
func (v *Verifier) judge(ctx, work context.Context, p *pending) {
	select {
	case v.auditors <- struct{}{}:
		defer func() { <-v.auditors }()
	case <-ctx.Done():
		return // unjudged: the next start rules it Undecided
	}
	if ctx.Err() != nil {
		return
	}
	verdict := v.verdict(work, p)
	if work.Err() != nil {
		return // a call that we cut short says nothing, not even that the reference is down
	}
	v.mu.Lock()
	verdict = proof.Streamed(verdict, v.state.burst(p.Arrived))
	v.mu.Unlock()
	// A crash here: the text is gone with the key, the arrival is still unjudged,
	// and the verdict that nobody was told never was.
	judged := targon.Judged{Epoch: p.Epoch, UID: p.UID, Verdict: verdict}
	v.exhibit(p, judged) // before its epoch can close
	if v.journal.write(work, judged) == nil {
		v.spool.drop(p.Request)
		v.poke()
	}
}

// verdict is what proof concludes with the help of our references. Whatever fails
// here is ours, and Undecided.
func (v *Verifier) verdict(ctx context.Context, p *pending) targon.Verdict {
	t, err := v.spool.get(p.Request)
	if err != nil {
		return ruled(p.Arrived, targon.ReasonOurs, err.Error()).Verdict
	}
	p.shown.Transcript = t
	model := proof.Model{Vocab: v.cfg.Vocab}
	if v.margins != nil {
		model.Noise = v.margins.replay.Noise
	}
	verdict, need, more := proof.Precheck(t, model)
	switch {
	case !more:
		return verdict
	case v.margins != nil:
		return v.byMargins(ctx, p, t, need)
	}
	scores, err := v.score(ctx, v.cfg.Reference, t, need)
	if err != nil {
		return ruled(p.Arrived, targon.ReasonReference, err.Error()).Verdict
	}
	var again *targon.Scores
	verdict, ask := proof.Judge(t, scores, nil)
	for range proof.MaxAsks {
		if !ask.Wanted() {
			break
		}
		switch {
		case ask.Confirm && v.barred(p):
			// The second computation guards the name of who is honest. Whoever is
			// convicted has none left to lose this month, by our fault or by its own.
			again = &scores
		case ask.Confirm:
			second, err := v.score(ctx, v.cfg.Portable, t, ask.Need)
			if err != nil {
				return ruled(p.Arrived, targon.ReasonReference, "confirm: "+err.Error()).Verdict
			}
			again = &second
		default:
			if scores, err = v.score(ctx, v.cfg.Reference, t, ask.Need); err != nil {
				return ruled(p.Arrived, targon.ReasonReference, err.Error()).Verdict
			}
		}
		verdict, ask = proof.Judge(t, scores, again)
	}
	p.shown.Scores, p.shown.Again = &scores, again
	return verdict
}

// barred reports whether the prover is convicted already in the month of an arrival.
func (v *Verifier) barred(p *pending) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	m := targon.MonthOf(p.Block)
	return v.state.convicted(p.Prover, m, m)
}

func (v *Verifier) score(ctx context.Context, r Reference, t targon.Transcript, need targon.Need) (targon.Scores, error) {
	ctx, cancel := context.WithTimeout(ctx, v.cfg.ScoreTime)
	defer cancel()
	return r.Score(ctx, t.Request, t.Tokens, need)
}
