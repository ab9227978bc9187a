package epistula

import (
	"sync"
	"time"

	"targon"
)

// Known remembers who has sent the bound form. Once a caller has, a plain envelope
// in its name is a downgrade and is refused for ever.
//
// Implementations are safe for concurrent use. MarkBound is durable when it
// returns nil; marking twice is harmless.
type Known interface {
	Bound(h targon.Hotkey) bool
	MarkBound(h targon.Hotkey) error
}

// Memory is a Known that forgets with the process: for tests and for receivers
// that never accept the plain form. The zero value is ready.
type Memory struct {
	mu   sync.Mutex
	seen map[targon.Hotkey]struct{}
}

// Bound reports whether h was marked.
func (m *Memory) Bound(h targon.Hotkey) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, ok := m.seen[h]
	return ok
}

// MarkBound marks h.
func (m *Memory) MarkBound(h targon.Hotkey) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.seen == nil {
		m.seen = map[targon.Hotkey]struct{}{}
	}
	m.seen[h] = struct{}{}
	return nil
}

// use is one nonce of one caller. A plain envelope's nonce is its uuid, which
// lies in a space of its own.
type use struct {
	caller targon.Hotkey
	nonce  [16]byte
	plain  bool
}

// nonces remembers uses for Keep, bounded for each caller and in total. A full
// set refuses; it never forgets early, because forgetting is what a replay needs.
type nonces struct {
	perCaller, total int

	mu     sync.Mutex
	seen   map[use]struct{}
	counts map[targon.Hotkey]int
	queue  []expiring // oldest first
	head   int        // queue[:head] is spent
}

type expiring struct {
	use
	until time.Time
}

func newNonces(perCaller, total int) *nonces {
	return &nonces{perCaller: perCaller, total: total, seen: map[use]struct{}{}, counts: map[targon.Hotkey]int{}}
}

// peek returns what insert would: cheap enough to ask before the signature is checked.
func (n *nonces) peek(u use, now time.Time) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.expire(now)
	return n.judge(u)
}

// insert adds the use if it is absent and there is room: in one step, so that of
// many equal envelopes exactly one gets in.
func (n *nonces) insert(u use, now time.Time) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.expire(now)
	if err := n.judge(u); err != nil {
		return err
	}
	n.seen[u] = struct{}{}
	n.counts[u.caller]++
	n.queue = append(n.queue, expiring{u, now.Add(Keep)})
	return nil
}

func (n *nonces) judge(u use) error {
	if _, ok := n.seen[u]; ok {
		return ErrReplay
	}
	if n.counts[u.caller] >= n.perCaller || len(n.seen) >= n.total {
		return ErrFull
	}
	return nil
}

func (n *nonces) expire(now time.Time) {
	for n.head < len(n.queue) && n.queue[n.head].until.Before(now) {
		u := n.queue[n.head].use
		delete(n.seen, u)
		if n.counts[u.caller]--; n.counts[u.caller] == 0 {
			delete(n.counts, u.caller)
		}
		n.head++
	}
	if n.head > 1024 && n.head > len(n.queue)/2 {
		n.queue = append([]expiring(nil), n.queue[n.head:]...)
		n.head = 0
	}
}
