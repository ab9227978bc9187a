package native

import (
	"runtime"
	"slices"
	"sync/atomic"
)

const (
	// teamRows is from how many positions on threads share these out instead: enough to
	// use a weight well that has been read.
	teamRows = 48
	// teamWeights is how many weights are worth a thread.
	teamWeights = 1 << 20
	// patience is how often a thread that waits for others looks whether they are here before
	// it lies down to sleep: up to what waking it up takes, which is 100 µs on a virtual machine.
	patience = 1000
	// lingers is how often a thread looks for the next step before it goes: some 250 µs, in
	// which who calls an engine over and over has called again.
	lingers = 3000
	// mostRest is how many steps at most are computed alone before the others are asked
	// again.
	mostRest = 64
)

// A team is the threads of an engine that share rows out. The first is whoever runs the
// steps. The others stay for some microseconds after a step, whatever they shared out in it,
// since to wake them takes longer than many a step does, and then end.
//
// Where cores are not there when they are wanted, as on a busy machine, threads that
// wait for each other are slower than one alone. So after a step in which many of them
// fell asleep, one computes alone for some steps; for twice as many each time.
type team struct {
	*meeting
	first      *portion
	portions   []*portion // of the others
	rest, left int        // steps alone: the last time, and still
}

// A member is one thread besides the one that runs the steps.
type member struct {
	state  atomic.Int32
	ws     *workspace
	shares []share
	others *meeting // when they have done with the step
}

// What a member does: it has ended, looks for a step, or computes one.
const (
	gone int32 = iota
	looking
	working
)

// shared returns how many threads share out the rows of a step; 0 where threads share
// out its positions.
func (e *Engine) shared(picks []picked) int {
	total := 0
	for _, p := range picks {
		if total += p.n; p.cache.length+p.n > p.from+1 {
			return 0 // several positions of a call are read
		}
	}
	threads := min(e.abreast, e.model.Multiplied()/e.worth)
	switch {
	case e.foreign != (Foreign{}) || total >= teamRows || threads < 2:
		return 0
	case e.team.left > 0:
		e.team.left--
		return 1
	}
	return threads
}

// computeShared runs one step whose rows are shared out to a number of threads.
func (e *Engine) computeShared(picks []picked, threads int) {
	shares := make([]share, len(picks))
	for i, p := range picks {
		at := p.cache.length
		shares[i] = share{segment: segment{s: &p.cache, at: at, ids: p.ids[at : at+p.n]}, call: p.call}
	}
	all, lead := [][]share{shares}, e.space(0)
	if threads == 1 {
		lead.alone()
		lead.step(shares)
		lead.report()
		conclude(picks, all)
		return
	}
	t := &e.team
	if t.meeting == nil {
		e.muster(threads)
	}
	lead.alone()
	for i, p := range t.portions {
		m := e.member(i + 1)
		all = append(all, slices.Clone(shares))
		m.ws.join(p, t.meeting, lead.board)
		m.call(all[i+1], t.meeting)
	}
	lead.join(t.first, t.meeting, lead.board)
	lead.step(shares)
	t.wait()
	lead.report()
	lead.alone()
	for i := range t.portions {
		ws := e.spaces[i+1]
		ws.report()
		ws.alone()
	}
	t.review(len(lead.w.layers))
	conclude(picks, all)
}

// muster makes a team of threads.
func (e *Engine) muster(threads int) {
	w := e.model.w
	e.team = team{meeting: newMeeting(threads), first: newPortion(w, 0, threads)}
	for i := 1; i < threads; i++ {
		e.team.portions = append(e.team.portions, newPortion(w, i, threads))
	}
}

// review decides after a step whether one computes alone for some.
func (t *team) review(most int) {
	if int(t.slept.Swap(0)) <= most {
		t.rest = 0
		return
	}
	t.rest = min(max(2*t.rest, 4), mostRest)
	t.left = t.rest
}

// call has a member compute its shares of a step, which it meets the others after.
func (m *member) call(shares []share, others *meeting) {
	m.shares, m.others = shares, others
	if !m.state.CompareAndSwap(looking, working) {
		m.state.Store(working)
		go m.run()
	}
}

func (m *member) run() {
	for more := true; more; more = m.stays() {
		m.ws.step(m.shares)
		others := m.others
		m.state.Store(looking) // before the step is over and another may begin
		others.wait()
	}
}

// stays looks for the next step, and reports whether there is one.
func (m *member) stays() bool {
	for range lingers {
		if m.state.Load() == working {
			return true
		}
		runtime.Gosched()
	}
	return !m.state.CompareAndSwap(looking, gone)
}
