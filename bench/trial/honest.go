package trial

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"

	"golang.org/x/sync/errgroup"

	"targon"
	"targon/calibrate"
	"targon/engine/native/chat"
	"targon/model/corpus"
	"targon/node"
)

// A Month of one prover is 600 epochs with 6 audited answers each.
const requestsPerMonth = 600 * 6

// An Honest is how honest provers on another stack fared.
type Honest struct {
	Requests         int     `json:"requests"` // in the pool
	Texts            int     `json:"texts"`    // that they are drawn from
	FlipRate         float64 `json:"flip_rate"`
	ProverMonths     int     `json:"prover_months"`
	RequestsPerMonth int     `json:"requests_per_month"`
	FalseConvictions int     `json:"false_convictions"`
	Upper95          float64 `json:"upper95"` // of their share
	// UndecidedShare is of requests whose verdict is none, UndecidedIDs of ids at a
	// filter's edge, which say nothing.
	UndecidedShare float64 `json:"undecided_share"`
	UndecidedIDs   float64 `json:"undecided_ids"`
	// RefusedShare is of answers that earn nothing, since they look like a coincidence.
	RefusedShare float64 `json:"refused_share"`
	WorstMonths  int     `json:"worst_null_months"`
	WorstNull    float64 `json:"worst_null_share"`
	// AdversarialMonths are of a prover whose user searches for prompts.
	AdversarialMonths      int            `json:"adversarial_user_months"`
	AdversarialConvictions int            `json:"adversarial_user_convictions"`
	Searches               []SearchedUser `json:"searches"`
}

// A source draws requests for honest answers, and says what a text is written with.
type source func(*rand.Rand) targon.Draft

// traffic is half challenges, half what users may ask: other temperatures, filters,
// questions, and now and then a long prompt.
func (d *Desk) traffic() source {
	open := node.Openings(d.Model)
	bands := node.Bands(d.Model)
	odd := false
	return func(rng *rand.Rand) targon.Draft {
		draft := open(rng)
		if odd = !odd; odd {
			return draft
		}
		b := bands[rng.IntN(len(bands))]
		draft.Temperature = b.MinTemperature + rng.Float64()*(min(b.MaxTemperature, 2)-b.MinTemperature)
		if n := len(b.Filters); n > 0 {
			f := b.Filters[rng.IntN(n)]
			draft.TopK, draft.TopP, draft.MinP = f.TopK, f.TopP, f.MinP
		}
		var prompt []targon.TokenID
		switch rng.IntN(8) {
		case 0:
			for text := ""; len(prompt) < 256; prompt = d.Model.Encode(text, true) {
				text += corpus.Document(rng)
			}
			prompt = prompt[:min(len(prompt), 512)]
		case 1, 2, 3:
			prompt, _ = d.Model.Render([]chat.Message{{Role: "user", Content: corpus.Question(rng)}})
		}
		if len(prompt) > 0 && len(prompt)+int(draft.MaxTokens) <= d.Model.Context() {
			draft.Prompt = prompt
		}
		return draft
	}
}

// A written text is a request and an answer to it.
type written struct {
	request targon.Request
	text    calibrate.Text
}

// write has the honest engine answer drafts.
func (d *Desk) write(ctx context.Context, from source, n int, seed uint64) ([]written, error) {
	rng := rand.New(rand.NewPCG(seed, 0x40e57))
	requests, out := make([]targon.Request, n), make([]written, n)
	for i := range requests {
		requests[i] = d.Request(from(rng), seed<<32+1<<31+uint64(i))
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(together)
	for i, r := range requests {
		g.Go(func() error {
			t, err := d.Answer(ctx, d.honest, r)
			out[i] = written{r, calibrate.Text{Prompt: r.Prompt, Answer: t.Tokens}}
			return err
		})
	}
	return out, g.Wait()
}

// stacks are the two ends that honest answers are drawn between.
type stacks struct {
	ours, theirs calibrate.Stack
	allowed      calibrate.Allowed
	eos          []targon.TokenID
}

// stacks returns those of the pack, where this program can be both of them.
func (d *Desk) stacks() (s stacks, err error) {
	workers := runtime.GOMAXPROCS(0)
	if s.ours, err = node.Stack(d.Model, d.pack.Verifier, workers); err != nil {
		return s, fmt.Errorf("verifier of the pack: %w", err)
	}
	if s.theirs, err = node.Stack(d.Model, d.pack.Prover, workers); err != nil {
		return s, fmt.Errorf("prover of the pack: %w", err)
	}
	s.allowed, s.eos = node.Allowed(), d.Model.EOS()
	return s, nil
}

// redrawn makes of each text as many answers as told: the logits of both stacks are
// computed once, the noise is drawn anew for each, as packs are made. What a prover
// would have gone on with after a flip is not asked: each answer's ids are judged as
// those of the text.
func (d *Desk) redrawn(ctx context.Context, texts []written, times int, seed uint64, note func(int)) (Pool, error) {
	s, err := d.stacks()
	if err != nil {
		return nil, err
	}
	out := make(Pool, len(texts)*times)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, t := range texts {
		g.Go(func() error {
			rng := rand.New(rand.NewPCG(seed, uint64(i)))
			if err := d.redraw(ctx, s, t, out[i*times:][:times], rng); err != nil {
				return err
			}
			note(i)
			return nil
		})
	}
	return out, g.Wait()
}

// redraw fills in the answers of one text.
func (d *Desk) redraw(ctx context.Context, s stacks, t written, out Pool, rng *rand.Rand) error {
	ours, err := calibrate.Rows(ctx, s.ours, t.text)
	if err != nil {
		return fmt.Errorf("verifier's stack: %w", err)
	}
	theirs, err := calibrate.Rows(ctx, s.theirs, t.text)
	if err != nil {
		return fmt.Errorf("prover's stack: %w", err)
	}
	by := t.request.Sampling
	drawing := calibrate.NewDrawing(rng, s.allowed)
	for j := range ours {
		drawing.Set(ours[j], theirs[j], by)
		for k := range out {
			if m := drawing.Draw(s.eos); m.Decided {
				out[k].Tally.Add(m.Class, m.Ending, m.Flip)
			} else {
				out[k].Tally.Undecided++
			}
		}
	}
	for k := range out {
		a := &out[k]
		a.Tokens = uint32(len(ours))
		d.bet(a, t.request)
		a.Undecided = a.Uncalibrated || 2*a.Tally.Undecided > a.Tokens
		a.Denied = a.Bet.Surprising()
		a.challenge = by == targon.Sampling{Temperature: 1, Seed: by.Seed}
	}
	return nil
}

// challenges returns the answers to what challenges ask: what cheats are compared with.
func (p Pool) challenges() (out Pool) {
	for _, a := range p {
		if a.challenge {
			out = append(out, a)
		}
	}
	return out
}

// honest simulates months of a pool of honest answers.
func (p Pool) honest(texts int, o Options) Honest {
	h := Honest{
		Requests: len(p), Texts: texts, FlipRate: p.FlipRate(), UndecidedIDs: p.UndecidedRate(),
		ProverMonths: o.Months, RequestsPerMonth: requestsPerMonth, WorstMonths: o.WorstMonths,
	}
	for _, a := range p {
		if a.Undecided {
			h.UndecidedShare++
		}
		if a.Denied {
			h.RefusedShare++
		}
	}
	h.UndecidedShare /= float64(max(len(p), 1))
	h.RefusedShare /= float64(max(len(p), 1))
	h.FalseConvictions = p.Months(o.Months, requestsPerMonth, o.Seed)
	h.Upper95 = Upper95(h.FalseConvictions, o.Months)
	h.WorstNull = float64(p.WorstMonths(o.WorstMonths, requestsPerMonth, o.Seed)) / float64(max(o.WorstMonths, 1))
	return h
}
