package tokenizer

import (
	"strings"
	"unicode/utf8"

	"targon"
)

// Encode returns the ids of a text, after BOS if that is asked for and there is
// one. Control and user-defined tokens are not looked for: their spelling is
// encoded like any other text.
func (t *Tokenizer) Encode(text string, bos bool) []targon.TokenID {
	return t.appendText(t.begin(bos), text)
}

// EncodeSpecial does the same for a rendered chat template: where the spelling of a
// control or user-defined token occurs, it becomes that token, the longest that
// fits. Each stretch between such tokens is a text of its own, to which a space is
// prefixed if the model does that.
func (t *Tokenizer) EncodeSpecial(text string, bos bool) []targon.TokenID {
	ids := t.begin(bos)
	from := 0
	for i := 0; i < len(text); {
		id, ok := t.specialAt(text[i:])
		if !ok {
			i++
			continue
		}
		ids = append(t.appendText(ids, text[from:i]), id)
		i += len(t.texts[id])
		from = i
	}
	return t.appendText(ids, text[from:])
}

func (t *Tokenizer) begin(bos bool) []targon.TokenID {
	if bos && t.bos != absent {
		return []targon.TokenID{t.bos}
	}
	return []targon.TokenID{}
}

// specialAt returns the longest special token that rest begins with.
func (t *Tokenizer) specialAt(rest string) (targon.TokenID, bool) {
	for _, id := range t.special[rest[0]] {
		if strings.HasPrefix(rest, t.texts[id]) {
			return id, true
		}
	}
	return absent, false
}

// A symbol is a stretch of the text that will be one token, or a character that is
// no piece. Symbols form a linked list, so that a merge touches two of them.
type symbol struct {
	from, to   int // bytes of the text; from is moved to to once merged to the left
	prev, next int // indices of symbols, -1 at the ends
}

// appendText encodes a stretch of plain text. The work is O(n log n): each merge
// takes two symbols off the list's count and adds at most two candidates.
func (t *Tokenizer) appendText(ids []targon.TokenID, text string) []targon.TokenID {
	if text == "" {
		return ids
	}
	if t.prefix {
		text = " " + text
	}
	text = strings.ReplaceAll(text, " ", space)
	m := merger{t: t, text: text, symbols: split(text)}
	for i := 1; i < len(m.symbols); i++ {
		m.propose(i-1, i)
	}
	m.run()
	for i := 0; i >= 0; i = m.symbols[i].next {
		ids = t.appendSymbol(ids, text[m.symbols[i].from:m.symbols[i].to])
	}
	return ids
}

// split cuts a text into its characters; a byte that is not part of any is one by
// itself.
func split(text string) []symbol {
	out := make([]symbol, 0, len(text))
	for at := 0; at < len(text); {
		_, n := utf8.DecodeRuneInString(text[at:])
		out = append(out, symbol{from: at, to: at + n, prev: len(out) - 1, next: len(out) + 1})
		at += n
	}
	out[len(out)-1].next = -1
	return out
}

// appendSymbol gives a symbol its id, or those of its bytes, or the unknown.
func (t *Tokenizer) appendSymbol(ids []targon.TokenID, s string) []targon.TokenID {
	if id, ok := t.pieces[s]; ok {
		return append(ids, id)
	}
	start := len(ids)
	for _, b := range []byte(s) {
		if t.bytes[b] == absent {
			return append(ids[:start], t.unk)
		}
		ids = append(ids, t.bytes[b])
	}
	return ids
}

// A merger holds the candidates for the next merge in a heap.
type merger struct {
	t       *Tokenizer
	text    string
	symbols []symbol
	heap    []candidate
}

// A candidate is a pair of neighbours that together spell a piece. It is stale when
// either has changed since: then the pair no longer spans the bytes it did.
type candidate struct {
	score       float32
	left, right int
	from, to    int
}

// before orders merges: the highest score first, of equals the leftmost.
func (a candidate) before(b candidate) bool {
	if a.score != b.score {
		return a.score > b.score
	}
	return a.left < b.left
}

// propose adds a pair to the heap if it spells a piece.
func (m *merger) propose(left, right int) {
	if left < 0 || right < 0 {
		return
	}
	from, to := m.symbols[left].from, m.symbols[right].to
	if to-from > m.t.longest { // keeps the look-up's cost bounded
		return
	}
	if id, ok := m.t.pieces[m.text[from:to]]; ok {
		m.push(candidate{score: m.t.scores[id], left: left, right: right, from: from, to: to})
	}
}

func (m *merger) run() {
	for len(m.heap) > 0 {
		c := m.pop()
		l, r := &m.symbols[c.left], &m.symbols[c.right]
		if l.from != c.from || r.to != c.to || l.next != c.right {
			continue // stale
		}
		l.to, l.next = r.to, r.next
		r.from = r.to
		if r.next >= 0 {
			m.symbols[r.next].prev = c.left
		}
		m.propose(l.prev, c.left)
		m.propose(c.left, l.next)
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
