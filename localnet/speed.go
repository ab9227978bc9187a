package localnet

import (
	"context"
	"fmt"
	"slices"
	"time"

	"targon"
	"targon/engine/native"
	"targon/proof"
	"targon/sign"
)

// measured is how long each of the two speeds is measured for, in CPU time.
const measured = 300 * time.Millisecond

// speed measures, on the quiet machine, how many ids a second one core generates, the
// prompt included, and of how many it audits the answer: signature, commitment, one
// prefill of prompt and answer, replay of the noise, tally. Nothing of either is kept from
// one time to the next. Their ratio times the audit rate is what auditing costs.
func speed(ctx context.Context, m *native.Model, r targon.Request) (generate, score float64, err error) {
	e, err := native.New(m, native.Options{Threads: 1, ReuseBytes: -1})
	if err != nil {
		return 0, 0, err
	}
	var ids []targon.TokenID
	generate, err = perCPUSecond(func() (int, error) {
		ids = ids[:0]
		for t, err := range e.Generate(ctx, r) {
			if err != nil {
				return 0, fmt.Errorf("measure generating: %w", err)
			}
			ids = append(ids, t.ID)
		}
		return len(ids), nil
	})
	if err != nil {
		return 0, 0, err
	}
	t, err := signed(m, r, ids)
	if err != nil {
		return 0, 0, fmt.Errorf("measure scoring: %w", err)
	}
	score, err = perCPUSecond(func() (int, error) { return len(ids), audited(ctx, e, t) })
	return generate, score, err
}

// signed makes ids an answer that some prover has signed.
func signed(m *native.Model, r targon.Request, ids []targon.TokenID) (targon.Transcript, error) {
	key, err := sign.FromSeed(targon.Secret{1})
	if err != nil {
		return targon.Transcript{}, err
	}
	r.Prover, r.Model, r.Weights = key.Hotkey(), m.Name(), m.Digest()
	finish := targon.FinishStop
	if len(ids) == int(r.MaxTokens) && !slices.Contains(m.EOS(), ids[len(ids)-1]) {
		finish = targon.FinishLength
	}
	t := targon.Transcript{Request: r, Tokens: ids, Receipt: targon.ReceiptFor(r, ids, finish)}
	t.Receipt.Signature, err = key.Sign(t.Receipt.Message())
	return t, err
}

// audited does what a verifier does for one answer, and fails where it does not pass.
func audited(ctx context.Context, e *native.Engine, t targon.Transcript) error {
	v, need, more := proof.Precheck(t, proof.Model{Vocab: e.Model().Vocab()})
	for more {
		s, err := e.Score(ctx, t.Request, t.Tokens, need)
		if err != nil {
			return fmt.Errorf("measure scoring: %w", err)
		}
		var ask proof.Ask
		v, ask = proof.Weigh(t, s, proof.Replay{})
		need, more = ask.Need, ask.Wanted()
	}
	if _, flips := v.Tally.Total(); flips > 0 || v.Reason != targon.ReasonUncalibrated {
		return fmt.Errorf("measure scoring: an honest answer is judged %s, %d ids differ: %s", v.Reason, flips, v.Detail)
	}
	return nil
}

// perCPUSecond repeats f, which returns how much it did, for the time measured.
func perCPUSecond(f func() (int, error)) (float64, error) {
	begun, done := cpuTime(), 0
	for {
		n, err := f()
		if err != nil {
			return 0, err
		}
		done += n
		if spent := cpuTime() - begun; spent >= measured {
			return float64(done) / spent.Seconds(), nil
		}
	}
}
