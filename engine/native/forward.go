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
// float32, a head padded to 16. Rows beyond length are scratch.
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
		k, v := make([]float32, s.capacity*s.stride), make([]float32, s.capacity*s.stride)
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
	cos     kernel.Vectors
	sin     kernel.Vectors
	head    []float32 // one query, padded
	value   []float32 // one attention value, padded
	att     []float32 // attention weights of one query
	exps    []float32 // exponentials of one row of logits, padded
}

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
		cos:    vectors(chunk, len(w.freqs)), sin: vectors(chunk, len(w.freqs)),
		head: make([]float32, kernel.Pad(w.head)), value: make([]float32, kernel.Pad(w.head)),
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
		w.embed.Row(ws.x.At(b), int(id))
		angles(ws.cos.At(b), ws.sin.At(b), w.freqs, s.length+b)
	}
	for i := range w.layers {
		l := &w.layers[i]
		ws.normalise(l.attnNorm, 0, n)
		ws.kernel.Mul(ws.q, l.q, ws.norm, n, &ws.scratch)
		ws.kernel.Mul(ws.k, l.k, ws.norm, n, &ws.scratch)
		ws.kernel.Mul(ws.v, l.v, ws.norm, n, &ws.scratch)
		ws.remember(s, i, n)
		ws.attend(s, i, n)
		ws.kernel.Mul(ws.delta, l.out, ws.mixed, n, &ws.scratch)
		ws.add(n)
		ws.normalise(l.ffnNorm, 0, n)
		ws.kernel.Mul(ws.gate, l.gate, ws.norm, n, &ws.scratch)
		ws.kernel.Mul(ws.up, l.up, ws.norm, n, &ws.scratch)
		for b := range n {
			ws.kernel.SwiGLU(ws.gate.At(b), ws.up.At(b))
		}
		ws.kernel.Mul(ws.delta, l.down, ws.gate, n, &ws.scratch)
		ws.add(n)
	}
	s.length += n
	runtime.KeepAlive(w)
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
	ws.kernel.Mul(ws.logits, ws.w.output, from, n, &ws.scratch)
	runtime.KeepAlive(ws.w)
}

// normalise writes the RMS norm of n residual streams from lo on to norm.
func (ws *workspace) normalise(weight []float32, lo, n int) {
	dim, eps := ws.w.dim, ws.w.eps
	for b := lo; b < lo+n; b++ {
		x, out := ws.x.At(b), ws.norm.At(b)
		mean := float64(ws.kernel.Dot(x, x)) / float64(dim)
		scale := float32(1 / math.Sqrt(mean+eps))
		for i, v := range x[:dim] {
			out[i] = float32(v*scale) * weight[i]
		}
	}
}

// add adds delta to the residual streams.
func (ws *workspace) add(n int) {
	dim := ws.w.dim
	for b := range n {
		x, d := ws.x.At(b)[:dim], ws.delta.At(b)[:dim]
		for i := range x {
			x[i] += d[i]
		}
	}
}

// remember turns the keys and puts them and the values into the cache.
func (ws *workspace) remember(s *sequence, layer, n int) {
	w, pad := ws.w, kernel.Pad(ws.w.head)
	half := len(w.freqs)
	for b := range n {
		row := (s.length + b) * s.stride
		k, v := ws.k.At(b), ws.v.At(b)
		for h := range w.kvHeads {
			at := row + h*pad
			key := s.keys[layer][at : at+w.head]
			copy(key, k[h*w.head:])
			rotate(key, ws.cos.At(b)[:half], ws.sin.At(b)[:half])
			copy(s.values[layer][at:at+w.head], v[h*w.head:])
		}
	}
}

// attend fills mixed: each query sees the positions up to its own.
func (ws *workspace) attend(s *sequence, layer, n int) {
	w, pad := ws.w, kernel.Pad(ws.w.head)
	half, group := len(w.freqs), w.heads/w.kvHeads
	scale := float32(1 / math.Sqrt(float64(w.head)))
	for b := range n {
		seen := s.length + b + 1
		att := ws.att[:kernel.Pad(seen)]
		q, mixed := ws.q.At(b), ws.mixed.At(b)
		for h := range w.heads {
			copy(ws.head, q[h*w.head:(h+1)*w.head])
			rotate(ws.head, ws.cos.At(b)[:half], ws.sin.At(b)[:half])
			ws.kernel.Scale(ws.head, scale)
			at := h / group * pad
			ws.kernel.MulRows(att, s.keys[layer][at:], ws.head, seen, s.stride)
			ws.kernel.Softmax(att, seen)
			ws.kernel.Values(ws.value, att, s.values[layer][at:], seen, s.stride)
			copy(mixed[h*w.head:(h+1)*w.head], ws.value)
		}
	}
}
