package trial

import (
	"cmp"
	"context"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"targon"
	"targon/calibrate"
	"targon/node"
)

// A SearchedUser is what a month is like whose every prompt was searched for.
type SearchedUser struct {
	For         string  `json:"for"`
	Candidates  int     `json:"candidates"`
	Kept        int     `json:"kept"`
	FlipRate    float64 `json:"flip_rate"`
	Convictions int     `json:"convictions"`
}

// A want is what a user who means harm searches prompts for. The user has the model,
// knows both stacks, and knows no seed.
type want struct {
	name string
	// value of a position, given both stacks' logits there: the more the better.
	value    func(ours, theirs []float32) float64
	both     bool // value looks at both
	repeated bool // candidates say few things over and over
}

func wants() []want {
	return []want{
		{"highest entropy", func(ours, _ []float32) float64 { return entropy(ours) }, false, false},
		{"nearest tie", func(ours, _ []float32) float64 { return -lead(ours) }, false, false},
		{"repetition", disagreement, true, true},
		{"widest difference of the stacks", disagreement, true, false},
	}
}

// entropy of drawing at temperature 1, in nats.
func entropy(logits []float32) float64 {
	high, total, weighted := float64(slices.Max(logits)), 0.0, 0.0
	for _, l := range logits {
		x := float64(l) - high
		total += math.Exp(x)
		weighted += x * math.Exp(x)
	}
	return math.Log(total) - weighted/total
}

// lead of the highest logit over the second.
func lead(logits []float32) float64 {
	first, second := math.Inf(-1), math.Inf(-1)
	for _, l := range logits {
		switch v := float64(l); {
		case v > first:
			first, second = v, first
		case v > second:
			second = v
		}
	}
	return first - second
}

// disagreement is about how often a draw at temperature 1 differs between the stacks:
// half of the sum of differences of probabilities.
func disagreement(ours, theirs []float32) float64 {
	a, b := shares(ours), shares(theirs)
	sum := 0.0
	for i := range a {
		sum += math.Abs(a[i] - b[i])
	}
	return sum / 2
}

func shares(logits []float32) []float64 {
	high, total := float64(slices.Max(logits)), 0.0
	out := make([]float64, len(logits))
	for i, l := range logits {
		out[i] = math.Exp(float64(l) - high)
		total += out[i]
	}
	for i := range out {
		out[i] /= total
	}
	return out
}

// candidate makes a prompt to try: a story's opening, one of words in disorder, any ids
// at all, or one or two ids over and over.
func (d *Desk) candidate(rng *rand.Rand, repeated bool) targon.Draft {
	draft := node.Openings(d.Model)(rng)
	ids := func(n int) []targon.TokenID {
		out := make([]targon.TokenID, n)
		for i := range out {
			out[i] = targon.TokenID(rng.IntN(d.Model.Vocab()))
		}
		return out
	}
	kind := 3
	if !repeated {
		kind = rng.IntN(3)
	}
	switch kind {
	case 0:
	case 1:
		rng.Shuffle(len(draft.Prompt), func(i, j int) {
			draft.Prompt[i], draft.Prompt[j] = draft.Prompt[j], draft.Prompt[i]
		})
	case 2:
		draft.Prompt = ids(8 + rng.IntN(40))
	default:
		said, n := ids(1+rng.IntN(3)), 32+rng.IntN(96)
		for draft.Prompt = nil; len(draft.Prompt) < n; {
			draft.Prompt = append(draft.Prompt, said...)
		}
	}
	draft.MaxTokens = few
	return draft
}

// search finds prompts: many are looked at as they are, by what comes next at their last
// ids; the best are answered, and those whose answers are best are kept. The answers'
// texts are returned.
func (d *Desk) search(ctx context.Context, w want, o Options) ([]written, error) {
	s, err := d.stacks()
	if err != nil {
		return nil, err
	}
	rng := rand.New(rand.NewPCG(o.Seed, 0xbad))
	drafts := make([]targon.Draft, o.Candidates)
	texts := make([]written, len(drafts))
	for i := range drafts {
		drafts[i] = d.candidate(rng, w.repeated)
		p := drafts[i].Prompt
		half := max(len(p)-16, len(p)/2)
		texts[i].text = calibrate.Text{Prompt: p[:max(half, 1)], Answer: p[max(half, 1):]}
	}
	best, err := s.rank(ctx, w, texts)
	if err != nil {
		return nil, err
	}
	best = best[:max(len(best)/8, 1)]
	i := -1
	texts, err = d.write(ctx, func(*rand.Rand) targon.Draft { i++; return drafts[best[i]] }, len(best), o.Seed+1)
	if err != nil {
		return nil, err
	}
	if best, err = s.rank(ctx, w, texts); err != nil {
		return nil, err
	}
	var out []written
	for _, i := range best[:max(len(best)/4, 1)] {
		out = append(out, texts[i])
	}
	return out, nil
}

// rank orders texts by the mean value of their answers' positions, best first.
func (s stacks) rank(ctx context.Context, w want, texts []written) ([]int, error) {
	values, order := make([]float64, len(texts)), make([]int, len(texts))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, t := range texts {
		order[i] = i
		if len(t.text.Answer) == 0 {
			values[i] = math.Inf(-1)
			continue
		}
		g.Go(func() error {
			ours, err := calibrate.Rows(ctx, s.ours, t.text)
			if err != nil {
				return err
			}
			theirs := ours
			if w.both {
				if theirs, err = calibrate.Rows(ctx, s.theirs, t.text); err != nil {
					return err
				}
			}
			for j := range ours {
				values[i] += w.value(ours[j], theirs[j]) / float64(len(ours))
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(cmp.Compare(values[b], values[a]), cmp.Compare(a, b)) })
	return order, nil
}

// adversary adds months of users who search to h.
func (d *Desk) adversary(ctx context.Context, h *Honest, o Options) error {
	for _, w := range wants() {
		o.note("searching prompts: %s", w.name)
		texts, err := d.search(ctx, w, o)
		if err != nil {
			return err
		}
		pool, err := d.redrawn(ctx, texts, max(o.Requests/len(texts)/len(wants()), 1), o.Seed+2, func(int) {})
		if err != nil {
			return err
		}
		months := o.Months / len(wants())
		u := SearchedUser{
			For: w.name, Candidates: o.Candidates, Kept: len(texts), FlipRate: pool.FlipRate(),
			Convictions: pool.Months(months, requestsPerMonth, o.Seed),
		}
		h.Searches = append(h.Searches, u)
		h.AdversarialMonths += months
		h.AdversarialConvictions += u.Convictions
	}
	return nil
}
