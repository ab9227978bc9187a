package trial

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"targon"
	"targon/engine/native"
	"targon/engine/native/chat"
	"targon/engine/redteam"
	"targon/model/corpus"
	"targon/node"
)

// A bar is what a cheat must come up to.
type bar uint8

const (
	published bar = iota // its figures are shown, and need not come up to anything
	byEight              // AUC ≥ 0.999 after 8 expected flips
	atOnce               // convicted within one answer of at most 64 ids in 99 %
	byLaw                // AUC ≥ 0.99 after 500 ids
	byMany               // convicted within a number of ids in 95 %
	byAnswer             // 99 % of single answers are told from the honest
)

// A regime is how a cheat is tried.
type regime struct {
	bar    bar
	within uint64 // ids until it is to be convicted
	// alone: it remembers what it was asked, so requests come one after the other; its
	// first answers, warm of them, are honest and not looked at.
	alone bool
	warm  int
	// changed: only answers count whose ids are not those of the honest engine.
	changed bool
	// chats: it is asked what has an end.
	chats bool
}

// few is the longest answer that a cheat of bar atOnce gives.
const few = 64

func regimeOf(name string) regime {
	switch name {
	case "q4_0", "q4_k", "adversarial-temperature":
		return regime{bar: byEight}
	case "smaller-model", "other-model", "hidden-prompt", "wrong-seed", "copy":
		return regime{bar: atOnce, within: few}
	case "no-seed":
		return regime{bar: atOnce, within: few, alone: true}
	case "lossy-draft": // it answers one request at a time
		return regime{alone: true}
	case "replay":
		return regime{bar: atOnce, within: few, alone: true, warm: 1}
	case "lookup":
		return regime{bar: atOnce, within: few, alone: true, warm: 16}
	case "retokenized":
		return regime{bar: atOnce, within: few, changed: true}
	case "temp-0.9", "temp-1.1", "top-p", "top-k":
		return regime{bar: byLaw}
	case "q8_0":
		return regime{bar: byMany, within: 10_000}
	case "runner-up-1pct", "one-in-ten", "long-only", "last-tenth":
		return regime{bar: byMany, within: 20_000}
	case "truncate":
		return regime{bar: byAnswer, changed: true}
	case "pad", "skip-eos":
		return regime{bar: byAnswer, changed: true, chats: true}
	default:
		return regime{bar: published}
	}
}

// mostChat is how many ids a chat's answer may have: most end by then.
const mostChat = 192

// prompts returns what a cheat is asked: openings of stories at temperature 1, as
// challenges are, or questions whose answers end by themselves.
func (d *Desk) prompts(g regime) func(*rand.Rand) targon.Draft {
	open := node.Openings(d.Model)
	return func(rng *rand.Rand) targon.Draft {
		draft := open(rng)
		switch {
		case g.bar == atOnce:
			draft.MaxTokens = few
		case g.chats:
			if ids, err := d.Model.Render([]chat.Message{{Role: "user", Content: corpus.Question(rng)}}); err == nil {
				draft.Prompt, draft.MaxTokens = ids[:min(len(ids), few)], mostChat
			}
		}
		return draft
	}
}

// A Row is how a cheat fared. What could not be measured is nil: a figure over more ids
// than were generated, or a time that never came.
type Row struct {
	Name     string  `json:"name"`
	Tokens   uint64  `json:"tokens"`
	Requests int     `json:"requests"`
	FlipRate float64 `json:"flip_rate"`
	AUC300   float64 `json:"auc_300"`
	AUC500   float64 `json:"auc_500"`
	// AUC8 is the AUC after TokensOf8 ids: as many as hold 8 expected flips, and 300
	// where these hold more.
	AUC8      *float64 `json:"auc_8_flips"`
	TokensOf8 uint64   `json:"tokens_of_8_flips,omitempty"`
	Mean      *float64 `json:"tokens_to_conviction_mean"`
	P95       *float64 `json:"tokens_to_conviction_p95"`
	Share     *float64 `json:"convicted_share"` // within Within ids
	Within    uint64   `json:"within"`          // ids; the first answer counts whole
	// Power is the share of single answers that are told from the honest, at a rate of
	// one false alarm in a thousand; Refused of those that earn nothing.
	Power   float64 `json:"power"`
	Refused float64 `json:"refused_share"`
	Bar     string  `json:"bar"`
	Met     *bool   `json:"met"` // nil: no bar, or not enough ids to tell

	pool Pool
}

// pool has a cheat answer until it has given so many ids, and judges them.
func (d *Desk) pool(ctx context.Context, name string, tokens uint64, seed uint64) (Pool, error) {
	e, err := redteam.New(name, d.honest, native.Options{}, seed)
	if err != nil {
		return nil, err
	}
	out, err := d.answers(ctx, e, regimeOf(name), tokens, seed)
	if err != nil {
		return nil, fmt.Errorf("cheat %s: %w", name, err)
	}
	return out, nil
}

// answers has an engine answer, in a regime, until it has given so many ids.
func (d *Desk) answers(ctx context.Context, e redteam.Engine, g regime, tokens uint64, seed uint64) (Pool, error) {
	rng := rand.New(rand.NewPCG(seed, 0xc4ea7)) // not the generator that packs are made with
	draft := d.prompts(g)
	var out Pool
	for index, have := uint64(0), uint64(0); have < tokens; {
		batch := make([]targon.Request, together)
		for i := range batch {
			batch[i] = d.Request(draft(rng), seed<<32+index)
			index++
		}
		got, err := d.all(ctx, e, batch, g.alone)
		if err != nil {
			return nil, err
		}
		if first := index - together; first < uint64(g.warm) {
			got = got[min(uint64(g.warm)-first, together):]
		}
		if g.changed {
			got = slices.DeleteFunc(got, unchanged)
		}
		out = append(out, got...)
		have = out.Tokens()
		if index*few > 100*tokens+100_000 {
			return nil, fmt.Errorf("%d of %d answers were not honest", len(out), index)
		}
	}
	return out, nil
}

// unchanged reports that an answer is the honest one: the reference computes with equal
// bits, so any other has a flip.
func unchanged(a Answer) bool {
	_, flips := a.Tally.Total()
	return flips == 0 && !a.Denied
}

// row measures a cheat against honest answers.
func (d *Desk) row(ctx context.Context, name string, honest Pool, o Options) (Row, error) {
	pool, err := d.pool(ctx, name, o.Tokens, o.Seed)
	if err != nil {
		return Row{}, err
	}
	g := regimeOf(name)
	r := Row{
		Name: name, Tokens: pool.Tokens(), Requests: len(pool), FlipRate: pool.FlipRate(), Power: Power(honest, pool), Refused: pool.Refused(), pool: pool,
		AUC300: AUC(honest, pool, 300, o.Seed), AUC500: AUC(honest, pool, 500, o.Seed), Within: g.within,
	}
	if r.Within == 0 {
		r.Within = o.Tokens
	}
	if r.FlipRate > 0 {
		r.TokensOf8 = max(300, uint64(math.Ceil(8/r.FlipRate)))
		if r.TokensOf8 <= o.Tokens {
			r.AUC8 = new(AUC(honest, pool, r.TokensOf8, o.Seed))
		}
	}
	c := pool.Caught(r.Within, o.Tokens, o.Seed)
	r.Mean, r.P95 = finite(c.Mean), finite(c.P95)
	if r.Within <= o.Tokens {
		r.Share = &c.Share
	}
	r.judge(g)
	return r, nil
}

// judge compares the figures with the cheat's bar.
func (r *Row) judge(g regime) {
	var met bool
	switch g.bar {
	case published:
		r.Bar = "published"
		return
	case byEight:
		r.Bar = "AUC ≥ 0.999 at 8 flips; ≥ 0.998 at 300 and mean < 200 where 2 % flip"
		if r.AUC8 == nil {
			return
		}
		met = *r.AUC8 >= 0.999 && (r.FlipRate < 0.02 || r.AUC300 >= 0.998 && r.Mean != nil && *r.Mean < 200)
	case atOnce:
		r.Bar = "one answer convicts in 99 %"
		met = r.Share != nil && *r.Share >= 0.99
	case byLaw:
		r.Bar = "AUC ≥ 0.99 at 500"
		met = r.AUC500 >= 0.99
	case byMany:
		r.Bar = fmt.Sprintf("convicted within %d in 95 %%", g.within)
		if r.Share == nil {
			return
		}
		met = *r.Share >= 0.95
	case byAnswer:
		r.Bar = "power ≥ 0.99 an answer, one false alarm in 1000"
		met = r.Power >= 0.99
	}
	r.Met = &met
}

// finite returns nil for what is no number of ids.
func finite(x float64) *float64 {
	if math.IsInf(x, 0) || math.IsNaN(x) {
		return nil
	}
	return &x
}
