package native

import (
	"cmp"
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
	// Threads is how many cores a step uses; 0 is GOMAXPROCS, or 1 where Cores are
	// shared.
	Threads int
	// Kernel is a name from kernel.Available; empty is the fastest.
	Kernel string
	// MaxSequences is how many calls are served at a time; 0 is 64. MaxQueue is how many
	// others wait for their turn before more are refused with targon.ErrBusy; 0 is 1024,
	// and below 0 none waits.
	MaxSequences, MaxQueue int
	// CacheBytes bounds the attention cache of all calls together. Calls that find no
	// room wait, or begin again later, which costs time and changes no bit; one that
	// would not fit alone is refused. 0 is as much as MaxSequences calls of the model's
	// whole context need, but no more than 2 GiB unless one such call needs more.
	CacheBytes int64
	// ReuseBytes is how much of it finished calls leave behind, for calls that begin
	// with the same ids; below 0 none is. 0 is a byte for two parameters of the model.
	// Such a call is answered sooner, so a caller may learn that somebody has asked
	// the same before.
	ReuseBytes int64
	// Cores are shared with other engines; nil: nothing is shared.
	Cores Cores
	// Foreign makes the numerics unlike ours; the zero value does not.
	Foreign Foreign
}

// Cores are processor cores that several engines in one process share: each step of
// any of them takes one. Steps get them in the order in which they asked, so that all
// callers advance evenly, and whatever else the process does is not held up by more
// computing than there are processors. No id is drawn before its caller asks for it.
type Cores chan struct{}

// NewCores returns n cores, or GOMAXPROCS of them when n is 0.
func NewCores(n int) Cores {
	if n <= 0 {
		n = runtime.GOMAXPROCS(0)
	}
	return make(Cores, n)
}

// take waits for a core. The function that it returns gives it back.
func (c Cores) take() (release func()) {
	if c == nil {
		return func() {}
	}
	c <- struct{}{}
	return func() { <-c }
}

// An Engine runs a model for several callers at a time.
//
// Computing happens in steps of up to 96 positions a thread, each of which takes along
// all calls that are ready: an id of each answer, and of prompts as much as there is room
// for, a long one dealt out to the threads. So
// weights are read once for all of them. Threads share out the positions of a step, or
// the rows of the weights where there are few. A step ends before its ids are yielded, and
// goes on without a caller that is slow to take them, who is at most a few ahead.
type Engine struct {
	model   *Model
	kernel  *kernel.Kernel
	sampler *sampler
	cores   Cores
	foreign Foreign
	threads int
	places  int // calls served at a time
	queue   int // calls that wait
	ahead   int // ids of a call that are drawn before they are asked for
	abreast int // threads that may share rows out: each has a processor
	worth   int // so many weights are worth one of them

	spaces  []*workspace // made on first use; whoever runs the steps has them,
	members []*member    // the other threads,
	team    team         // what they share rows out by,
	pages   *pages       // and the attention cache
	batch
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
	e := &Engine{
		model: m, kernel: k, sampler: &sampler{k}, cores: o.Cores, foreign: o.Foreign,
		threads: orElse(o.Threads, runtime.GOMAXPROCS(0)), places: orElse(o.MaxSequences, 64),
		queue: max(0, cmp.Or(o.MaxQueue, 1024)), ahead: 8, worth: teamWeights,
	}
	if o.Cores != nil {
		e.threads, e.ahead = 1, 0
	}
	e.abreast = min(e.threads, runtime.GOMAXPROCS(0))
	e.pages = e.cache(o)
	return e, nil
}

func orElse(n, otherwise int) int {
	if n <= 0 {
		return otherwise
	}
	return n
}

// mostCache is what the attention cache is bounded by where nobody says anything.
const mostCache = 2 << 30

// cache settles the size of the attention cache.
func (e *Engine) cache(o Options) *pages {
	w := e.model.w
	size, whole := pageBytes(w), pagesFor(w.context)
	limit := int(max(o.CacheBytes/size, 1))
	if o.CacheBytes <= 0 {
		limit = max(whole, min(e.places*whole, int(mostCache/size)))
	}
	reuse := cmp.Or(o.ReuseBytes, int64(e.model.Parameters()/2))
	if reuse < 0 || o.Foreign != (Foreign{}) { // foreign bits depend on how they came about
		reuse = 0
	}
	return newPages(w, limit, min(limit, int(reuse/size)))
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
		if err := e.generate(ctx, r, e.drawing(r, nil), func(d Drawn) bool { return yield(d.Token, nil) }); err != nil {
			yield(targon.Token{}, fmt.Errorf("generate: %w", err))
		}
	}
}

// A Pick chooses the id that follows, given the logits there, which are only valid
// during the call, and how many ids come before it.
type Pick func(logits []float32, before int) (targon.TokenID, error)

// GenerateBy is Generate with ids that pick chooses instead of the request's sampling.
func (e *Engine) GenerateBy(ctx context.Context, r targon.Request, pick Pick) iter.Seq2[targon.Token, error] {
	return func(yield func(targon.Token, error) bool) {
		draw := func(_ *workspace, logits []float32, before int) (targon.TokenID, targon.Position, error) {
			id, err := pick(logits, before)
			if err == nil {
				err = e.checkIDs([]targon.TokenID{id})
			}
			return id, targon.Position{}, err
		}
		if err := e.generate(ctx, r, drawing{draw: draw}, func(d Drawn) bool { return yield(d.Token, nil) }); err != nil {
			yield(targon.Token{}, fmt.Errorf("generate: %w", err))
		}
	}
}

// A drawer chooses the id that follows a number of ids, and says what is wanted about it.
type drawer func(ws *workspace, logits []float32, before int) (targon.TokenID, targon.Position, error)

// A drawing is how ids are drawn: by lots, which take rows of logits in pieces, or else by a
// drawer.
type drawing struct {
	lot  func(before int) lot
	draw drawer
}

// drawing draws as a request says, and looks, unless that is nil.
func (e *Engine) drawing(r targon.Request, look look) drawing {
	if look == nil && !r.Sampling.Filtered() {
		return drawing{lot: func(before int) lot { return e.sampler.lot(r.Sampling, before) }}
	}
	return drawing{draw: e.drawer(r, look)}
}

// drawer draws as a request says, and looks, unless that is nil.
func (e *Engine) drawer(r targon.Request, look look) drawer {
	return func(ws *workspace, logits []float32, before int) (id targon.TokenID, at targon.Position, err error) {
		id = ws.pick(e.sampler, logits, r.Sampling, before)
		if look != nil {
			at = look(ws, logits, id)
		}
		return id, at, nil
	}
}

func (e *Engine) generate(ctx context.Context, r targon.Request, by drawing, yield func(Drawn) bool) error {
	return e.answer(ctx, r, manner{drawing: by, ends: e.ends}, yield)
}

// A manner is how an answer comes about: how its ids are drawn, which of them end it, and
// with whom it shares its cache.
type manner struct {
	drawing
	ends func(targon.TokenID) bool
	salt string
}

func (e *Engine) answer(ctx context.Context, r targon.Request, by manner, yield func(Drawn) bool) error {
	if r.MaxTokens == 0 || r.MaxTokens > targon.MaxOutputTokens {
		return fmt.Errorf("%w: max_tokens %d", targon.ErrRequest, r.MaxTokens)
	}
	if err := e.check(r, int(r.MaxTokens)); err != nil {
		return err
	}
	n := len(r.Prompt)
	c := &call{ids: slices.Clone(r.Prompt), from: n - 1, most: e.atOnce(chunk), credit: e.ahead, cache: sequence{salt: by.salt}}
	next := func(at int, id targon.TokenID, position targon.Position) (targon.TokenID, bool, error) {
		last := at+2-n == int(r.MaxTokens) || by.ends(id)
		e.hand(c, result{id: id, last: last, position: position})
		return id, !last, nil
	}
	if by.lot != nil {
		c.read = func(at int, _ row) reading { return &lottery{by.lot(at + 1), at, next} }
	} else {
		c.whole = true
		c.read = wholly(func(ws *workspace, at int, logits []float32) (targon.TokenID, bool, error) {
			id, position, err := by.draw(ws, logits, at+1)
			if err != nil {
				return 0, false, err
			}
			return next(at, id, position)
		})
	}
	if err := e.submit(c, n+int(r.MaxTokens)); err != nil {
		return err
	}
	defer e.leave(c)
	for decoder := e.model.Decoder(); ; {
		got, ok, err := e.next(ctx, c)
		if !ok || err != nil {
			return err
		}
		token := targon.Token{ID: got.id}
		if decoder != nil && !e.ends(got.id) {
			token.Text = decoder.Add(got.id)
			if got.last {
				token.Text += decoder.Flush()
			}
		}
		if !yield(Drawn{token, got.position}) {
			return nil
		}
	}
}

// A lottery is a lot for a call that draws ids.
type lottery struct {
	lot
	at   int
	next func(at int, id targon.TokenID, position targon.Position) (targon.TokenID, bool, error)
}

func (l *lottery) take(_ *workspace, first int, logits []float32) { l.lot.take(first, logits) }

func (l *lottery) end() (next targon.TokenID, more bool, err error) {
	return l.next(l.at, l.winner, targon.Position{})
}

// atOnce is how many given ids a step may compute.
func (e *Engine) atOnce(most int) int {
	if e.foreign.Alone {
		return 1
	}
	return most
}

// ends reports whether an id ends an answer.
func (e *Engine) ends(id targon.TokenID) bool {
	_, end := slices.BinarySearch(e.model.text.eos, id)
	return end
}
