package serve

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"

	"targon"
	"targon/wire/sse"
)

// writeTime bounds one write to a client that does not read.
const writeTime = 30 * time.Second

// complete answers one of the two endpoints.
func (s *Server) complete(by shape, parse func([]byte) (order, error)) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		raw, err := readBody(w, r)
		if err != nil {
			return err
		}
		o, err := parse(raw)
		if err != nil {
			return err
		}
		j, err := s.plan(r.Context(), o)
		if err != nil {
			return err
		}
		if j.stream {
			return s.stream(r.Context(), w, by, j)
		}
		return s.whole(r.Context(), w, by, j)
	}
}

// each calls f with 0 to n-1, several at a time as long as that leaves half of the
// places to other requests, and returns its first error; then ctx ends for the others.
func (s *Server) each(ctx context.Context, n int, f func(ctx context.Context, i int) error) error {
	if n == 1 {
		return f(ctx, 0)
	}
	group, within := errgroup.WithContext(ctx)
	var begun atomic.Int64
	work := func() error {
		for i := int(begun.Add(1)) - 1; i < n; i = int(begun.Add(1)) - 1 {
			if err := context.Cause(within); err != nil {
				return err
			}
			if err := f(within, i); err != nil {
				return err
			}
		}
		return nil
	}
	group.Go(work)
	for i := 1; i < n && s.spare(); i++ {
		group.Go(func() error {
			defer func() { <-s.places }()
			return work()
		})
	}
	return group.Wait() //nolint:wrapcheck // it is f's
}

// spare takes a place besides the request's own, if more than half of them are free.
func (s *Server) spare() bool {
	if 2*len(s.places) >= cap(s.places) {
		return false
	}
	select {
	case s.places <- struct{}{}:
		return true
	default:
		return false
	}
}

// scored returns what the model says about the prompts, nil for each where nobody asks.
func (s *Server) scored(ctx context.Context, j *job) ([][]targon.Position, error) {
	out := make([][]targon.Position, len(j.prompts))
	if j.promptTop == none {
		return out, nil
	}
	return out, s.each(ctx, len(out), func(ctx context.Context, i int) (err error) {
		out[i], err = s.positions(ctx, j.prompts[i], j.promptTop)
		return err
	})
}

// collect returns a whole answer.
func (s *Server) collect(ctx context.Context, j *job, l lot) ([]step, error) {
	var steps []step
	for x, err := range s.answer(ctx, j, l) {
		if err != nil {
			return nil, err
		}
		steps = append(steps, x)
	}
	return steps, nil
}

// whole answers in one piece.
func (s *Server) whole(ctx context.Context, w http.ResponseWriter, by shape, j *job) error {
	out := s.frame(by, j)
	about, err := s.scored(ctx, j)
	if err != nil {
		return err
	}
	lots := j.lots()
	steps := make([][]step, len(lots))
	if err := s.each(ctx, len(lots), func(ctx context.Context, i int) (err error) {
		steps[i], err = s.collect(ctx, j, lots[i])
		return err
	}); err != nil {
		return err
	}
	out.Usage = new(usage)
	for _, p := range j.prompts {
		out.Usage.add(len(p.ids), 0)
	}
	for i, l := range lots {
		all := part{index: l.index, prompt: j.prompts[l.prompt], positions: about[l.prompt], steps: steps[i], begins: true}
		out.Usage.add(0, len(all.steps))
		if !by.chat {
			out.Choices = append(out.Choices, s.textChoice(j, all))
			continue
		}
		out.Choices = append(out.Choices, s.chatChoice(j, all))
	}
	if by.chat { // which has one prompt
		t := promptTables(s.Model, about[0], j.promptTop)
		out.PromptLogprobs = &t
		if j.returnIDs {
			out.PromptIDs = &j.prompts[0].ids
		}
	}
	writeJSON(w, http.StatusOK, out)
	return nil
}

// errNothing is a fault of the engine: an answer has at least one id.
var errNothing = errors.New("engine drew nothing")

// A stream writes answers as events. Nothing is sent before the first event, so that
// what goes wrong until then has a status of its own.
type stream struct {
	s     *Server
	by    shape
	job   *job
	frame reply
	w     http.ResponseWriter

	mu   sync.Mutex // several answers come at a time
	used usage
	out  *sse.Writer // nil until the first event
}

func (s *Server) stream(ctx context.Context, w http.ResponseWriter, by shape, j *job) error {
	t := &stream{s: s, by: by, job: j, frame: s.frame(by, j), w: w}
	err := t.answers(ctx)
	switch {
	case t.out == nil:
		return cmp.Or(err, errNothing)
	case err != nil:
		err = t.event(s.failure(ctx, err))
	case j.usage:
		last := t.frame
		last.Usage = &t.used
		err = t.event(last)
	}
	if err == nil {
		err = t.out.Event("", []byte("[DONE]"))
	}
	if err != nil && ctx.Err() == nil {
		s.Log.DebugContext(ctx, "client stopped reading", "error", err)
	}
	return nil
}

func (t *stream) event(v any) error {
	b, err := encode(v)
	if err != nil {
		return err
	}
	if t.out == nil {
		t.out = sse.NewWriter(t.w, writeTime)
	}
	return t.out.Event("", b) //nolint:wrapcheck // it says what was done
}

// answers sends all answers, those that come at the same time mixed.
func (t *stream) answers(ctx context.Context) error {
	about := make([][]targon.Position, len(t.job.prompts))
	if t.job.echo {
		var err error
		if about, err = t.s.scored(ctx, t.job); err != nil {
			return err
		}
	}
	for _, p := range t.job.prompts {
		t.used.add(len(p.ids), 0)
	}
	lots := t.job.lots()
	return t.s.each(ctx, len(lots), func(ctx context.Context, i int) error {
		l := lots[i]
		return t.one(ctx, l, &part{index: l.index, prompt: t.job.prompts[l.prompt], positions: about[l.prompt], begins: true})
	})
}

// one sends an answer, part by part.
func (t *stream) one(ctx context.Context, l lot, next *part) error {
	if t.job.maxTokens == 0 {
		return t.send(next)
	}
	for x, err := range t.s.answer(ctx, t.job, l) {
		if err != nil {
			return err
		}
		next.steps = []step{x}
		if err := t.send(next); err != nil {
			return err
		}
	}
	return nil
}

// send writes the chunk of one part, and before the first of a chat one that says who
// speaks.
func (t *stream) send(p *part) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.used.add(0, len(p.steps))
	chunk := t.frame
	if t.job.continuous {
		used := t.used
		chunk.Usage = &used
	}
	if !t.by.chat {
		c := t.s.textChoice(t.job, *p)
		chunk.Choices = []any{c}
		p.begins, p.offset = false, p.offset+utf8.RuneCountInString(c.Text)
		return t.event(chunk)
	}
	if p.begins {
		p.begins = false
		first, empty := chunk, ""
		first.Choices = []any{chatChoice{Index: p.index, Delta: &turn{"assistant", &empty}}}
		if t.job.returnIDs {
			first.PromptIDs = &p.prompt.ids
		}
		if err := t.event(first); err != nil {
			return err
		}
	}
	chunk.Choices = []any{t.s.chatChoice(t.job, *p)}
	return t.event(chunk)
}
