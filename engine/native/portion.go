package native

import (
	"fmt"

	"targon/engine/native/kernel"
)

// A portion is what one of several threads computes of every position of a step: some
// rows of each matrix, and the attention of some heads.
//
// Threads that share positions out read all weights each. Where positions are few, a
// step takes as long as its weights come from memory: threads that share rows out
// read each weight once together, at the speed of the memory and not of one core.
// They wait for each other four times a layer. Elements of a product depend on nothing else
// in their vector, so the bits are the same.
type portion struct {
	index, of int
	layers    []layer // the matrices' rows that are the thread's; nil where it has none
	output    *kernel.Matrix
	heads     stretch // of keys and values, with the queries that read them
	// Rows of each kind of matrix. What they produce is written to vectors from lo to
	// hi, padded. Those of queries, keys and values may take in parts of other heads,
	// since matrices are cut where rows are stored together.
	q, kv, dim, ffn, vocab stretch
}

// A stretch begins at lo and ends before hi.
type stretch struct{ lo, hi int }

// cutRows is what matrices are cut at multiples of.
const cutRows = 16

// share returns the index-th of so many shares of n rows.
func (p *portion) share(n int) stretch {
	units := (n + cutRows - 1) / cutRows
	return stretch{p.index * units / p.of * cutRows, min((p.index+1)*units/p.of*cutRows, n)}
}

// around returns the rows of heads, and no more others than need be.
func (p *portion) around(length, n int) stretch {
	if p.heads.lo == p.heads.hi {
		return stretch{}
	}
	lo, hi := p.heads.lo*length, p.heads.hi*length
	return stretch{lo / cutRows * cutRows, min((hi+cutRows-1)/cutRows*cutRows, n)}
}

// newPortion returns the index-th of so many portions of a model.
func newPortion(w *weights, index, of int) *portion {
	p := &portion{index: index, of: of, heads: stretch{index * w.kvHeads / of, (index + 1) * w.kvHeads / of}}
	p.q, p.kv = p.around(w.heads/w.kvHeads*w.head, w.heads*w.head), p.around(w.head, w.kvHeads*w.head)
	p.dim, p.ffn, p.vocab = p.share(w.dim), p.share(w.ffn), p.share(w.vocab)
	p.output = p.vocab.of(w.output)
	for _, l := range w.layers {
		l.q, l.k, l.v, l.out = p.q.of(l.q), p.kv.of(l.k), p.kv.of(l.v), p.dim.of(l.out)
		l.gate, l.up, l.down = p.ffn.of(l.gate), p.ffn.of(l.up), p.dim.of(l.down)
		l.qBias, l.kBias, l.vBias = p.q.part(l.qBias), p.kv.part(l.kBias), p.kv.part(l.vBias)
		p.layers = append(p.layers, l)
	}
	return p
}

// of returns the rows of a matrix, nil where there are none.
func (s stretch) of(m *kernel.Matrix) *kernel.Matrix {
	if s.lo == s.hi {
		return nil
	}
	part, err := m.Part(s.lo, s.hi)
	if err != nil {
		panic(fmt.Sprintf("internal error: native: %v", err))
	}
	return part
}

// part returns the elements of a padded vector, padded, nil where there are none.
func (s stretch) part(x []float32) []float32 {
	if x == nil || s.lo == s.hi {
		return nil
	}
	return x[s.lo:kernel.Pad(s.hi)]
}

// from returns vectors as the rows of a matrix write them.
func (s stretch) from(v kernel.Vectors) kernel.Vectors {
	return kernel.Vectors{Data: v.Data[s.lo:], Stride: v.Stride}
}

// join has a workspace compute a portion.
func (ws *workspace) join(p *portion, others *meeting, b *board) {
	ws.portion, ws.team, ws.board, ws.runner, ws.peers = p, others, b, nil, nil
}

// alone has a workspace compute all of its positions, nobody beside it.
func (ws *workspace) alone() {
	ws.join(ws.all, nil, &ws.own)
	ws.stock.open.Store(false)
	ws.stock.taken.Store(0)
}
