package native

import (
	"container/list"
	"slices"

	"targon"
	"targon/engine/native/kernel"
)

// pageRows is how many positions a page of the attention cache holds, a multiple of
// the rows that kernels read together.
const pageRows = 64

// A page holds keys and values of pageRows successive positions in every layer,
// float32, a head padded to 16 with zeros that nobody writes. Rows that have not been
// filled are scratch; three more lie behind the last, since kernels read rows by fours
// from wherever a window begins.
type page struct {
	data   []float32
	stride int
	refs   int // sequences that hold it
	// name is that of its contents once they are known to others: key says what they
	// are. 0: they are not.
	name uint64
	key  pageKey
	idle *list.Element // where it waits for reuse, while nobody holds it
}

// A pageKey says what a page holds: the ids at its positions, and the name of the page
// before it, which stands for all ids before. The first page of a sequence has its salt
// instead.
type pageKey struct {
	salt   string
	parent uint64
	ids    [pageRows]targon.TokenID
}

// keys and values return the rows of a layer, and what lies behind them.
func (p *page) keys(layer int) []float32 { return p.data[2*layer*pageRows*p.stride:] }

func (p *page) values(layer int) []float32 { return p.data[(2*layer+1)*pageRows*p.stride:] }

// A sequence is the attention cache of one call: the pages of its positions, in order.
// Full pages may be held by several sequences and are not written to again.
type sequence struct {
	pages  []*page
	length int
	shared int    // pages from the first on that have a name
	salt   string // sequences of other salts share nothing with this one
}

// A strip is one head's rows in a layer, from a position on: where in a row the head
// begins, and how long it is.
type strip struct{ layer, first, column, width int }

// gather puts the rows of a strip, of keys or of values, side by side until dst is full.
func (s *sequence) gather(dst []float32, of func(*page, int) []float32, from strip) {
	for t := from.first; len(dst) > 0; {
		p := s.pages[t/pageRows]
		rows := of(p, from.layer)[from.column:]
		for row := t % pageRows; row < pageRows && len(dst) > 0; row++ {
			copy(dst[:from.width], rows[row*p.stride:])
			dst = dst[from.width:]
			t++
		}
	}
}

// pages are the attention cache of an engine. Whoever runs the engine's steps uses
// them, one at a time.
//
// What finished calls leave in full pages stays, the latest used of them, until room
// is wanted: a later call that begins with the same ids takes over the pages and need
// not compute them. That is exact, since keys and values are functions of the ids up
// to theirs.
type pages struct {
	layers, stride int
	limit          int // pages in all
	spare          int // of these, how many nobody holds
	made           int
	free           []*page // without contents
	known          map[pageKey]*page
	idle           *list.List // named ones that nobody holds, the least recently used first
	names          uint64
	reused         uint64 // positions that were not computed
}

// pageBytes is the size of a page.
func pageBytes(w *weights) int64 {
	return 4 * int64(2*w.config.layers*pageRows+3) * int64(w.kvHeads*kernel.Pad(w.head))
}

func newPages(w *weights, limit, spare int) *pages {
	return &pages{
		layers: w.config.layers, stride: w.kvHeads * kernel.Pad(w.head), limit: limit, spare: spare,
		known: make(map[pageKey]*page), idle: list.New(),
	}
}

// pagesFor is how many pages hold a number of positions.
func pagesFor(positions int) int { return (positions + pageRows - 1) / pageRows }

// room returns how many pages could be taken.
func (p *pages) room() int { return p.limit - p.made + len(p.free) + p.idle.Len() }

// take returns a page that nobody knows, held once; nil when all are held.
func (p *pages) take() *page {
	switch n := len(p.free); {
	case n > 0:
		g := p.free[n-1]
		p.free = p.free[:n-1]
		g.refs = 1
		return g
	case p.made < p.limit:
		p.made++
		return &page{data: make([]float32, (2*p.layers*pageRows+3)*p.stride), stride: p.stride, refs: 1}
	case p.idle.Len() > 0:
		g := p.idle.Front().Value.(*page)
		p.forget(g)
		g.refs = 1
		return g
	default:
		return nil
	}
}

// forget makes an idle page one without contents.
func (p *pages) forget(g *page) {
	p.idle.Remove(g.idle)
	delete(p.known, g.key)
	g.idle, g.name = nil, 0
}

// hold takes part in a known page.
func (p *pages) hold(g *page) {
	if g.idle != nil {
		p.idle.Remove(g.idle)
		g.idle = nil
	}
	g.refs++
}

// let ends one's part in a page.
func (p *pages) let(g *page) {
	if g.refs--; g.refs > 0 {
		return
	}
	if g.name != 0 {
		g.idle = p.idle.PushBack(g)
	} else {
		p.free = append(p.free, g)
	}
	for p.idle.Len() > 0 && len(p.free)+p.idle.Len() > p.spare {
		g := p.idle.Front().Value.(*page)
		p.forget(g)
		p.free = append(p.free, g)
		p.shrink()
	}
	p.shrink()
}

// shrink gives memory back that is beyond the spare.
func (p *pages) shrink() {
	for n := len(p.free); n > 0 && n+p.idle.Len() > p.spare; n = len(p.free) {
		p.free[n-1] = nil
		p.free = p.free[:n-1]
		p.made--
	}
}

// reserve makes room for n more positions, or reports that there is none.
func (p *pages) reserve(s *sequence, n int) bool {
	want := pagesFor(s.length + n)
	if want-len(s.pages) > p.room() {
		return false
	}
	for len(s.pages) < want {
		s.pages = append(s.pages, p.take())
	}
	return true
}

// reuse begins an empty sequence with the pages that are known of ids, not beyond a
// number of positions: of the last page, those from there on are computed again and not
// written, see workspace.remember.
func (p *pages) reuse(s *sequence, ids []targon.TokenID, most int) {
	key := pageKey{salt: s.salt}
	for s.length < most && s.length+pageRows <= len(ids) {
		copy(key.ids[:], ids[s.length:])
		g := p.known[key]
		if g == nil {
			break
		}
		p.hold(g)
		s.pages = append(s.pages, g)
		s.length = min(s.length+pageRows, most)
		key.salt, key.parent = "", g.name
	}
	s.shared = len(s.pages)
	p.reused += uint64(s.length)
}

// share makes a sequence's full pages known. One whose contents are known already is
// given up for the page that has them: the bits are the same.
func (p *pages) share(s *sequence, ids []targon.TokenID) {
	if p.spare == 0 {
		return
	}
	for ; (s.shared+1)*pageRows <= s.length; s.shared++ {
		g, key := s.pages[s.shared], pageKey{salt: s.salt}
		if s.shared > 0 {
			key.salt, key.parent = "", s.pages[s.shared-1].name
		}
		copy(key.ids[:], ids[s.shared*pageRows:])
		if other := p.known[key]; other != nil {
			p.hold(other)
			s.pages[s.shared] = other
			p.let(g)
			continue
		}
		p.names++
		g.name, g.key = p.names, key
		p.known[key] = g
	}
}

// release gives all pages of a sequence back, the last first: those at the beginning
// are wanted by more, and without them the later ones cannot be found.
func (p *pages) release(s *sequence) {
	for _, g := range slices.Backward(s.pages) {
		p.let(g)
	}
	*s = sequence{salt: s.salt}
}
