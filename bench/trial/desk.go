package trial

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"targon"
	"targon/challenge"
	"targon/engine/native"
	"targon/engine/redteam"
	"targon/evidence"
	"targon/proof"
	"targon/sign"
)

// A Desk has answers made and judged: it has the verifier's side of a model, and a
// prover's key.
type Desk struct {
	Model     *native.Model
	honest    *native.Engine // provers' own, which keeps what it computed
	reference *native.Engine // the verifier's, which does not: an audit is a whole prefill
	pack      evidence.Pack
	nulls     *evidence.Nulls
	bets      []*evidence.Bets // by stratum
	prover    *sign.Key
	verifier  targon.Hotkey
	root      targon.Secret
}

// Known keys: nothing of what is measured here is worth a secret.
var (
	proverSeed   = targon.Secret{'p', 'r', 'o', 'v', 'e', 'r'}
	verifierSeed = targon.Secret{'v', 'e', 'r', 'i', 'f', 'i', 'e', 'r'}
)

// NewDesk returns a desk for a model and its calibration pack.
func NewDesk(m *native.Model, p evidence.Pack) (*Desk, error) {
	if p.Weights != m.Digest() {
		return nil, fmt.Errorf("pack of weights %v, model %s is %v", p.Weights, m.Name(), m.Digest())
	}
	d := &Desk{Model: m, pack: p, root: verifierSeed}
	var err error
	if d.nulls, err = evidence.NewNulls(p); err != nil {
		return nil, err
	}
	if d.honest, err = native.New(m, native.Options{}); err != nil {
		return nil, err
	}
	if d.reference, err = native.New(m, native.Options{ReuseBytes: -1}); err != nil {
		return nil, err
	}
	if d.prover, err = sign.FromSeed(proverSeed); err != nil {
		return nil, err
	}
	v, err := sign.FromSeed(verifierSeed)
	if err != nil {
		return nil, err
	}
	d.verifier = v.Hotkey()
	for i := range p.Strata {
		d.bets = append(d.bets, p.Bets(i))
	}
	return d, nil
}

// Request addresses a draft, as a verifier does.
func (d *Desk) Request(draft targon.Draft, index uint64) targon.Request {
	draft.Model = d.Model.Name()
	return challenge.Address(d.root, draft, d.Model.Digest(), d.verifier, d.prover.Hotkey(), challenge.Nonce{Index: index})
}

// Answer has an engine answer a request, and the prover sign for it.
func (d *Desk) Answer(ctx context.Context, e redteam.Engine, r targon.Request) (targon.Transcript, error) {
	t := targon.Transcript{Request: r}
	for tok, err := range e.Generate(ctx, r) {
		if err != nil {
			return t, err
		}
		t.Tokens = append(t.Tokens, tok.ID)
	}
	if len(t.Tokens) == 0 {
		return t, errors.New("an engine gave no ids")
	}
	finish := targon.FinishStop
	if len(t.Tokens) == int(r.MaxTokens) && !slices.Contains(d.Model.EOS(), t.Tokens[len(t.Tokens)-1]) {
		finish = targon.FinishLength
	}
	t.Receipt = targon.ReceiptFor(r, t.Tokens, finish)
	var err error
	t.Receipt.Signature, err = d.prover.Sign(t.Receipt.Message())
	return t, err
}

// Judge checks a transcript as a verifier does that has a pack: what needs no model, one
// prefill, margins by replay, and a bet against the null of the request's stratum.
func (d *Desk) Judge(ctx context.Context, t targon.Transcript) (Answer, error) {
	a := Answer{Tokens: uint32(len(t.Tokens))}
	v, need, ok := proof.Precheck(t, proof.Model{Vocab: d.Model.Vocab()})
	if !ok {
		a.Denied, a.Reason = v.Outcome == targon.Failed, v.Reason
		return a, nil
	}
	var s targon.Scores
	for range proof.MaxAsks {
		var err error
		if s, err = d.reference.Score(ctx, t.Request, t.Tokens, need); err != nil {
			return a, err
		}
		var ask proof.Ask
		v, ask = proof.Weigh(t, s, proof.Replay{})
		if !ask.Wanted() {
			break
		}
		need = ask.Need
	}
	a.Tally = v.Tally
	d.bet(&a, t.Request)
	if !a.Uncalibrated {
		v = proof.Ended(proof.Settle(v, a.Bet.Surprising()), t, s, proof.Replay{}, a.Bets.FalseEnd)
	}
	a.Denied, a.Undecided, a.Reason = v.Outcome == targon.Failed, v.Outcome == targon.Undecided, v.Reason
	return a, nil
}

// bet finds what an answer is held against, and bets.
func (d *Desk) bet(a *Answer, r targon.Request) {
	of, ok := d.nulls.Of(r, int(a.Tokens))
	if !ok {
		a.Uncalibrated = true
		return
	}
	a.Bets = d.bets[of[0].Stratum]
	a.Bet = a.Bets.Of(a.Tally)
}

// together is how many requests are answered at a time.
const together = 16

// all has requests answered and judged, in their order, some at a time unless the engine
// is to see one after the other.
func (d *Desk) all(ctx context.Context, e redteam.Engine, batch []targon.Request, alone bool) (Pool, error) {
	out, errs := make(Pool, len(batch)), make([]error, len(batch))
	var wg sync.WaitGroup
	one := func(i int, t targon.Transcript, err error) {
		if err == nil {
			out[i], err = d.Judge(ctx, t)
		}
		errs[i] = err
	}
	for i, r := range batch {
		if alone {
			t, err := d.Answer(ctx, e, r)
			wg.Go(func() { one(i, t, err) })
			continue
		}
		wg.Go(func() {
			t, err := d.Answer(ctx, e, r)
			one(i, t, err)
		})
	}
	wg.Wait()
	return out, errors.Join(errs...)
}
