package native

import (
	"math"
	"runtime"

	"targon"
	"targon/engine/native/kernel"
)

const (
	// chunk is how many positions are computed together; a cancelled call stops after
	// one. A multiple of three suits the kernels.
	chunk = 96
	// logitFloats limits the rows of logits that are computed together: 96 for a small
	// vocabulary, at least 6.
	logitFloats = 1 << 18
)

// logitRows is how many rows of logits a workspace holds.
func logitRows(vocab int) int { return min(max(logitFloats/vocab/3, 2)*3, chunk) }

// A sequence is the attention cache of one call: keys and values of every position,
// float32, a head padded to 16. Rows beyond length are scratch; three more than the
// capacity lie behind it, since kernels read rows by fours from wherever a window begins.
type sequence struct {
	keys, values [][]float32 // by layer
	length       int
	capacity     int // rows, a multiple of 4
	stride       int
}

func newSequence(w *weights, positions int) *sequence {
	s := &sequence{stride: w.kvHeads * kernel.Pad(w.head)}
	s.keys, s.values = make([][]float32, w.config.layers), make([][]float32, w.config.layers)
	s.grow(min(positions, 2*chunk))
	return s
}

// grow makes room for a number of positions, at least doubling what there is.
func (s *sequence) grow(positions int) {
	if positions <= s.capacity {
		return
	}
	s.capacity = (max(positions, 2*s.capacity) + 3) / 4 * 4
	for i := range s.keys {
		k, v := make([]float32, (s.capacity+3)*s.stride), make([]float32, (s.capacity+3)*s.stride)
		copy(k, s.keys[i])
		copy(v, s.values[i])
		s.keys[i], s.values[i] = k, v
	}
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
	logits  kernel.Vectors
	turn    turning
	local   turning   // in layers that see a window
	head    []float32 // one query, padded
	value   []float32 // one attention value, padded
	att     []float32 // attention weights of one query
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
		logits: vectors(logitRows(w.vocab), w.vocab),
		turn:   turning{vectors(chunk, len(w.freqs)), vectors(chunk, len(w.freqs)), len(w.freqs)},
		local:  turning{vectors(chunk, len(w.localFreqs)), vectors(chunk, len(w.localFreqs)), len(w.localFreqs)},
		head:   make([]float32, kernel.Pad(w.head)), value: make([]float32, kernel.Pad(w.head)),
		exps: make([]float32, kernel.Pad(w.vocab)),
	}
}

// forward appends ids (at most chunk) to a sequence. Afterwards x holds their residual
// streams, from which output makes logits.
func (ws *workspace) forward(s *sequence, ids []targon.TokenID) {
	w, n := ws.w, len(ids)
	s.grow(s.length + n)
	ws.att = resize(ws.att, kernel.Pad(s.length+n))
	for b, id := range ids {
		x, position := ws.x.At(b), s.length+b
		w.embed.Row(x, int(id))
		if w.embedScale != 0 {
			ws.kernel.Scale(x, w.embedScale)
		}
		angles(ws.turn.cos.At(b), ws.turn.sin.At(b), w.freqs, position)
		if w.localFreqs != nil {
			angles(ws.local.cos.At(b), ws.local.sin.At(b), w.localFreqs, position)
		}
	}
	for i := range w.layers {
		ws.attention(s, i, n)
		ws.feedForward(&w.layers[i], n)
	}
	s.length += n
	runtime.KeepAlive(w)
}

// attention adds what a layer's attention says to n residual streams.
func (ws *workspace) attention(s *sequence, layer, n int) {
	l := &ws.w.layers[layer]
	ws.normalise(l.attnNorm, 0, n)
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
	ws.remember(s, layer, n)
	ws.attend(s, layer, n)
	ws.mul(ws.delta, l.out, ws.mixed, n)
	ws.add(l.attnPostNorm, n)
}

// feedForward adds what a layer's gated network says to n residual streams.
func (ws *workspace) feedForward(l *layer, n int) {
	ws.normalise(l.ffnNorm, 0, n)
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

// output computes the logits of n positions of the last forward, from lo on.
func (ws *workspace) output(lo, n int) {
	ws.normalise(ws.w.norm, lo, n)
	from := kernel.Vectors{Data: ws.norm.Data[lo*ws.norm.Stride:], Stride: ws.norm.Stride}
	ws.mul(ws.logits, ws.w.output, from, n)
	if ws.w.logitCap != 0 {
		for b := range n {
			ws.kernel.SoftCap(ws.logits.At(b), ws.w.logitCap, &ws.scratch)
		}
	}
	runtime.KeepAlive(ws.w)
}

// normalise writes the RMS norm of n residual streams from lo on to norm.
func (ws *workspace) normalise(weight []float32, lo, n int) {
	for b := lo; b < lo+n; b++ {
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

// remember turns the keys and puts them and the values into the cache.
func (ws *workspace) remember(s *sequence, layer, n int) {
	w, pad := ws.w, kernel.Pad(ws.w.head)
	l := &w.layers[layer]
	for b := range n {
		row := (s.length + b) * s.stride
		k, v := ws.k.At(b), ws.v.At(b)
		cos, sin := ws.turnOf(l).at(b)
		for h := range w.kvHeads {
			at := row + h*pad
			key := s.keys[layer][at : at+pad]
			copy(key[:w.head], k[h*w.head:])
			if l.kNorm != nil {
				ws.rms(key, key, l.kNorm, w.head)
			}
			rotate(key, cos, sin, w.halves)
			copy(s.values[layer][at:at+w.head], v[h*w.head:])
			ws.foreign.remember(key, s.values[layer][at:at+w.head])
		}
	}
}

// attend fills mixed: each query sees the positions up to its own, or the latest of
// them that its layer's window holds.
func (ws *workspace) attend(s *sequence, layer, n int) {
	if ws.foreign != nil {
		ws.attendForeign(s, layer, n)
		return
	}
	w, pad := ws.w, kernel.Pad(ws.w.head)
	l, group := &w.layers[layer], w.heads/w.kvHeads
	for b := range n {
		first, seen := 0, s.length+b+1
		if l.window > 0 && seen > l.window {
			first, seen = seen-l.window, l.window
		}
		att := ws.att[:kernel.Pad(seen)]
		q, mixed := ws.q.At(b), ws.mixed.At(b)
		cos, sin := ws.turnOf(l).at(b)
		for h := range w.heads {
			copy(ws.head, q[h*w.head:(h+1)*w.head])
			if l.qNorm != nil {
				ws.rms(ws.head, ws.head, l.qNorm, w.head)
			}
			rotate(ws.head, cos, sin, w.halves)
			ws.kernel.Scale(ws.head, w.scale)
			at := first*s.stride + h/group*pad
			ws.kernel.MulRows(att, s.keys[layer][at:], ws.head, seen, s.stride)
			if w.attnCap != 0 {
				ws.kernel.SoftCap(att, w.attnCap, &ws.scratch)
			}
			ws.kernel.Softmax(att, seen)
			ws.kernel.Values(ws.value, att, s.values[layer][at:], seen, s.stride)
			copy(mixed[h*w.head:(h+1)*w.head], ws.value)
		}
	}
}
