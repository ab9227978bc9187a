package native

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"sync"

	"targon"
)

// A call is one sequence that is being computed for a caller.
//
// What stands above the line belongs to whoever runs the steps, the rest to who holds
// the engine's lock.
type call struct {
	ids  []targon.TokenID // computed, or to be; those that are drawn are added
	from int              // the first position whose logits are wanted and were not read
	most int              // how many positions a step may compute
	read reader
	// whole: the reader needs rows of logits whole. Otherwise they may come in pieces.
	whole bool
	// ordered: the reader must be told of one position after the other. Otherwise it may
	// be told of several at a time.
	ordered bool
	cache   sequence
	err     error
	// ---
	credit  int // how often its logits may still be read before the caller takes something
	order   uint64
	served  uint64 // the step that computed it last
	left    bool   // the caller is gone
	busy    bool   // part of a step that is under way
	ended   bool   // nothing more will come
	results []result
	wake    chan struct{} // holds one when the caller should look
}

// A result is what a call's reader hands to its caller.
type result struct {
	id       targon.TokenID
	last     bool
	position targon.Position
	logits   []float32
}

// unlimited is the credit of a call whose reader keeps what it reads.
const unlimited = math.MaxInt / 2

// A batch is the calls of an engine. As long as one of them can go on, one goroutine
// runs steps: each takes along every call that is ready, one position of those that
// draw ids and as many of a prompt as there is room for, those served longest ago first.
type batch struct {
	mu      sync.Mutex
	waiting []*call
	running []*call // by order
	active  bool    // steps are being run
	orders  uint64
	steps   uint64
}

// submit queues a call that may grow to a number of ids, or refuses it.
func (e *Engine) submit(c *call, total int) error {
	if most := e.pages.limit; pagesFor(total) > most {
		return fmt.Errorf("%w: %d ids, the attention cache holds %d", ErrContext, total, most*pageRows)
	}
	c.wake = make(chan struct{}, 1)
	e.mu.Lock()
	defer e.mu.Unlock()
	if n := len(e.waiting) + len(e.running); n >= e.places+e.queue {
		return fmt.Errorf("%w: %d calls are being served or wait", targon.ErrBusy, n)
	}
	e.orders++
	c.order = e.orders
	e.waiting = append(e.waiting, c)
	e.kick()
	return nil
}

// kick sees to it that steps are run if there is something to do.
func (e *Engine) kick() {
	if !e.active && e.ready() {
		e.active = true
		go e.run()
	}
}

// ready reports whether a step would do anything.
func (e *Engine) ready() bool {
	return slices.ContainsFunc(e.running, (*call).ready) || e.candidate() >= 0
}

func (c *call) ready() bool { return c.credit > 0 && !c.left }

// candidate returns which waiting call could be served now, -1 for none: the first
// that is ready, if there is a place and there may be pages for what it has so far.
// Calls that are not ready have to give theirs up if need be.
func (e *Engine) candidate() int {
	i := slices.IndexFunc(e.waiting, (*call).ready)
	if i < 0 || len(e.running) >= e.places {
		return -1
	}
	room := e.pages.room()
	for _, c := range e.running {
		if !c.ready() {
			room += len(c.cache.pages)
		}
	}
	if len(e.running) > 0 && pagesFor(len(e.waiting[i].ids)) > room {
		return -1
	}
	return i
}

// next returns what a call hands over next, giving it credit to go on; false when
// nothing more will come.
func (e *Engine) next(ctx context.Context, c *call) (result, bool, error) {
	if err := context.Cause(ctx); err != nil {
		return result{}, false, err
	}
	e.mu.Lock()
	c.credit = min(c.credit+1, unlimited)
	e.kick()
	for {
		if len(c.results) > 0 {
			r := c.results[0]
			c.results[0] = result{}
			c.results = c.results[1:]
			e.mu.Unlock()
			return r, true, nil
		}
		if c.ended {
			e.mu.Unlock()
			return result{}, false, c.err
		}
		e.mu.Unlock()
		select {
		case <-ctx.Done():
			return result{}, false, context.Cause(ctx)
		case <-c.wake:
		}
		e.mu.Lock()
	}
}

// leave ends a call, after the step that it is part of: then nothing reads for it any
// more, and its pages have been given back.
func (e *Engine) leave(c *call) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c.left = true
	for c.busy {
		e.mu.Unlock()
		<-c.wake
		e.mu.Lock()
	}
	e.waiting = slices.DeleteFunc(e.waiting, func(o *call) bool { return o == c })
	if !e.active {
		e.reap()
		e.kick()
	}
}

// reap lets go of calls whose caller is gone.
func (e *Engine) reap() {
	e.running = slices.DeleteFunc(e.running, func(c *call) bool {
		if c.left {
			e.pages.release(&c.cache)
		}
		return c.left
	})
}

// hand gives a result to a call's caller.
func (e *Engine) hand(c *call, r result) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c.results = append(c.results, r)
	c.credit--
	c.tell()
}

func (c *call) tell() {
	select {
	case c.wake <- struct{}{}:
	default: // it has been told
	}
}

// run runs steps as long as there is something to do.
func (e *Engine) run() {
	for {
		e.mu.Lock()
		e.reap()
		if !e.ready() {
			e.active = false
			e.mu.Unlock()
			return
		}
		e.mu.Unlock()
		release := e.cores.take()
		e.mu.Lock()
		e.reap()
		e.admit()
		picks := e.pick()
		e.mu.Unlock()
		e.compute(picks)
		release()
		e.mu.Lock()
		e.settle(picks)
		e.mu.Unlock()
	}
}

// admit serves waiting calls as long as it can, in their order.
func (e *Engine) admit() {
	for i := e.candidate(); i >= 0; i = e.candidate() {
		c := e.waiting[i]
		e.waiting = slices.Delete(e.waiting, i, i+1)
		if e.pages.spare > 0 {
			e.pages.reuse(&c.cache, c.ids, c.from)
		}
		e.running = insert(e.running, c)
	}
}

// insert puts a call where its order says.
func insert(list []*call, c *call) []*call {
	at, _ := slices.BinarySearchFunc(list, c, func(a, b *call) int { return cmp.Compare(a.order, b.order) })
	return slices.Insert(list, at, c)
}

// A picked call takes part in a step with n of its ids.
type picked struct {
	*call
	n int
}

// pick chooses who takes part in the next step. Calls that draw an id come first, but
// do not take all of the room while a prompt waits to be read.
func (e *Engine) pick() []picked {
	e.steps++
	var draw, read []*call
	for _, c := range e.running {
		switch {
		case !c.ready():
		case len(c.ids)-c.cache.length == 1:
			draw = append(draw, c)
		default:
			read = append(read, c)
		}
	}
	left := chunk
	if len(read) > 0 {
		left = chunk * 3 / 4
	}
	longest := func(a, b *call) int { return cmp.Compare(a.served, b.served) }
	slices.SortStableFunc(draw, longest)
	slices.SortStableFunc(read, longest)
	draw = draw[:min(len(draw), left)]
	left = chunk * e.threads
	whole := chunk // for calls that are not dealt out
	var picks []picked
	for _, c := range slices.Concat(draw, read) {
		n := min(left, len(c.ids)-c.cache.length)
		if !e.divisible(c, n) {
			n = min(n, whole, c.most)
		} else {
			n = min(n, c.most*e.threads)
		}
		if n > 0 && e.place(c, n) {
			picks = append(picks, picked{c, n})
			c.served, c.busy = e.steps, true
			left -= n
			if !e.divisible(c, n) {
				whole -= n
			}
		}
	}
	return picks
}

// place finds pages for n more positions of a call. Where there are none, other calls
// give theirs up and begin again later: first those that are not ready, then those
// that came after it, the latest first. In the end, it does so itself.
func (e *Engine) place(c *call, n int) bool {
	if !slices.Contains(e.running, c) { // it has had to
		return false
	}
	for !e.pages.reserve(&c.cache, n) {
		v := c
		for _, o := range slices.Backward(e.running) {
			if o.served == e.steps || len(o.cache.pages) == 0 {
				continue // part of this step, or of no use
			}
			if !o.ready() {
				v = o
				break
			}
			if v == c && o.order > c.order {
				v = o
			}
		}
		e.pages.release(&v.cache)
		e.running = slices.DeleteFunc(e.running, func(o *call) bool { return o == v })
		e.waiting = insert(e.waiting, v)
		if v == c {
			return false
		}
	}
	return true
}

// settle looks after what a step has done.
func (e *Engine) settle(picks []picked) {
	for _, p := range picks {
		c := p.call
		c.busy = false
		if c.left {
			c.tell()
		}
		if c.err == nil {
			e.pages.share(&c.cache, c.ids)
		}
		if c.err == nil && c.cache.length < len(c.ids) {
			continue
		}
		e.pages.release(&c.cache)
		e.running = slices.DeleteFunc(e.running, func(o *call) bool { return o == c })
		c.ended = true
		c.tell()
	}
}
