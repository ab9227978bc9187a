package serve

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"
	"unicode/utf8"

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
		j, err := s.plan(o)
		if err != nil {
			return err
		}
		if j.stream {
			return s.stream(r.Context(), w, by, j)
		}
		return s.whole(r.Context(), w, by, j)
	}
}

// whole answers in one piece.
func (s *Server) whole(ctx context.Context, w http.ResponseWriter, by shape, j *job) error {
	out := s.frame(by, j)
	out.Usage = new(usage)
	for i, p := range j.prompts {
		at, err := s.positions(ctx, j, p)
		if err != nil {
			return err
		}
		all := part{index: i, prompt: p, positions: at, begins: true}
		for x, err := range s.answer(ctx, j, p) {
			if err != nil {
				return err
			}
			all.steps = append(all.steps, x)
		}
		out.Usage.add(len(p.ids), len(all.steps))
		if !by.chat {
			out.Choices = append(out.Choices, s.textChoice(j, all))
			continue
		}
		out.Choices = append(out.Choices, s.chatChoice(j, all))
		t := promptTables(s.Model, at, j.promptTop)
		out.PromptLogprobs = &t
		if j.returnIDs {
			out.PromptIDs = &p.ids
		}
	}
	writeJSON(w, http.StatusOK, out)
	return nil
}

// errNothing is a fault of the engine: an answer has at least one id.
var errNothing = errors.New("engine drew nothing")

// A stream writes an answer as events. Nothing is sent before the first event, so that
// what goes wrong until then has a status of its own.
type stream struct {
	s     *Server
	by    shape
	job   *job
	frame reply
	used  usage
	w     http.ResponseWriter
	out   *sse.Writer // nil until the first event
}

func (s *Server) stream(ctx context.Context, w http.ResponseWriter, by shape, j *job) error {
	t := &stream{s: s, by: by, job: j, frame: s.frame(by, j), w: w}
	err := t.prompts(ctx)
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

// prompts answers each prompt in turn.
func (t *stream) prompts(ctx context.Context) error {
	for i, p := range t.job.prompts {
		next := part{index: i, prompt: p, begins: true}
		var err error
		if t.job.echo {
			if next.positions, err = t.s.positions(ctx, t.job, p); err != nil {
				return err
			}
		}
		t.used.add(len(p.ids), 0)
		if t.job.maxTokens == 0 {
			if err := t.send(&next); err != nil {
				return err
			}
		}
		for x, err := range t.s.answer(ctx, t.job, p) {
			if err != nil {
				return err
			}
			t.used.add(0, 1)
			next.steps = []step{x}
			if err := t.send(&next); err != nil {
				return err
			}
		}
	}
	return nil
}

// send writes the chunk of one part, and before the first of a chat one that says who
// speaks.
func (t *stream) send(p *part) error {
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
		first.Choices = []any{chatChoice{Delta: &turn{"assistant", &empty}}}
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
