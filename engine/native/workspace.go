package native

import "targon/engine/native/kernel"

const (
	// chunk is how many positions are computed together; a cancelled call stops after
	// one. A multiple of six suits the kernels.
	chunk = 96
	// Where a call needs rows of logits whole, they are computed for some rows together, since
	// each time the whole output matrix is read, and unpacked where its numbers lie in blocks.
	// They are memory that holds no weights: so they take up to 8 MB, and no more than a
	// fifteenth of what the weights do; but within the 8 MB there is room for fewRows, since
	// fewer than that are slow, and for as many as fit over a step's vectors.
	logitBytes = 8 << 20
	logitShare = 15
	fewRows    = 16
	// slabBytes is what rows take that come in pieces: a second-level cache has room for it.
	slabBytes = 512 << 10
)

// A workspace is the memory of one step. Whoever holds it computes; there are as many
// as an engine has threads.
//
// What is not needed at the same time lies in the same place: queries, keys and values where
// the hidden units of the feed-forward network do, and logits over all of a step's vectors but norm.
// Only what is written takes memory, since fresh pages are the system's zeros, so that few
// positions take little.
type workspace struct {
	w       *weights
	kernel  *kernel.Kernel
	scratch kernel.Scratch
	room    room
	x, norm kernel.Vectors // residual stream, and what the matrices read
	q, k, v kernel.Vectors
	up      kernel.Vectors // over q, k, v
	*board                 // its own, or that of the threads that share rows out with it
	own     board
	turn    turning
	local   turning        // in layers that see a window
	queries kernel.Vectors // of a bunch, turned and scaled, padded
	values  kernel.Vectors // what its queries see, mixed
	att     []float32      // its attention weights
	seen    []float32      // attention values of one head, a row after the other
	exps    []float32      // exponentials of a piece of a row of logits
	sums    kernel.Sums    // of a piece
	few     [cutRows]float32
	tuned   []float32 // a row of logits, for a draw that changes them
	filter  filter
	foreign *foreigner // nil: our own numerics
	portion *portion   // what it computes of each position
	all     *portion   // all of it
	team    *meeting   // of threads that share rows out; nil: they do not
	runner  *runner    // among threads that compute parts of the same calls; nil: none do
	stock   stock
	wholes  []wanted     // that come whole
	peers   []*workspace // that compute the same step, itself among them
}

// A board is what threads that share rows out write for each other.
type board struct {
	mixed  kernel.Vectors // attention's outcome, heads side by side
	delta  kernel.Vectors // what is added to the residual stream
	gate   kernel.Vectors // over mixed
	logits kernel.Vectors // as many as there is room for, over all that lies before norm
}

// A turning is the cosines and sines of positions.
type turning struct {
	cos, sin kernel.Vectors
	n        int
}

func (t turning) at(b int) (cos, sin []float32) { return t.cos.At(b)[:t.n], t.sin.At(b)[:t.n] }

// A room is what decides how many rows of logits there is room for.
type room struct {
	vocab int // floats of a row
	bytes int // of the weights
	step  int // floats of a step's vectors, which logits lie over
	// The number of rows that the kernel likes, and how many are enough for it.
	unit, enough int
}

// rows is how many rows of logits there is room for.
func (r room) rows() int {
	whole := func(floats int) int { return floats / r.vocab / r.unit * r.unit }
	few := min((fewRows+r.unit-1)/r.unit*r.unit, whole(logitBytes/4))
	rows := min(whole(min(logitBytes, r.bytes/logitShare)/4), r.enough)
	return min(max(rows, few, r.unit, whole(r.step)), chunk)
}

// pass is how many of n rows of logits are computed at a time: as many as there is room
// for, or fewer if it takes as many times.
func (r room) pass(n int) int {
	most := r.rows()
	times := (n + most - 1) / most
	each := (n + times - 1) / times
	return min((each+r.unit-1)/r.unit*r.unit, most)
}

// slab is for how many ids logits are computed at a time, for n rows that are read in pieces:
// as many as lie over a step's vectors, and in a second-level cache, where they are read.
func (r room) slab(n int) int {
	return max(min(r.step, slabBytes/4)/n/piece, 1) * piece
}

// room returns that of a model.
func (w *weights) room() room {
	q, kv, ffn := kernel.Pad(w.heads*w.head), kernel.Pad(w.kvHeads*w.head), kernel.Pad(w.ffn)
	return room{
		vocab: kernel.Pad(w.vocab), bytes: w.bytes(),
		step: chunk * (2*kernel.Pad(w.dim) + max(q+2*kv, ffn) + max(q, ffn)),
		unit: w.output.Together(), enough: w.output.Enough(),
	}
}

// bytes is how much memory the matrices take.
func (w *weights) bytes() int {
	n := w.embed.Bytes()
	if w.output != w.embed {
		n += w.output.Bytes()
	}
	for _, l := range w.layers {
		for _, m := range []*kernel.Matrix{l.q, l.k, l.v, l.out, l.gate, l.up, l.down} {
			n += m.Bytes()
		}
	}
	return n
}

func newWorkspace(w *weights, k *kernel.Kernel) *workspace {
	vectors := func(n, width int) kernel.Vectors {
		width = kernel.Pad(width)
		return kernel.Vectors{Data: make([]float32, n*width), Stride: width}
	}
	ws := &workspace{
		w: w, kernel: k, room: w.room(), all: newPortion(w, 0, 1), norm: vectors(chunk, w.dim),
		turn:    turning{vectors(chunk, len(w.freqs)), vectors(chunk, len(w.freqs)), len(w.freqs)},
		local:   turning{vectors(chunk, len(w.localFreqs)), vectors(chunk, len(w.localFreqs)), len(w.localFreqs)},
		queries: vectors(together, w.head), values: vectors(together, w.head),
		exps: make([]float32, piece), filter: filter{kernel: k},
	}
	ws.lay()
	ws.alone()
	return ws
}

// A floorplan is memory that vectors are laid out on, one behind the other.
type floorplan struct {
	floats []float32
	at     int
}

// next returns vectors behind those before.
func (f *floorplan) next(width int) kernel.Vectors {
	width = kernel.Pad(width)
	from := f.at
	f.at += chunk * width
	return kernel.Vectors{Data: f.floats[from:f.at], Stride: width}
}

// lay makes the vectors of a step, and logits over them.
func (ws *workspace) lay() {
	w, r := ws.w, ws.room
	f := floorplan{floats: make([]float32, max(r.step, r.rows()*r.vocab, chunk*min(piece, r.vocab)))}
	ws.own.logits = kernel.Vectors{Data: f.floats, Stride: r.vocab}
	ws.x, ws.own.delta = f.next(w.dim), f.next(w.dim)
	q, kv := w.heads*w.head, w.kvHeads*w.head
	begin := f.at
	ws.q, ws.k, ws.v = f.next(q), f.next(kv), f.next(kv)
	end := f.at
	f.at = begin
	ws.up = f.next(w.ffn)
	begin = max(f.at, end)
	f.at = begin
	ws.own.mixed = f.next(q)
	f.at = begin
	ws.own.gate = f.next(w.ffn)
}
