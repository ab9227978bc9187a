package tokenizer

import "targon"

// A symbol is a stretch of the text that will be one token, or a character that is
// none. Symbols form a linked list, so that a merge touches two of them.
type symbol struct {
	from, to   int // bytes of the text; from is moved to to once merged to the left
	prev, next int // indices of symbols, -1 at the ends
	id         targon.TokenID
}

// A joiner says whether two neighbours may become one token, and how soon: of all
// pairs of a text the one with the lowest order is merged first.
type joiner interface {
	join(text string, left, right *symbol) (order float64, id targon.TokenID, ok bool)
}

// A merger holds the candidates for the next merge in a heap. It can be used for one
// text after another.
type merger struct {
	joiner  joiner
	text    string
	symbols []symbol
	heap    []candidate
}

// A candidate is a pair of neighbours that together spell a token. It is stale when
// either has changed since: then the pair no longer spans the bytes it did.
type candidate struct {
	order       float64
	left, right int
	from, to    int
	id          targon.TokenID
}

// before orders merges: the lowest order first, of equals the leftmost.
func (a candidate) before(b candidate) bool {
	if a.order != b.order {
		return a.order < b.order
	}
	return a.left < b.left
}

// start begins a text; its symbols follow by add.
func (m *merger) start(text string) {
	m.text, m.symbols, m.heap = text, m.symbols[:0], m.heap[:0]
}

func (m *merger) add(from, to int, id targon.TokenID) {
	n := len(m.symbols)
	m.symbols = append(m.symbols, symbol{from: from, to: to, prev: n - 1, next: n + 1, id: id})
}

// run merges until no pair of neighbours spells a token. The first symbol then begins
// the list of those that are left. The work is O(n log n): each merge takes one symbol
// off the list and adds at most two candidates.
func (m *merger) run() {
	m.symbols[len(m.symbols)-1].next = -1
	for i := 1; i < len(m.symbols); i++ {
		m.propose(i-1, i)
	}
	for len(m.heap) > 0 {
		c := m.pop()
		l, r := &m.symbols[c.left], &m.symbols[c.right]
		if l.from != c.from || r.to != c.to || l.next != c.right {
			continue // stale
		}
		l.to, l.next, l.id = r.to, r.next, c.id
		r.from = r.to
		if r.next >= 0 {
			m.symbols[r.next].prev = c.left
		}
		m.propose(l.prev, c.left)
		m.propose(c.left, l.next)
	}
}

// propose adds a pair to the heap if it may be merged.
func (m *merger) propose(left, right int) {
	if left < 0 || right < 0 {
		return
	}
	l, r := &m.symbols[left], &m.symbols[right]
	if order, id, ok := m.joiner.join(m.text, l, r); ok {
		m.push(candidate{order: order, left: left, right: right, from: l.from, to: r.to, id: id})
	}
}

func (m *merger) push(c candidate) {
	m.heap = append(m.heap, c)
	for i := len(m.heap) - 1; i > 0; {
		up := (i - 1) / 2
		if !m.heap[i].before(m.heap[up]) {
			return
		}
		m.heap[i], m.heap[up] = m.heap[up], m.heap[i]
		i = up
	}
}

func (m *merger) pop() candidate {
	h := m.heap
	top, last := h[0], len(h)-1
	h[0] = h[last]
	h = h[:last]
	for i := 0; ; {
		next := i
		for child := 2*i + 1; child <= 2*i+2 && child < last; child++ {
			if h[child].before(h[next]) {
				next = child
			}
		}
		if next == i {
			break
		}
		h[i], h[next] = h[next], h[i]
		i = next
	}
	m.heap = h
	return top
}
