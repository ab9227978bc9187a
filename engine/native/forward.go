package native

import (
	"math"
	"runtime"

	"targon"
	"targon/engine/native/kernel"
)

// A segment is successive ids of one sequence in a step: the position of the first of
// them, and which row it is.
type segment struct {
	at  int
	s   *sequence
	ids []targon.TokenID
	row int
}

// forward writes the ids of segments, together at most chunk, into the caches of their
// sequences, which have room for them. Afterwards x holds their residual streams, from
// which output makes logits.
func (ws *workspace) forward(segments []segment) {
	w, n := ws.w, 0
	for i := range segments {
		g := &segments[i]
		g.row = n
		for j, id := range g.ids {
			ws.begin(n+j, id, g.at+j)
		}
		n += len(g.ids)
	}
	for i := range w.layers {
		ws.attention(segments, i, n)
		ws.feedForward(&ws.portion.layers[i], n)
	}
	runtime.KeepAlive(w)
}

// begin puts an id's embedding and the angles of its position into a row.
func (ws *workspace) begin(row int, id targon.TokenID, position int) {
	w, x := ws.w, ws.x.At(row)
	w.embed.Row(x, int(id))
	clear(x[w.dim:])
	if w.embedScale != 0 {
		ws.kernel.Scale(x, w.embedScale)
	}
	angles(ws.turn.cos.At(row), ws.turn.sin.At(row), w.freqs, position)
	if w.localFreqs != nil {
		angles(ws.local.cos.At(row), ws.local.sin.At(row), w.localFreqs, position)
	}
}

// attention adds what a layer's attention says to n residual streams.
func (ws *workspace) attention(segments []segment, layer, n int) {
	p := ws.portion
	l := &p.layers[layer]
	ws.normalise(l.attnNorm, n)
	for _, part := range []struct {
		to     kernel.Vectors
		rows   stretch
		matrix *kernel.Matrix
		bias   []float32
	}{{ws.q, p.q, l.q, l.qBias}, {ws.k, p.kv, l.k, l.kBias}, {ws.v, p.kv, l.v, l.vBias}} {
		ws.mul(part.rows.from(part.to), part.matrix, ws.norm, n)
		if part.bias != nil {
			for b := range n {
				ws.kernel.Add(part.to.At(b)[part.rows.lo:][:len(part.bias)], part.bias)
			}
		}
	}
	for _, g := range segments {
		ws.remember(g, layer)
	}
	ws.runner.pass() // what comes earlier has been remembered
	for _, g := range segments {
		ws.attend(g, layer)
	}
	if p.index == 0 {
		trim(ws.mixed, ws.w.heads*ws.w.head, n)
	}
	ws.team.wait()
	ws.mulDelta(l.out, ws.mixed, n)
	ws.team.wait()
	ws.add(l.attnPostNorm, n)
}

// feedForward adds what a layer's gated network says to n residual streams.
func (ws *workspace) feedForward(l *layer, n int) {
	p := ws.portion
	ws.normalise(l.ffnNorm, n)
	ws.mul(p.ffn.from(ws.gate), l.gate, ws.norm, n)
	ws.mul(p.ffn.from(ws.up), l.up, ws.norm, n)
	for b := range n {
		gate, up := p.ffn.part(ws.gate.At(b)), p.ffn.part(ws.up.At(b))
		switch {
		case len(gate) == 0:
		case ws.w.gemma:
			ws.kernel.GeGLU(gate, up, &ws.scratch)
		default:
			ws.kernel.SwiGLU(gate, up)
		}
		clear(gate[min(p.ffn.hi-p.ffn.lo, len(gate)):])
	}
	ws.team.wait()
	ws.mulDelta(l.down, ws.gate, n)
	ws.team.wait()
	ws.add(l.ffnPostNorm, n)
}

// mulDelta sets delta to products of a matrix with n vectors.
func (ws *workspace) mulDelta(m *kernel.Matrix, x kernel.Vectors, n int) {
	p := ws.portion
	ws.mul(p.dim.from(ws.delta), m, x, n)
	if p.dim.lo < p.dim.hi && p.dim.hi == ws.w.dim {
		trim(ws.delta, ws.w.dim, n)
	}
}

// trim clears the padding of n vectors, where something else has been.
func trim(v kernel.Vectors, width, n int) {
	for b := range n {
		clear(v.At(b)[width:])
	}
}

func resize(x []float32, n int) []float32 {
	if cap(x) < n {
		return make([]float32, max(n, 2*cap(x)))[:n]
	}
	return x[:n]
}

// ready norms some rows of the last forward, which logitsOf then makes logits of. After that
// the residual streams are no more: logits lie over them.
func (ws *workspace) ready(rows []int) {
	for i, row := range rows {
		ws.rms(ws.norm.At(i), ws.x.At(row), ws.w.norm, ws.w.dim)
	}
	ws.team.wait() // until nobody reads what logits lie over
}

// logitsOf writes the logits of some ids for n states to vectors.
func (ws *workspace) logitsOf(ids stretch, to, states kernel.Vectors, n int) {
	ws.mul(to, ws.vocabulary(ids), states, n)
	if ws.w.logitCap != 0 && ids.lo < ids.hi {
		for b := range n {
			ws.kernel.SoftCap(to.At(b)[:kernel.Pad(ids.hi-ids.lo)], ws.w.logitCap, &ws.scratch)
		}
	}
	runtime.KeepAlive(ws.w)
}

// vocabulary returns the rows of the output matrix that make the logits of some ids.
func (ws *workspace) vocabulary(ids stretch) *kernel.Matrix {
	switch ids {
	case stretch{0, ws.w.vocab}:
		return ws.w.output
	case ws.portion.vocab:
		return ws.portion.output
	}
	return ids.of(ws.w.output)
}

// single returns one id's logit.
func (ws *workspace) single(state []float32, id int) float32 {
	first := id / cutRows * cutRows
	to := kernel.Vectors{Data: ws.few[:], Stride: cutRows}
	ws.logitsOf(stretch{first, min(first+cutRows, ws.w.vocab)}, to, kernel.Vectors{Data: state, Stride: len(state)}, 1)
	return ws.few[id-first]
}

// normalise writes the RMS norm of n residual streams to norm.
func (ws *workspace) normalise(weight []float32, n int) {
	for b := range n {
		ws.rms(ws.norm.At(b), ws.x.At(b), weight, ws.w.dim)
	}
}

// rms sets out to the RMS norm of the first n of x, the others being 0.
func (ws *workspace) rms(out, x, weight []float32, n int) {
	mean := float64(ws.kernel.Dot(x, x, &ws.scratch)) / float64(n)
	scale := float32(1 / math.Sqrt(mean+ws.w.eps))
	ws.kernel.Norm(out[:kernel.Pad(n)], x, weight, scale)
	clear(out[n:]) // where a NaN would leave its trace
}

// add adds delta, normalised where there is a weight for that, to the residual streams.
func (ws *workspace) add(postNorm []float32, n int) {
	dim := ws.w.dim
	for b := range n {
		d := ws.delta.At(b)
		if postNorm != nil {
			ws.rms(ws.norm.At(b), d, postNorm, dim)
			d = ws.norm.At(b)
		}
		x := ws.x.At(b)
		ws.kernel.Add(x, d)
		clear(x[dim:])
	}
}

// turnOf returns the angles of a layer.
func (ws *workspace) turnOf(l *layer) turning {
	if l.window > 0 && ws.w.localFreqs != nil {
		return ws.local
	}
	return ws.turn
}

// remember turns the keys of a segment and puts them and the values into its pages. Those
// whose contents are known have them already, the same bits, and others may be reading.
func (ws *workspace) remember(g segment, layer int) {
	w, pad := ws.w, kernel.Pad(ws.w.head)
	l := &w.layers[layer]
	turn := ws.turnOf(l)
	for b := range g.ids {
		position := g.at + b
		p := g.s.pages[position/pageRows]
		if p.name != 0 {
			continue
		}
		at := position % pageRows * p.stride
		keys, values := p.keys(layer)[at:], p.values(layer)[at:]
		k, v := ws.k.At(g.row+b), ws.v.At(g.row+b)
		for h := ws.portion.heads.lo; h < ws.portion.heads.hi; h++ {
			key := keys[h*pad : (h+1)*pad]
			copy(key[:w.head], k[h*w.head:])
			if l.kNorm != nil {
				ws.rms(key, key, l.kNorm, w.head)
			}
			ws.rotate(key, turn, g.row+b)
			value := values[h*pad : h*pad+w.head]
			copy(value, v[h*w.head:])
			ws.foreign.remember(key, value)
		}
	}
}

// first returns the first position that one sees.
func (l *layer) first(position int) int {
	if l.window == 0 {
		return 0
	}
	return max(0, position+1-l.window)
}

// query sets to to the query of a row, turned and scaled.
func (ws *workspace) query(to []float32, l *layer, row, head int) {
	w := ws.w
	copy(to, ws.q.At(row)[head*w.head:(head+1)*w.head])
	if l.qNorm != nil {
		ws.rms(to, to, l.qNorm, w.head)
	}
	ws.rotate(to, ws.turnOf(l), row)
	ws.kernel.Scale(to, w.scale)
}

// rotate turns a head's pairs by the angles of a row and leaves components beyond the
// rotary length alone. Pairs are neighbours (2i and 2i+1, the layout of Llama files) or,
// with halves, i and the one half the rotary length further.
func (ws *workspace) rotate(head []float32, by turning, row int) {
	cos, sin := by.at(row)
	if ws.w.halves {
		ws.kernel.TurnHalves(head, cos, sin)
	} else {
		ws.kernel.TurnPairs(head, cos, sin)
	}
}
