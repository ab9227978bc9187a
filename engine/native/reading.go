package native

import (
	"fmt"
	"sync/atomic"

	"targon"
	"targon/engine/native/kernel"
)

// A reader begins to read what follows a position.
type reader func(at int, row row) reading

// A reading takes a row of logits, as one piece or in several by rising id.
type reading interface {
	// take takes the logits of the ids from first on, a multiple of piece; of all ids if the
	// call wants its rows whole. They are only valid during the call.
	take(ws *workspace, first int, logits []float32)
	// end returns the id that is computed next, if more is true; a call ends when it has no
	// more ids.
	end() (next targon.TokenID, more bool, err error)
}

// A row is what follows a position, as far as it is there when its reading begins.
type row struct {
	ws     *workspace
	state  []float32 // what the output matrix reads to give the logits
	logits []float32 // nil: they come in pieces
}

// logit returns that of an id.
func (r row) logit(id targon.TokenID) float32 {
	if r.logits != nil {
		return r.logits[id]
	}
	return r.ws.single(r.state, int(id))
}

// wholly returns a reader that has read look at whole rows.
func wholly(read func(ws *workspace, at int, logits []float32) (next targon.TokenID, more bool, err error)) reader {
	return func(at int, _ row) reading { return &whole{read: read, at: at} }
}

type whole struct {
	read func(ws *workspace, at int, logits []float32) (next targon.TokenID, more bool, err error)
	at   int
	next targon.TokenID
	more bool
	err  error
}

func (w *whole) take(ws *workspace, _ int, logits []float32) {
	w.next, w.more, w.err = w.read(ws, w.at, logits)
}

func (w *whole) end() (next targon.TokenID, more bool, err error) { return w.next, w.more, w.err }

// nothing reads no logits.
type nothing struct{}

func (nothing) take(*workspace, int, []float32) {}

func (nothing) end() (next targon.TokenID, more bool, err error) { return 0, false, nil }

// A wanted row is one that a call reads after a step's forward.
type wanted struct {
	share *share
	at    int // its position
	err   error
}

// begin begins to read a row.
func (w *wanted) begin(row row) reading { return w.share.call.read(w.at, row) }

// take has a reading take logits; it returns nil when they are no numbers.
func (w *wanted) take(r reading, ws *workspace, first int, logits []float32) reading {
	if !ws.kernel.Finite(logits) {
		w.err = fmt.Errorf("%w at position %d", ErrNumeric, w.at)
		return nil
	}
	r.take(ws, first, logits)
	return r
}

// end ends a reading.
func (w *wanted) end(r reading) {
	next, more, err := r.end()
	if more {
		w.share.call.ids = append(w.share.call.ids, next)
	}
	w.err = err
}

// want notes the rows that shares want whose positions have been computed, and norms them:
// first those that may come in pieces.
func (ws *workspace) want(shares []share, segments []segment) {
	together := ws.foreign != nil || ws.portion.of > 1
	ws.stock.rows, ws.wholes = ws.stock.rows[:0], ws.wholes[:0]
	var pieces, wholes []int
	for i := range shares {
		s := &shares[i]
		for b := max(s.call.from-s.at, 0); b < len(s.ids); b++ {
			w, row := wanted{share: s, at: s.at + b}, segments[i].row+b
			if together || s.call.whole {
				ws.wholes, wholes = append(ws.wholes, w), append(wholes, row)
			} else {
				ws.stock.rows, pieces = append(ws.stock.rows, w), append(pieces, row)
			}
		}
	}
	ws.ready(append(pieces, wholes...))
}

// A stock is the wanted rows of one thread that come in pieces. It takes most of them at once, and
// then the others, unless another thread that has done with its own has taken these: a thread
// whose positions see more before them is later. It is open once the rows are normed.
type stock struct {
	rows  []wanted
	most  int          // how many are taken first
	taken atomic.Int32 // how often
	open  atomic.Bool
}

// take returns which rows are next; none if lo is not below hi.
func (s *stock) take() (lo, hi int) {
	switch s.taken.Add(1) {
	case 1:
		return 0, s.most
	case 2:
		return s.most, len(s.rows)
	}
	return 0, 0
}

// read reads a thread's wanted rows, and then those that other threads have left.
func (ws *workspace) read() {
	s := &ws.stock
	s.most = len(s.rows)
	if len(ws.peers) > 1 {
		s.most -= s.most / 3 / ws.room.unit * ws.room.unit
	}
	s.open.Store(true)
	ws.help(ws)
	for _, peer := range ws.peers {
		if peer != ws && peer.stock.open.Load() {
			ws.help(peer)
		}
	}
}

// help reads what rows a thread has left.
func (ws *workspace) help(peer *workspace) {
	for lo, hi := peer.stock.take(); lo < hi; lo, hi = peer.stock.take() {
		states := kernel.Vectors{Data: peer.norm.Data[lo*peer.norm.Stride:], Stride: peer.norm.Stride}
		ws.readSome(peer.stock.rows[lo:hi], states)
	}
}

// readSome reads rows of these states. Their logits come in slabs of the vocabulary, since all
// of them would take more memory than a small model's weights.
func (ws *workspace) readSome(rows []wanted, states kernel.Vectors) {
	vocab := ws.w.vocab
	slab := ws.room.slab(len(rows))
	whole := slab >= vocab
	logits := kernel.Vectors{Data: ws.logits.Data, Stride: min(slab, ws.room.vocab)}
	readings := make([]reading, len(rows))
	if !whole {
		for b := range rows {
			readings[b] = rows[b].begin(row{ws: ws, state: states.At(b)})
		}
	}
	for first := 0; first < vocab; first += slab {
		end := min(first+slab, vocab)
		ws.logitsOf(stretch{first, end}, logits, states, len(rows))
		for b := range rows {
			part := logits.At(b)[:end-first]
			if whole {
				readings[b] = rows[b].begin(row{ws: ws, state: states.At(b), logits: part})
			}
			if readings[b] != nil {
				readings[b] = rows[b].take(readings[b], ws, first, part)
			}
		}
	}
	for b, r := range readings {
		if r != nil {
			rows[b].end(r)
		}
	}
}

// readWhole reads the rows that a thread wants whole, in their order: as many at a time as
// there is room for. Such are those of calls that ask for it, all of threads that share out the
// vocabulary, which read in turn, and all whose bits depend on what is computed together.
func (ws *workspace) readWhole() {
	rows, p, behind := ws.wholes, ws.portion, len(ws.stock.rows)
	if len(rows) == 0 {
		return
	}
	for lo, most := 0, ws.room.pass(len(rows)); lo < len(rows); lo += most {
		if lo > 0 {
			ws.team.wait() // until all have looked
		}
		hi := min(lo+most, len(rows))
		states := kernel.Vectors{Data: ws.norm.Data[(behind+lo)*ws.norm.Stride:], Stride: ws.norm.Stride}
		ws.logitsOf(p.vocab, p.vocab.from(ws.logits), states, hi-lo)
		ws.team.wait()
		for b := range hi - lo {
			w := &rows[lo+b]
			if b%p.of != p.index || w.share.err != nil {
				continue // another thread's, with all of the call; or the call has failed
			}
			logits := ws.logits.At(b)[:ws.w.vocab]
			if r := w.take(w.begin(row{ws, states.At(b), logits}), ws, 0, logits); r != nil {
				w.end(r)
			}
			w.share.err = w.err
		}
	}
}

// report notes in the shares what their rows have come to, the first failure of each.
func (ws *workspace) report() {
	for _, w := range ws.stock.rows {
		if w.share.err == nil {
			w.share.err = w.err
		}
	}
}
