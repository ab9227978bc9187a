package trial

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"

	"targon"
	"targon/bench/speed"
	"targon/engine/native"
	"targon/engine/redteam"
	"targon/node"
)

// A Cost is the CPU time of auditing an answer over that of generating it, medians of
// turns. Auditing is all that a verifier does for an answer: the signature, the chain,
// one prefill, the replay of the noise, the tally, the bet. At an audit rate of 10 % a
// verifier spends a tenth of it for each answer that is given.
type Cost struct {
	Batch1  float64 `json:"score_to_generate_batch1"`
	Batch16 float64 `json:"score_to_generate_batch16"`
	// At10 is Batch1 at an audit rate of 10 %.
	At10  float64 `json:"share_at_audit_rate_0_1"`
	Turns int     `json:"turns"`
}

// cost measures on one thread, prompts of at most 64 ids, answers of 64 to 96.
func (d *Desk) cost(ctx context.Context, turns int, seed uint64) (Cost, error) {
	engine, err := native.New(d.Model, native.Options{Threads: 1, ReuseBytes: -1})
	if err != nil {
		return Cost{}, err
	}
	auditor := *d
	if auditor.reference, err = native.New(d.Model, native.Options{Threads: 1, ReuseBytes: -1}); err != nil {
		return Cost{}, err
	}
	rng := rand.New(rand.NewPCG(seed, 0xc057))
	open := node.Openings(d.Model)
	var one, many []float64
	for turn := range turns {
		requests := make([]targon.Request, together)
		for i := range requests {
			draft := open(rng)
			draft.Prompt = draft.Prompt[:min(len(draft.Prompt), 64)]
			requests[i] = d.Request(draft, seed<<32+uint64(turn*together+i))
		}
		transcripts := make([]targon.Transcript, len(requests))
		alone, err := spent(func() error { return d.generate(ctx, engine, requests, transcripts, false) })
		if err != nil {
			return Cost{}, err
		}
		side, err := spent(func() error { return d.generate(ctx, engine, requests, transcripts, true) })
		if err != nil {
			return Cost{}, err
		}
		audit, err := spent(func() error {
			for _, t := range transcripts {
				if _, err := auditor.Judge(ctx, t); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return Cost{}, err
		}
		one, many = append(one, audit/alone), append(many, audit/side)
	}
	c := Cost{Batch1: median(one), Batch16: median(many), Turns: turns}
	c.At10 = c.Batch1 / 10
	return c, nil
}

// spent returns the seconds of CPU time that f takes.
func spent(f func() error) (float64, error) {
	before := speed.CPUTime()
	err := f()
	return max((speed.CPUTime() - before).Seconds(), 1e-9), err
}

// generate has requests answered one after the other, or side by side.
func (d *Desk) generate(ctx context.Context, e redteam.Engine, requests []targon.Request, out []targon.Transcript, side bool) error {
	errs := make([]error, len(requests))
	var wg sync.WaitGroup
	for i, r := range requests {
		wg.Go(func() { out[i], errs[i] = d.Answer(ctx, e, r) })
		if !side {
			wg.Wait()
		}
	}
	wg.Wait()
	return errors.Join(errs...)
}

func median(x []float64) float64 {
	if len(x) == 0 {
		return 0
	}
	x = slices.Sorted(slices.Values(x))
	return (x[(len(x)-1)/2] + x[len(x)/2]) / 2
}
