package trial

import (
	"context"
	"fmt"
	"slices"

	"targon/engine/redteam"
)

// Options of a trial. [Usual] suits most.
type Options struct {
	Tokens      uint64   // that each cheat gives
	Cheats      []string // of redteam.Names; nil: all
	Requests    int      // of honest provers, at least
	Texts       int      // that these are drawn from
	Months      int      // of honest provers
	WorstMonths int      // under the worst admissible null
	Candidates  int      // prompts that each search looks at
	Turns       int      // of measuring cost
	Seed        uint64
	Note        func(what string) // told what is under way; nil: nobody is
}

// Usual is a trial of a number of ids a cheat: the honest part is as large as the bound
// on false accusations needs.
func Usual(tokens uint64) Options {
	o := Options{
		Tokens: tokens, Requests: 36_000, Texts: 720, Months: 20_000, WorstMonths: 100_000,
		Candidates: 400, Turns: 9, Seed: 0x7a11,
	}
	if tokens >= 100_000 { // nobody waits for this one
		o.Texts, o.Candidates, o.Turns = 3600, 2000, 15
	}
	return o
}

func (o Options) note(format string, args ...any) {
	if o.Note != nil {
		o.Note(fmt.Sprintf(format, args...))
	}
}

// A Report is all that a trial found.
type Report struct {
	// Alpha is how likely an honest prover-month is to be convicted, at most: what the
	// test may, and how likely the pack's bounds are too low.
	Alpha   float64 `json:"alpha"`
	Model   string  `json:"model"`
	Pack    string  `json:"pack"` // the stacks that it is about
	Cheats  []Row   `json:"cheats"`
	Control *Row    `json:"foreign"` // honest answers that a foreign engine gave, tried like a cheat
	// Hidden says how much an instruction must change to be seen; nil where the cheats
	// that were tried do not hide any.
	Hidden []HiddenRow `json:"hidden,omitempty"`
	Honest Honest      `json:"honest"`
	Cost   Cost        `json:"cost"`

	calm Pool // honest answers to challenges
}

// Run tries every cheat, the honest, and the cost.
func (d *Desk) Run(ctx context.Context, o Options) (Report, error) {
	r := Report{
		Alpha: float64(d.pack.TestPPM+d.pack.BoundPPM) / 1e6, Model: d.Model.Name(),
		Pack: d.pack.Prover + " seen by " + d.pack.Verifier,
	}
	o.note("cost: %d turns", o.Turns)
	var err error
	if r.Cost, err = d.cost(ctx, o.Turns, o.Seed); err != nil {
		return r, fmt.Errorf("measure cost: %w", err)
	}
	o.note("honest: %d texts on two stacks, %d requests", o.Texts, o.Requests)
	texts, err := d.write(ctx, d.traffic(), o.Texts, o.Seed)
	if err != nil {
		return r, fmt.Errorf("write honest texts: %w", err)
	}
	times := (o.Requests + o.Texts - 1) / o.Texts
	pool, err := d.redrawn(ctx, texts, times, o.Seed, func(int) {})
	if err != nil {
		return r, fmt.Errorf("draw honest answers: %w", err)
	}
	o.note("honest: %d months, and %d under the worst null", o.Months, o.WorstMonths)
	r.Honest = pool.honest(len(texts), o)
	r.calm = pool.challenges()
	if err := d.adversary(ctx, &r.Honest, o); err != nil {
		return r, fmt.Errorf("search prompts: %w", err)
	}
	names := o.Cheats
	if names == nil {
		names = redteam.Names()
	}
	for i, name := range append(slices.Clip(names), redteam.Foreign) {
		o.note("%s (%d of %d): %s", name, i+1, len(names)+1, redteam.Describe(name))
		row, err := d.row(ctx, name, r.calm, o)
		if err != nil {
			return r, err
		}
		if name == redteam.Foreign {
			row.Bar, row.Met = "honest: never convicted", nil
			r.Control = &row
			continue
		}
		r.Cheats = append(r.Cheats, row)
	}
	if slices.Contains(names, "hidden-prompt") {
		o.note("hidden instructions of several lengths")
		if r.Hidden, err = d.hidden(ctx, o); err != nil {
			return r, err
		}
	}
	return r, nil
}

// Missed lists what did not come up to its bar, in words.
func (r Report) Missed() (out []string) {
	for _, c := range r.Cheats {
		if c.Met != nil && !*c.Met {
			out = append(out, c.Name+": "+c.Bar)
		}
	}
	h := r.Honest
	for _, c := range []struct {
		missed bool
		what   string
	}{
		{h.Upper95 > 1e-3, "honest: upper bound of convicted months ≤ 1e-3"},
		{h.WorstNull > 1e-3 || h.WorstNull == 0, "worst null: share of convicted months above 0 and ≤ 1e-3"},
		{h.UndecidedShare >= 0.01, "honest: undecided < 1 %"},
		{h.AdversarialConvictions > 0, "adversarial user: no conviction"},
		{r.Cost.At10 > 0.07, "cost: ≤ 7 % of generation at an audit rate of 10 %"},
	} {
		if c.missed {
			out = append(out, c.what)
		}
	}
	return out
}
