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
	// vocabulary, at least 6. Each time that they are computed the whole output matrix is
	// read: fewer rows are slower, more of them are memory that holds no weights.
	logitFloats = 1 << 21
)

// logitRows is how many rows of logits a workspace holds.
func logitRows(vocab int) int { return min(max(logitFloats/vocab/6, 1)*6, chunk) }

// A segment is successive ids of one sequence in a step: the position of the first of
// them, and which row it is.
type segment struct {
	at  int
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
	local   turning        // in layers that see a window
	queries kernel.Vectors // of a bunch, turned and scaled, padded
	values  kernel.Vectors // what its queries see, mixed
	att     []float32      // its attention weights
	seen    []float32      // attention values of one head, a row after the other
	exps    []float32      // exponentials of one row of logits, padded
	tuned   []float32      // a row of logits, for a draw that changes them
	filter  filter
	foreign *foreigner // nil: our own numerics
	meeting *meeting   // of threads that compute parts of the same calls; nil: none do
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
		logits:  vectors(0, w.vocab),
		turn:    turning{vectors(chunk, len(w.freqs)), vectors(chunk, len(w.freqs)), len(w.freqs)},
		local:   turning{vectors(chunk, len(w.localFreqs)), vectors(chunk, len(w.localFreqs)), len(w.localFreqs)},
		queries: vectors(together, w.head), values: vectors(together, w.head),
		exps: make([]float32, kernel.Pad(w.vocab)),
	}
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
		ws.feedForward(&w.layers[i], n)
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
				ws.kernel.Add(part.to.At(b)[:len(part.bias)], part.bias)
			}
		}
	}
	for _, g := range segments {
		ws.remember(g, layer)
	}
	ws.meeting.wait()
	for _, g := range segments {
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
	ws.kernel.Norm(out[:kernel.Pad(n)], x, weight, scale)
	clear(out[n:]) // where a NaN would leave its trace
}

// add adds delta, normalised where there is a weight for that, to the residual streams.
func (ws *workspace) add(postNorm []float32, n int) {
	dim := ws.w.dim
	for b := range n {
		d := ws.delta.At(b)
		if postNorm != nil {
			ws.rms(d, d, postNorm, dim)
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

// remember turns the keys of a segment and puts them and the values into its pages.
func (ws *workspace) remember(g segment, layer int) {
	w, pad := ws.w, kernel.Pad(ws.w.head)
	l := &w.layers[layer]
	turn := ws.turnOf(l)
	for b := range g.ids {
		position := g.at + b
		p := g.s.pages[position/pageRows]
		at := position % pageRows * p.stride
		keys, values := p.keys(layer)[at:], p.values(layer)[at:]
		k, v := ws.k.At(g.row+b), ws.v.At(g.row+b)
		for h := range w.kvHeads {
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
