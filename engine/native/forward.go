package native

import (
	"math"
	"runtime"

	"targon"
	"targon/engine/native/kernel"
)

const (
	// chunk is how many positions are computed together; a cancelled call stops after
	// one. A multiple of six suits the kernels.
	chunk = 96
	// logitFloats limits the rows of logits that are computed together: 96 for a small
	// vocabulary, at least 6.
	logitFloats = 1 << 20
)

// logitRows is how many rows of logits a workspace holds.
func logitRows(vocab int) int { return min(max(logitFloats/vocab/6, 1)*6, chunk) }

// A segment is successive ids of one sequence in a step, and which row of the step is
// the first of them.
type segment struct {
	s   *sequence
	ids []targon.TokenID
	row int
}

// A workspace is the memory of one step. Whoever holds it computes; there are as many
// as an engine has threads.
type workspace struct {
	w       *weights
	kernel  *kernel.Kernel
	scratch kernel.Scratch
	x, norm kernel.Vectors // residual stream, and what the matrices read
	q, k, v kernel.Vectors
	mixed   kernel.Vectors // attention's outcome, heads side by side
	delta   kernel.Vectors // what is added to the residual stream
	gate    kernel.Vectors
	up      kernel.Vectors
	logits  kernel.Vectors // grows up to logitRows
	turn    turning
	local   turning   // in layers that see a window
	head    []float32 // one query, padded
	value   []float32 // one attention value, padded
	att     []float32 // attention weights of one query
	seen    []float32 // attention values of one head, a row after the other
	exps    []float32 // exponentials of one row of logits, padded
	filter  filter
	foreign *foreigner // nil: our own numerics
}

// A turning is the cosines and sines of positions.
type turning struct {
	cos, sin kernel.Vectors
	n        int
}

func (t turning) at(b int) (cos, sin []float32) { return t.cos.At(b)[:t.n], t.sin.At(b)[:t.n] }

func newWorkspace(w *weights, k *kernel.Kernel) *workspace {
	vectors := func(n, width int) kernel.Vectors {
		width = kernel.Pad(width)
		return kernel.Vectors{Data: make([]float32, n*width), Stride: width}
	}
	qWidth, kvWidth := w.heads*w.head, w.kvHeads*w.head
	return &workspace{
		w: w, kernel: k,
		x: vectors(chunk, w.dim), norm: vectors(chunk, w.dim), delta: vectors(chunk, w.dim),
		q: vectors(chunk, qWidth), mixed: vectors(chunk, qWidth),
		k: vectors(chunk, kvWidth), v: vectors(chunk, kvWidth),
		gate: vectors(chunk, w.ffn), up: vectors(chunk, w.ffn),
		logits: vectors(0, w.vocab),
		turn:   turning{vectors(chunk, len(w.freqs)), vectors(chunk, len(w.freqs)), len(w.freqs)},
		local:  turning{vectors(chunk, len(w.localFreqs)), vectors(chunk, len(w.localFreqs)), len(w.localFreqs)},
		head:   make([]float32, kernel.Pad(w.head)), value: make([]float32, kernel.Pad(w.head)),
		exps: make([]float32, kernel.Pad(w.vocab)),
	}
}

// forward appends the ids of segments, together at most chunk, to their sequences,
// which have room for them. Afterwards x holds their residual streams, from which
// output makes logits.
func (ws *workspace) forward(segments []segment) {
	w, n := ws.w, 0
	for i := range segments {
		g := &segments[i]
		g.row = n
		for j, id := range g.ids {
			ws.begin(n+j, id, g.s.length+j)
		}
		n += len(g.ids)
	}
	for i := range w.layers {
		ws.attention(segments, i, n)
		ws.feedForward(&w.layers[i], n)
	}
	for _, g := range segments {
		g.s.length += len(g.ids)
	}
	runtime.KeepAlive(w)
}

// begin puts an id's embedding and the angles of its position into a row.
func (ws *workspace) begin(row int, id targon.TokenID, position int) {
	w, x := ws.w, ws.x.At(row)
	w.embed.Row(x, int(id))
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
	l := &ws.w.layers[layer]
	ws.normalise(l.attnNorm, n)
	for _, part := range []struct {
		to     kernel.Vectors
		matrix *kernel.Matrix
		bias   []float32
	}{{ws.q, l.q, l.qBias}, {ws.k, l.k, l.kBias}, {ws.v, l.v, l.vBias}} {
		ws.mul(part.to, part.matrix, ws.norm, n)
		if part.bias != nil {
			for b := range n {
				sum(part.to.At(b)[:part.matrix.Rows()], part.bias)
			}
		}
	}
	for _, g := range segments {
		ws.remember(g, layer)
		ws.attend(g, layer)
	}
	ws.mul(ws.delta, l.out, ws.mixed, n)
	ws.add(l.attnPostNorm, n)
}

// feedForward adds what a layer's gated network says to n residual streams.
func (ws *workspace) feedForward(l *layer, n int) {
	ws.normalise(l.ffnNorm, n)
	ws.mul(ws.gate, l.gate, ws.norm, n)
	ws.mul(ws.up, l.up, ws.norm, n)
	for b := range n {
		if ws.w.gemma {
			ws.kernel.GeGLU(ws.gate.At(b), ws.up.At(b), &ws.scratch)
		} else {
			ws.kernel.SwiGLU(ws.gate.At(b), ws.up.At(b))
		}
	}
	ws.mul(ws.delta, l.down, ws.gate, n)
	ws.add(l.ffnPostNorm, n)
}

func resize(x []float32, n int) []float32 {
	if cap(x) < n {
		return make([]float32, max(n, 2*cap(x)))[:n]
	}
	return x[:n]
}

// output computes the logits of some rows of the last forward, at most logitRows.
func (ws *workspace) output(rows []int) {
	if need := len(rows) * ws.logits.Stride; len(ws.logits.Data) < need {
		ws.logits.Data = make([]float32, need)
	}
	for i, row := range rows {
		ws.rms(ws.norm.At(i), ws.x.At(row), ws.w.norm, ws.w.dim)
	}
	ws.mul(ws.logits, ws.w.output, ws.norm, len(rows))
	if ws.w.logitCap != 0 {
		for b := range rows {
			ws.kernel.SoftCap(ws.logits.At(b), ws.w.logitCap, &ws.scratch)
		}
	}
	runtime.KeepAlive(ws.w)
}

// normalise writes the RMS norm of n residual streams to norm.
func (ws *workspace) normalise(weight []float32, n int) {
	for b := range n {
		ws.rms(ws.norm.At(b), ws.x.At(b), weight, ws.w.dim)
	}
}

// rms sets out to the RMS norm of the first n of x, the others being 0.
func (ws *workspace) rms(out, x, weight []float32, n int) {
	mean := float64(ws.kernel.Dot(x, x)) / float64(n)
	scale := float32(1 / math.Sqrt(mean+ws.w.eps))
	for i, v := range x[:n] {
		out[i] = float32(v*scale) * weight[i]
	}
}

// add adds delta, normalised where there is a weight for that, to the residual streams.
func (ws *workspace) add(postNorm []float32, n int) {
	dim := ws.w.dim
	for b := range n {
		d := ws.delta.At(b)
		if postNorm != nil {
			ws.rms(d, d, postNorm, dim)
		}
		sum(ws.x.At(b)[:dim], d)
	}
}

// sum adds y to x.
func sum(x, y []float32) {
	y = y[:len(x)]
	for i := range x {
		x[i] += y[i]
	}
}

// turnOf returns the angles of a layer.
func (ws *workspace) turnOf(l *layer) turning {
	if l.window > 0 && ws.w.localFreqs != nil {
		return ws.local
	}
	return ws.turn
}

// remember turns the keys of a segment and puts them and the values into its pages.
func (ws *workspace) remember(g segment, layer int) {
	w, pad := ws.w, kernel.Pad(ws.w.head)
	l := &w.layers[layer]
	for b := range g.ids {
		position := g.s.length + b
		p := g.s.pages[position/pageRows]
		at := position % pageRows * p.stride
		keys, values := p.keys(layer)[at:], p.values(layer)[at:]
		k, v := ws.k.At(g.row+b), ws.v.At(g.row+b)
		cos, sin := ws.turnOf(l).at(g.row + b)
		for h := range w.kvHeads {
			key := keys[h*pad : (h+1)*pad]
			copy(key[:w.head], k[h*w.head:])
			if l.kNorm != nil {
				ws.rms(key, key, l.kNorm, w.head)
			}
			rotate(key, cos, sin, w.halves)
			value := values[h*pad : h*pad+w.head]
			copy(value, v[h*w.head:])
			ws.foreign.remember(key, value)
		}
	}
}

// attend fills mixed for a segment: each query sees the positions up to its own, or
// the latest of them that its layer's window holds.
func (ws *workspace) attend(g segment, layer int) {
	if ws.foreign != nil {
		ws.attendForeign(g, layer)
		return
	}
	w, pad := ws.w, kernel.Pad(ws.w.head)
	l, group, end := &w.layers[layer], w.heads/w.kvHeads, g.s.length+len(g.ids)
	begin := l.first(g.s.length)
	ws.att = resize(ws.att, kernel.Pad(end)+kernel.Lanes)
	for h := range w.kvHeads {
		ws.seen = resize(ws.seen, (end-begin)*pad)
		g.s.gather(ws.seen, (*page).values, strip{layer, begin, h * pad, pad})
		for b := range g.ids {
			for i := h * group; i < (h+1)*group; i++ {
				ws.query(l, g.row+b, i)
				first, seen := l.first(g.s.length+b), g.s.length+b+1
				n := seen - first
				ws.scores(g.s, layer, h*pad, first, seen)
				att := ws.att[:kernel.Pad(n)]
				if w.attnCap != 0 {
					ws.kernel.SoftCap(att, w.attnCap, &ws.scratch)
				}
				ws.kernel.Softmax(att, n)
				ws.kernel.Values(ws.value, att, ws.seen[(first-begin)*pad:], n, pad)
				copy(ws.mixed.At(g.row + b)[i*w.head:(i+1)*w.head], ws.value)
			}
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

// query sets head to the query of a row, turned and scaled.
func (ws *workspace) query(l *layer, row, head int) {
	w := ws.w
	copy(ws.head, ws.q.At(row)[head*w.head:(head+1)*w.head])
	if l.qNorm != nil {
		ws.rms(ws.head, ws.head, l.qNorm, w.head)
	}
	cos, sin := ws.turnOf(l).at(row)
	rotate(ws.head, cos, sin, w.halves)
	ws.kernel.Scale(ws.head, w.scale)
}

// scores writes head's products with the keys of positions first to end to att, and
// scratch behind them.
func (ws *workspace) scores(s *sequence, layer, column, first, end int) {
	for t := first; t < end; {
		p, row := s.pages[t/pageRows], t%pageRows
		n := min(pageRows-row, end-t)
		ws.kernel.MulRows(ws.att[t-first:], p.keys(layer)[row*p.stride+column:], ws.head, n, p.stride)
		t += n
	}
}
