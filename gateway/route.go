package gateway

import (
	"sync"
	"time"

	"targon"
)

// Breaker says when a prover is left alone: after Failures failures among its last
// Of requests within Window, for Rest. Then one request tries it again. Busy is
// not a failure.
type Breaker struct {
	Failures int           // 3
	Of       int           // 10
	Window   time.Duration // 1 min
	Rest     time.Duration // 15 s
}

func (b Breaker) withDefaults() Breaker {
	if b.Failures <= 0 {
		b.Failures = 3
	}
	if b.Of < b.Failures {
		b.Of = max(10, b.Failures)
	}
	if b.Window <= 0 {
		b.Window = time.Minute
	}
	if b.Rest <= 0 {
		b.Rest = 15 * time.Second
	}
	return b
}

// router picks provers. What it remembers of each is behind mu.
type router struct {
	book    Book
	breaker Breaker
	random  func() float64

	mu    sync.Mutex
	known map[targon.Hotkey]*memory
}

// memory is what the router remembers of one prover.
type memory struct {
	inFlight int
	recent   []outcome // at most Breaker.Of, oldest first
	until    time.Time // left alone until then
	trial    bool      // it was left alone: one failure more and it is again
}

type outcome struct {
	at     time.Time
	failed bool
}

// candidate is a prover that may be picked, with its share of the draw.
type candidate struct {
	neuron targon.Neuron
	share  float64
}

func newRouter(book Book, b Breaker, random func() float64) *router {
	return &router{book: book, breaker: b.withDefaults(), random: random, known: map[targon.Hotkey]*memory{}}
}

// pick chooses a prover for one request, other than those tried already: two draws
// in proportion to score, and of the two the one with fewer requests in flight.
// The caller gives it back with settle.
func (r *router) pick(tried map[targon.Hotkey]bool, now time.Time) (targon.Neuron, bool) {
	all := r.candidates(tried, now)
	if len(all) == 0 {
		return targon.Neuron{}, false
	}
	i := draw(all, r.random())
	chosen := all[i].neuron
	rest := append(append([]candidate{}, all[:i]...), all[i+1:]...)
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(rest) > 0 {
		other := rest[draw(rest, r.random())].neuron
		if r.of(other.Hotkey).inFlight < r.of(chosen.Hotkey).inFlight {
			chosen = other
		}
	}
	r.of(chosen.Hotkey).inFlight++
	return chosen, true
}

// candidates returns who may be picked. Before there are scores, everybody who
// serves has the same share; afterwards, a prover without score has none.
func (r *router) candidates(tried map[targon.Hotkey]bool, now time.Time) []candidate {
	provers, scores := r.book.Provers(), r.book.Scores()
	value := make(map[targon.Hotkey]float64, len(scores))
	for _, s := range scores {
		value[s.Hotkey] = s.Value
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forget(provers)
	var out []candidate
	for _, n := range provers {
		share := 1.0
		if len(scores) > 0 {
			share = value[n.Hotkey]
		}
		if n.Axon.IsValid() && share > 0 && !tried[n.Hotkey] && r.of(n.Hotkey).closed(now) {
			out = append(out, candidate{n, share})
		}
	}
	return out
}

// draw returns the index into all at which x of the total share is reached.
func draw(all []candidate, x float64) int {
	total := 0.0
	for _, c := range all {
		total += c.share
	}
	x *= total
	for i, c := range all {
		if x < c.share {
			return i
		}
		x -= c.share
	}
	return len(all) - 1 // rounding
}

// settle ends what pick began. Neutral outcomes neither help nor harm.
func (r *router) settle(h targon.Hotkey, s standing, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.of(h)
	m.inFlight--
	if s == neutral {
		return
	}
	if s == good && m.trial {
		m.trial, m.recent = false, nil
	}
	m.recent = append(m.recent, outcome{now, s == bad})
	if len(m.recent) > r.breaker.Of {
		m.recent = m.recent[1:]
	}
	failures := 0
	for _, o := range m.recent {
		if o.failed && now.Sub(o.at) < r.breaker.Window {
			failures++
		}
	}
	if s == bad && (m.trial || failures >= r.breaker.Failures) {
		m.until, m.trial = now.Add(r.breaker.Rest), true
	}
}

// standing is how an exchange reflects on a prover, for the breaker only.
type standing int

const (
	neutral standing = iota
	good
	bad
)

// standingOf never blames a prover for being busy, for a user who left, or for us.
func standingOf(s targon.Status) standing {
	switch s {
	case targon.StatusComplete:
		return good
	case targon.StatusIncomplete, targon.StatusRefused, targon.StatusGone:
		return bad
	case targon.StatusNone, targon.StatusBusy, targon.StatusTooEarly, targon.StatusAborted, targon.StatusOurs:
		return neutral
	}
	return neutral
}

// closed reports whether a prover may be asked: it is not left alone, and when it
// was, only one request at a time tries it again.
func (m *memory) closed(now time.Time) bool {
	return !now.Before(m.until) && (!m.trial || m.inFlight == 0)
}

// of returns the memory of a prover; mu is held.
func (r *router) of(h targon.Hotkey) *memory {
	m := r.known[h]
	if m == nil {
		m = &memory{}
		r.known[h] = m
	}
	return m
}

// forget drops provers that have left, so that memory is bounded by the subnet's
// size; mu is held.
func (r *router) forget(provers []targon.Neuron) {
	if len(r.known) <= 2*len(provers)+16 {
		return
	}
	here := make(map[targon.Hotkey]bool, len(provers))
	for _, n := range provers {
		here[n.Hotkey] = true
	}
	for h, m := range r.known {
		if !here[h] && m.inFlight == 0 {
			delete(r.known, h)
		}
	}
}
