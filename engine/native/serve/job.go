package serve

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"slices"

	"targon"
	"targon/engine/native"
)

// maxEntries bounds how many log-probabilities one answer may hold.
const maxEntries = 1 << 20

// A prompt is ids, and the text that stands for them where it is repeated.
type prompt struct {
	ids  []targon.TokenID
	text string
}

// A lot is one answer to one of the prompts.
type lot struct {
	prompt int // which
	index  int // of the choice
	seed   uint64
}

// lots returns the answers that are asked for. The seeds of several answers to a prompt
// count up, as in vLLM (its v1/engine/parallel_sampling).
func (j *job) lots() []lot {
	out := make([]lot, 0, len(j.prompts)*j.n)
	for i := range j.prompts {
		for k := range j.n {
			out = append(out, lot{prompt: i, index: len(out), seed: *j.seed + uint64(k)})
		}
	}
	return out
}

// A job is an order that the model can fill.
type job struct {
	order
	prompts []prompt
	eos     []targon.TokenID
}

// plan encodes an order's prompts and holds it to the model's limits.
func (s *Server) plan(ctx context.Context, o order) (*job, error) {
	if err := s.known(o.model); err != nil {
		return nil, err
	}
	j := &job{order: o, eos: s.Model.EOS()}
	for _, text := range j.texts { // before it costs anything
		if most := s.longest * s.Model.Context(); s.longest > 0 && len(text) > most {
			return nil, badBody("This model's maximum context length is %d tokens: a prompt of %d bytes has more", s.Model.Context(), len(text))
		}
	}
	if err := s.encode(ctx, j); err != nil {
		return nil, err
	}
	if len(j.tuning.Bias) > 0 {
		if last := slices.Max(slices.Collect(maps.Keys(j.tuning.Bias))); int(last) >= s.Model.Vocab() {
			return nil, badField("logit_bias", "id %d, the model has %d", last, s.Model.Vocab())
		}
	}
	for _, id := range j.stopIDs { // others cannot come up
		if int(id) < s.Model.Vocab() {
			j.tuning.Stops = append(j.tuning.Stops, id)
		}
	}
	for _, limit := range []struct {
		name string
		n    *int
	}{{"logprobs", &j.top}, {"prompt_logprobs", &j.promptTop}} {
		if *limit.n == all {
			*limit.n = s.Model.Vocab()
		}
		if s.MaxLogprobs >= 0 && *limit.n > s.MaxLogprobs {
			return nil, badField(limit.name, "%d, at most %d (--max-logprobs)", *limit.n, s.MaxLogprobs)
		}
	}
	if j.echo && j.promptTop == none {
		j.promptTop = j.top
	}
	if j.seed == nil {
		seed := s.Random()
		j.seed = &seed
	}
	return j, s.fits(j)
}

// known refuses a request for another model; none need be named.
func (s *Server) known(model string) error {
	if model == "" || model == s.Name {
		return nil
	}
	param := "model"
	return &problem{fmt.Sprintf("The model `%s` does not exist.", model), typeNotFound, &param, http.StatusNotFound}
}

// shortText is a size of texts that wait for none that are longer.
const shortText = 16 << 10

// encode fills a job's prompts.
func (s *Server) encode(ctx context.Context, j *job) error {
	size := 0
	for _, text := range j.texts {
		size += len(text)
	}
	for _, m := range j.messages {
		size += len(m.Content)
	}
	if size > shortText {
		weight := int64(min(size, maxBody))
		if err := s.texts.Acquire(ctx, weight); err != nil {
			return fmt.Errorf("wait to encode %d bytes: %w", size, err)
		}
		defer s.texts.Release(weight)
	}
	if len(j.messages) > 0 {
		list, err := s.Model.Render(j.messages)
		if err != nil {
			return err //nolint:wrapcheck // it says what was done
		}
		j.prompts = []prompt{{ids: list}}
		return nil
	}
	if err := s.Model.TextError(); err != nil && len(j.texts) > 0 {
		return badField("prompt", "%v: send ids", err)
	}
	for _, text := range j.texts {
		j.prompts = append(j.prompts, prompt{s.Model.Prompt(text, j.special), text})
	}
	for _, list := range j.order.prompts {
		p := prompt{ids: list}
		for i, id := range list {
			if int(id) >= s.Model.Vocab() {
				return badField("prompt", "id %d at position %d, the model has %d", id, i, s.Model.Vocab())
			}
		}
		if j.echo {
			p.text = s.Model.Text(list)
		}
		j.prompts = append(j.prompts, p)
	}
	return nil
}

// fits settles how long the answer may be, and refuses what would not fit the context
// or make an answer of no reasonable size.
func (s *Server) fits(j *job) error {
	length, entries := int64(s.Model.Context()), int64(0)
	for _, p := range j.prompts {
		n := int64(len(p.ids))
		if n == 0 {
			return badField("prompt", "is empty")
		}
		if j.maxTokens < 0 { // a chat, which has one prompt
			j.maxTokens = min(max(1, length-n), targon.MaxOutputTokens)
		}
		if int64(j.tuning.MinTokens) > j.maxTokens {
			return badField("min_tokens", "%d, of %d ids at most", j.tuning.MinTokens, j.maxTokens)
		}
		if n+j.maxTokens > length {
			return badBody("This model's maximum context length is %d tokens: the prompt has %d, and up to %d are asked for", length, n, j.maxTokens)
		}
		entries += n*int64(max(0, j.promptTop+1)) + int64(j.n)*j.maxTokens*int64(max(0, j.top+1))
	}
	if entries > maxEntries {
		return badBody("%d log-probabilities at most are asked for, the limit is %d: ask for fewer, or in parts", entries, maxEntries)
	}
	return nil
}

func (j *job) request(l lot) targon.Request {
	r := targon.Request{Prompt: j.prompts[l.prompt].ids, MaxTokens: uint32(j.maxTokens), Sampling: j.sampling}
	r.Sampling.Seed = l.seed
	return r
}

// A step is one id of an answer, after the rules that end answers.
type step struct {
	id     targon.TokenID
	text   string          // that is certain now; it may belong to earlier ids
	at     targon.Position // zero unless log-probabilities are wanted
	finish string          // of the last: stop or length
	reason any             // the stop string or id that ended it, if one did
}

// answer yields the ids of an answer; leaving the loop ends the work.
func (s *Server) answer(ctx context.Context, j *job, l lot) iter.Seq2[step, error] {
	return func(yield func(step, error) bool) {
		if j.maxTokens == 0 {
			return
		}
		stop, n := Stopper{Stops: j.stops, Include: j.includeStop}, int64(0)
		for d, err := range s.Engine.Tuned(ctx, j.request(l), j.tuning, j.top) {
			if err != nil {
				yield(step{}, err)
				return
			}
			n++
			x := j.settle(d, &stop, n)
			if !yield(x, nil) || x.finish != "" {
				return
			}
		}
	}
}

// settle decides whether the n-th id ends the answer, and what text is certain.
func (j *job) settle(d native.Drawn, stop *Stopper, n int64) step {
	x := step{id: d.Token.ID, at: d.Position}
	if _, end := slices.BinarySearch(j.eos, x.id); end && !j.tuning.IgnoreEnds {
		x.finish, x.text = "stop", stop.Flush()
		return x
	}
	if slices.Contains(j.stopIDs, x.id) {
		x.finish, x.reason, x.text = "stop", x.id, stop.Flush()
		if j.includeStop {
			x.text += d.Token.Text
		}
		return x
	}
	var text, hit string
	if n <= int64(j.tuning.MinTokens) { // stop strings do not count yet, as in vLLM
		text = d.Token.Text
	} else {
		text, hit = stop.Add(d.Token.Text)
	}
	switch x.text = text; {
	case hit != "":
		x.finish, x.reason = "stop", hit
	case n == j.maxTokens:
		x.finish = "length"
		x.text += stop.Flush()
	}
	return x
}

// positions scores a prompt: what the model says about each of its ids but the first.
// The result has an entry for the first as well, which is empty.
func (s *Server) positions(ctx context.Context, p prompt, top int) ([]targon.Position, error) {
	out := make([]targon.Position, 1, len(p.ids))
	if len(p.ids) == 1 {
		return out, nil
	}
	scores, err := s.Engine.Score(ctx, targon.Request{Prompt: p.ids[:1]}, p.ids[1:], targon.Need{Top: top})
	if err != nil {
		return nil, err //nolint:wrapcheck // it says what was done
	}
	return append(out, scores.Positions...), nil
}
