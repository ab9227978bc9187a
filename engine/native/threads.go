package native

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// A share is what one thread does of a call in a step: a segment, and what its reader
// said about it.
type share struct {
	segment
	call *call
	err  error
}

// divisible reports whether n positions of a call may be dealt out to several threads:
// where at most one of them is read, or any may be read at any time. Foreign bits depend
// on what is computed together, and must not on the threads.
func (e *Engine) divisible(c *call, n int) bool {
	return e.foreign == (Foreign{}) && (!c.ordered || c.cache.length+n <= c.from+1)
}

// leastShare is the fewest positions of a step that are worth a thread.
const leastShare = 8

// deal deals the positions of a step out to threads, as evenly as it can: first the
// calls that have to stay whole, then the others. It reports whether one is divided.
func (e *Engine) deal(picks []picked) (shares [][]share, divided bool) {
	shares, sizes, total := make([][]share, e.threads), make([]int, e.threads), 0
	give := func(to int, p picked, from, n int) {
		at := p.cache.length + from
		shares[to] = append(shares[to], share{segment: segment{s: &p.cache, at: at, ids: p.ids[at : at+n]}, call: p.call})
		sizes[to] += n
	}
	toLeast := func(p picked) {
		least := 0
		for i := range sizes {
			if sizes[i] < sizes[least] {
				least = i
			}
		}
		give(least, p, 0, p.n)
	}
	for _, p := range picks {
		total += p.n
		if p.n > 1 && !e.divisible(p.call, p.n) {
			toLeast(p)
		}
	}
	for _, p := range picks { // after those, so that no thread gets more than a chunk
		if p.n == 1 {
			toLeast(p)
		}
	}
	each, to := max((total+e.threads-1)/e.threads, leastShare), 0
	for _, p := range picks {
		if p.n == 1 || !e.divisible(p.call, p.n) {
			continue
		}
		for from := 0; from < p.n; {
			for sizes[to] >= each {
				to++
			}
			n := min(each-sizes[to], p.n-from)
			divided = divided || n < p.n
			give(to, p, from, n)
			from += n
		}
	}
	return shares, divided
}

// compute runs one step.
func (e *Engine) compute(picks []picked) {
	if len(picks) == 0 { // every call has left, or had to give its place up
		return
	}
	if threads := e.shared(picks); threads > 0 {
		e.computeShared(picks, threads)
		return
	}
	all, divided := e.deal(picks)
	busy := all[:0]
	for _, s := range all {
		if len(s) > 0 {
			busy = append(busy, s)
		}
	}
	var last *runner
	for i := range busy {
		if divided {
			last = newRunner(last)
		}
		e.space(i).alone()
		e.spaces[i].runner = last
	}
	for _, ws := range e.spaces[:len(busy)] {
		ws.peers = e.spaces[:len(busy)]
	}
	others := newMeeting(len(busy))
	for i := len(busy) - 1; i > 0; i-- {
		e.member(i).call(busy[i], others)
	}
	e.spaces[0].step(busy[0])
	others.wait()
	for i := range busy {
		e.spaces[i].report()
	}
	conclude(picks, busy)
}

// member returns a thread besides the first.
func (e *Engine) member(i int) *member {
	for len(e.members) < i {
		e.members = append(e.members, &member{ws: e.space(len(e.members) + 1)})
	}
	return e.members[i-1]
}

// space returns a thread's workspace.
func (e *Engine) space(i int) *workspace {
	for len(e.spaces) <= i {
		ws := newWorkspace(e.model.w, e.kernel)
		ws.foreign = newForeigner(e.foreign, e.model.w)
		e.spaces = append(e.spaces, ws)
	}
	return e.spaces[i]
}

// conclude notes what a step has done. The shares of a call are in the order of their
// positions, so that the first failure is the call's.
func conclude(picks []picked, all [][]share) {
	for _, p := range picks {
		p.cache.length += p.n
		p.from = max(p.from, p.cache.length)
	}
	for _, shares := range all {
		for _, s := range shares {
			if s.call.err == nil {
				s.call.err = s.err
			}
		}
	}
}

// step computes shares of several calls, and reads the logits that are wanted.
func (ws *workspace) step(shares []share) {
	segments := make([]segment, len(shares))
	for i, s := range shares {
		segments[i] = s.segment
	}
	ws.forward(segments)
	ws.want(shares, segments)
	ws.readWhole()
	ws.read()
}

// A runner is one of several threads that compute parts of the same calls, those before it
// what comes earlier in them. Nobody waits for those behind.
type runner struct {
	before *runner // nil: none
	round  uint32  // how often it has passed
	passed atomic.Uint32
	mu     sync.Mutex
	moved  sync.Cond
}

func newRunner(before *runner) *runner {
	r := &runner{before: before}
	r.moved.L = &r.mu
	return r
}

// pass returns when all before have passed as often. At none, nobody waits.
func (r *runner) pass() {
	if r == nil {
		return
	}
	r.round++
	if r.before != nil {
		r.before.await(r.round)
	}
	r.mu.Lock()
	r.passed.Store(r.round)
	r.mu.Unlock()
	r.moved.Broadcast()
}

// looks is how often a thread looks whether the one before it has passed before it lies down to
// sleep: some microseconds, less than waking it up takes.
const looks = 200

// await returns when a runner has passed so often.
func (r *runner) await(round uint32) {
	for range looks {
		if r.passed.Load() >= round {
			return
		}
		runtime.Gosched()
	}
	r.mu.Lock()
	for r.passed.Load() < round {
		r.moved.Wait()
	}
	r.mu.Unlock()
}

// A meeting is left by all of a number of threads or by none.
type meeting struct {
	threads int32
	arrived atomic.Int32
	slept   atomic.Int32 // how often one lay down to sleep
	round   atomic.Uint32
	mu      sync.Mutex
	over    sync.Cond
}

func newMeeting(threads int) *meeting {
	g := &meeting{threads: int32(threads)}
	g.over.L = &g.mu
	return g
}

// wait returns when all threads are here. At none, nobody waits. Whoever waits looks for them
// for a while before it lies down to sleep; half as long whenever one lay down before.
func (g *meeting) wait() {
	if g == nil {
		return
	}
	round := g.round.Load()
	if g.arrived.Add(1) == g.threads {
		g.arrived.Store(0)
		g.mu.Lock()
		g.round.Add(1)
		g.mu.Unlock()
		g.over.Broadcast()
		return
	}
	for range patience >> min(g.slept.Load(), 16) {
		if g.round.Load() != round {
			return
		}
		runtime.Gosched()
	}
	g.slept.Add(1)
	g.mu.Lock()
	for g.round.Load() == round {
		g.over.Wait()
	}
	g.mu.Unlock()
}
