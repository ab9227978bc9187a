package native

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"slices"

	"targon"
	"targon/engine/native/kernel"
)

// Options of an engine. The zero value suits most.
type Options struct {
	// Threads is how many steps are computed at a time; 0 is GOMAXPROCS.
	Threads int
	// Kernel is a name from kernel.Available; empty is the fastest.
	Kernel string
	// MaxSequences is how many calls are served at a time, the others waiting for
	// their turn; 0 is 64. Each holds an attention cache.
	MaxSequences int
	// Cores are shared with other engines; nil: nothing is shared.
	Cores Cores
	// Foreign makes the numerics unlike ours; the zero value does not.
	Foreign Foreign
}

// Cores are processor cores that several engines in one process share: each step of
// any of them takes one. Steps get them in the order in which they asked, so that all
// callers advance evenly, and whatever else the process does is not held up by more
// computing than there are processors.
type Cores chan struct{}

// NewCores returns n cores, or GOMAXPROCS of them when n is 0.
func NewCores(n int) Cores {
	if n <= 0 {
		n = runtime.GOMAXPROCS(0)
	}
	return make(Cores, n)
}

// take waits for a core. The function that it returns gives it back.
func (c Cores) take(ctx context.Context) (release func(), err error) {
	if c == nil {
		return func() {}, nil
	}
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case c <- struct{}{}:
		return func() { <-c }, nil
	}
}

// An Engine runs a model for several callers at a time.
//
// Computing happens in steps: up to 96 positions of a prompt, or one id of an answer.
// A step needs one of Threads workspaces and hands it back before the id is yielded,
// so a caller that is slow to take its ids holds up nobody, and none starves.
type Engine struct {
	model   *Model
	kernel  *kernel.Kernel
	sampler *sampler
	spaces  chan *workspace // nil entries are made on first use
	places  chan struct{}
	cores   Cores
	foreign Foreign
}

// New returns an engine for a model. It fails for a kernel that this machine lacks.
func New(m *Model, o Options) (*Engine, error) {
	k, err := kernel.Select(o.Kernel)
	if err != nil {
		return nil, err
	}
	if err := o.Foreign.check(); err != nil {
		return nil, err
	}
	threads := o.Threads
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	places := o.MaxSequences
	if places <= 0 {
		places = 64
	}
	e := &Engine{
		model: m, kernel: k, sampler: newSampler(),
		spaces: make(chan *workspace, threads), places: make(chan struct{}, places), cores: o.Cores,
		foreign: o.Foreign,
	}
	for range threads {
		e.spaces <- nil
	}
	return e, nil
}

// Model returns what the engine runs.
func (e *Engine) Model() *Model { return e.model }

// Kernel returns the name of the kernels in use, or "foreign" where they are not used
// as arithmetic 1 says.
func (e *Engine) Kernel() string {
	if e.foreign != (Foreign{}) {
		return foreignName
	}
	return e.kernel.Name()
}

// step waits for a workspace and calls f with it.
func (e *Engine) step(ctx context.Context, f func(*workspace) error) error {
	var ws *workspace
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case ws = <-e.spaces:
	}
	defer func() { e.spaces <- ws }()
	release, err := e.cores.take(ctx)
	if err != nil {
		return err
	}
	defer release()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if ws == nil {
		ws = newWorkspace(e.model.w, e.kernel)
		ws.foreign = newForeigner(e.foreign, e.model.w)
	}
	return f(ws)
}

// enter waits for one of the places; leave gives it back.
func (e *Engine) enter(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case e.places <- struct{}{}:
		return nil
	}
}

func (e *Engine) leave() { <-e.places }

// checkIDs refuses ids that the model does not have.
func (e *Engine) checkIDs(ids []targon.TokenID) error {
	for i, id := range ids {
		if id < 0 || int(id) >= e.model.w.vocab {
			return fmt.Errorf("%w: id %d at position %d, the model has %d", ErrVocabulary, id, i, e.model.w.vocab)
		}
	}
	return nil
}

// check refuses what cannot be answered, before anything is computed.
func (e *Engine) check(r targon.Request, answer int) error {
	switch n := len(r.Prompt); {
	case n == 0:
		return fmt.Errorf("%w: empty prompt", targon.ErrRequest)
	case n > e.model.w.context || answer > e.model.w.context-n:
		return fmt.Errorf("%w: prompt of %d ids and answer of up to %d, context of %d", ErrContext, n, answer, e.model.w.context)
	}
	if err := r.Sampling.Validate(); err != nil {
		return err //nolint:wrapcheck // a typed error of a request says all
	}
	return e.checkIDs(r.Prompt)
}

// Generate yields the ids of an answer, each as soon as it is drawn: up to MaxTokens,
// or up to and including the first id that ends an answer, which has no text. An
// error ends the sequence. Leaving the loop ends the work.
func (e *Engine) Generate(ctx context.Context, r targon.Request) iter.Seq2[targon.Token, error] {
	return func(yield func(targon.Token, error) bool) {
		if err := e.generate(ctx, r, ignore, func(d Drawn) bool { return yield(d.Token, nil) }); err != nil {
			yield(targon.Token{}, fmt.Errorf("generate: %w", err))
		}
	}
}

func (e *Engine) generate(ctx context.Context, r targon.Request, look look, yield func(Drawn) bool) error {
	if r.MaxTokens == 0 || r.MaxTokens > targon.MaxOutputTokens {
		return fmt.Errorf("%w: max_tokens %d", targon.ErrRequest, r.MaxTokens)
	}
	if err := e.check(r, int(r.MaxTokens)); err != nil {
		return err
	}
	if err := e.enter(ctx); err != nil {
		return err
	}
	defer e.leave()
	s := newSequence(e.model.w, len(r.Prompt)+int(r.MaxTokens))
	decoder, next := e.model.Decoder(), r.Prompt
	for n := 1; ; n++ {
		id, position, err := e.draw(ctx, s, next, r.Sampling, look)
		if err != nil {
			return err
		}
		last, token := n == int(r.MaxTokens), targon.Token{ID: id}
		if _, end := slices.BinarySearch(e.model.text.eos, id); end {
			last = true
		} else if decoder != nil {
			token.Text = decoder.Add(id)
			if last {
				token.Text += decoder.Flush()
			}
		}
		if !yield(Drawn{token, position}) || last {
			return nil
		}
		next = []targon.TokenID{id}
	}
}

// draw feeds ids to a sequence, in chunks, and draws the one that follows. The
// position is what look reads about it.
func (e *Engine) draw(
	ctx context.Context, s *sequence, ids []targon.TokenID, by targon.Sampling, look look,
) (id targon.TokenID, position targon.Position, err error) {
	for len(ids) > 0 {
		n := min(chunk, len(ids))
		err = e.step(ctx, func(ws *workspace) error {
			ws.forward(s, ids[:n])
			if n < len(ids) {
				return nil
			}
			ws.output(n-1, 1)
			logits := ws.logits.At(0)[:e.model.w.vocab]
			if !finite(logits) {
				return fmt.Errorf("%w after %d ids", ErrNumeric, s.length)
			}
			id = ws.pick(e.sampler, logits, by, s.length)
			position = look(ws, logits, id)
			return nil
		})
		if err != nil {
			return 0, targon.Position{}, err
		}
		ids = ids[n:]
	}
	return id, position, nil
}
