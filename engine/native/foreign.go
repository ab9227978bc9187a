package native

import (
	"fmt"
	"math"
	"slices"

	"targon/engine/native/gguf"
	"targon/engine/native/kernel"
	"targon/noise"
)

// foreignName is what Kernel and Scores say of an engine whose numerics are not ours.
const foreignName = "foreign"

// Foreign makes an engine compute as other people's hardware and libraries do: the
// model is the same, the rounding is not, and it changes with the number of positions
// that are computed together. An honest prover on a stock engine looks like this to a
// verifier, so tolerances are calibrated against it. The zero value is off.
//
// What is imitated: split-K matrix products, whose parts depend on the shape of the
// batch (NVIDIA CUTLASS, "Efficient GEMM", split-K); attention by pieces with a running
// maximum (Dao et al., FlashAttention, 2022, and Flash-Decoding, 2023); a cache and
// activations of 16 bits. The same options, ids and batch shapes give the same bits.
type Foreign struct {
	// Splits is in how many parts the columns of a matrix are summed when one position
	// is computed; more positions have fewer parts, many half as many. 0 and 1: one.
	Splits int
	// Piece is how many positions attention looks at together where one position is
	// computed, a multiple of 16; twice as many where there are more. 0: 64.
	Piece int
	// Cache is what keys and values are rounded to, and Activations what goes into and
	// comes out of matrices: gguf.F16, gguf.BF16, or gguf.F32 for neither.
	Cache, Activations gguf.Type
	// Alone computes ids that are given one at a time, as those that are drawn are, so
	// that Logits and Score tell what a prover that generates would have seen.
	Alone bool
}

// LikeGPU returns what servers on GPUs do, with activations of a type; their cache has
// the same type, or F16 when activations stay F32.
func LikeGPU(activations gguf.Type) Foreign {
	f := Foreign{Splits: 4, Piece: 64, Cache: activations, Activations: activations}
	if activations == gguf.F32 {
		f.Cache = gguf.F16
	}
	return f
}

// check refuses options that mean nothing.
func (f Foreign) check() error {
	for _, t := range []gguf.Type{f.Cache, f.Activations} {
		if t != gguf.F32 && t != gguf.F16 && t != gguf.BF16 {
			return fmt.Errorf("foreign numerics: rounded to %v, want F32, F16 or BF16", t)
		}
	}
	if f.Splits < 0 || f.Splits > 16 || f.Piece < 0 || f.Piece%kernel.Lanes != 0 || f.Piece > 1<<16 {
		return fmt.Errorf("foreign numerics: %d parts and pieces of %d, want up to 16 and a multiple of %d", f.Splits, f.Piece, kernel.Lanes)
	}
	return nil
}

// A foreigner is what a workspace needs to compute like Foreign.
type foreigner struct {
	Foreign
	parts map[partition][]part
	sum   []float32 // one part's outcome
	keys  []float32 // of one head, a row after the other
	mixed []float32 // attention so far
}

// A partition names a matrix cut into a number of parts, and a part is its columns
// from lo on.
type (
	partition struct {
		matrix *kernel.Matrix
		n      int
	}
	part struct {
		columns *kernel.Matrix
		lo      int
	}
)

// newForeigner returns nil where nothing is foreign.
func newForeigner(f Foreign, w *weights) *foreigner {
	if f == (Foreign{}) {
		return nil
	}
	if f.Piece == 0 {
		f.Piece = 64
	}
	return &foreigner{Foreign: f, parts: map[partition][]part{}, mixed: make([]float32, kernel.Pad(w.head))}
}

// mul is kernel.Mul, by parts where numerics are foreign; nothing where a thread has no
// rows of a matrix.
func (ws *workspace) mul(dst kernel.Vectors, m *kernel.Matrix, x kernel.Vectors, n int) {
	f := ws.foreign
	switch {
	case m == nil:
		return
	case f == nil:
		ws.kernel.Mul(dst, m, x, n, &ws.scratch)
		return
	}
	for b := range n {
		round16(f.Activations, x.Data[b*x.Stride:][:m.Cols()])
	}
	parts := f.split(m, n)
	for i, p := range slices.Backward(parts) { // no order is the right one
		from := kernel.Vectors{Data: x.Data[p.lo:], Stride: x.Stride}
		if i == len(parts)-1 {
			ws.kernel.Mul(dst, p.columns, from, n, &ws.scratch)
			continue
		}
		f.sum = resize(f.sum, n*dst.Stride)
		ws.kernel.Mul(kernel.Vectors{Data: f.sum, Stride: dst.Stride}, p.columns, from, n, &ws.scratch)
		for b := range n {
			sum(dst.Data[b*dst.Stride:][:m.Rows()], f.sum[b*dst.Stride:])
		}
	}
	for b := range n {
		round16(f.Activations, dst.Data[b*dst.Stride:][:m.Rows()])
	}
}

// leastPart is the fewest columns that are worth a part.
const leastPart = 32

// split cuts a matrix for n vectors.
func (f *foreigner) split(m *kernel.Matrix, n int) []part {
	count := f.Splits
	switch {
	case n > 8:
		count = f.Splits / 2
	case n > 1:
		count = f.Splits - 1
	}
	count = max(min(count, m.Cols()/leastPart), 1)
	key := partition{m, count}
	if have, ok := f.parts[key]; ok {
		return have
	}
	parts := []part{{m, 0}} // where its blocks are not cut so small
	for _, unit := range []int{kernel.Lanes, 32, 256} {
		if cut, ok := cutColumns(m, count, unit); ok {
			parts = cut
			break
		}
	}
	f.parts[key] = parts
	return parts
}

// cutColumns cuts a matrix into a number of parts whose columns begin at multiples of a
// unit. It is not ok where the numbers lie in larger blocks, or are too few.
func cutColumns(m *kernel.Matrix, count, unit int) (parts []part, ok bool) {
	units := (m.Cols() + unit - 1) / unit
	for i := range count {
		lo, hi := i*units/count*unit, min((i+1)*units/count*unit, m.Cols())
		columns, err := m.Columns(lo, hi)
		if err != nil {
			return nil, false
		}
		parts = append(parts, part{columns, lo})
	}
	return parts, true
}

// remember rounds what the cache keeps of one head.
func (f *foreigner) remember(key, value []float32) {
	if f != nil {
		round16(f.Cache, key)
		round16(f.Cache, value)
	}
}

// attendForeign is attend where numerics are foreign.
func (ws *workspace) attendForeign(g segment, layer int) {
	w, f, pad := ws.w, ws.foreign, kernel.Pad(ws.w.head)
	l, group, end := &w.layers[layer], w.heads/w.kvHeads, g.at+len(g.ids)
	begin := l.first(g.at)
	for h := range w.kvHeads {
		from := strip{layer, begin, h * pad, pad}
		f.keys = resize(f.keys, (end-begin+3)*pad) // kernels read rows by fours
		ws.seen = resize(ws.seen, (end-begin)*pad)
		g.s.gather(f.keys[:(end-begin)*pad], (*page).keys, from)
		g.s.gather(ws.seen, (*page).values, from)
		for b := range g.ids {
			at := g.at + b
			for i := h * group; i < (h+1)*group; i++ {
				ws.query(ws.queries.At(0), l, g.row+b, i)
				ws.online(span{l.first(at) - begin, at + 1 - begin, len(g.ids)})
				copy(ws.mixed.At(g.row + b)[i*w.head:(i+1)*w.head], f.mixed)
			}
		}
	}
}

// A span is which of the gathered positions a query sees, and how many queries are
// computed together.
type span struct{ first, end, together int }

// online mixes the values of one head, piece by piece: weights are relative to the
// largest score so far, and what was summed under a smaller one is scaled down.
func (ws *workspace) online(over span) {
	f, piece, pad := ws.foreign, ws.foreign.Piece, kernel.Pad(ws.w.head)
	if over.together > 1 {
		piece *= 2
	}
	clear(f.mixed)
	high, total := float32(math.Inf(-1)), float32(0)
	for at := over.first; at < over.end; {
		count := min(piece, over.end-at)
		ws.att = resize(ws.att, kernel.Pad(count))
		att := ws.att
		ws.kernel.MulRows(att, f.keys[at*pad:], ws.queries.At(0), count, pad)
		if ws.w.attnCap != 0 {
			ws.kernel.SoftCap(att, ws.w.attnCap, &ws.scratch)
		}
		for i := count; i < len(att); i++ {
			att[i] = att[0]
		}
		top := max(high, ws.kernel.Max(att))
		ws.kernel.ExpSub(att, top)
		clear(att[count:])
		before := float32(noise.Exp(float64(high) - float64(top)))
		total = float32(total*before) + ws.kernel.Sum(att)
		ws.kernel.Values(ws.values.At(0), att, ws.seen[at*pad:], count, pad)
		for i, v := range ws.values.At(0) {
			f.mixed[i] = float32(f.mixed[i]*before) + v
		}
		high, at = top, at+count
	}
	for i := range f.mixed {
		f.mixed[i] /= total
	}
}

// sum adds y to x.
func sum(x, y []float32) {
	y = y[:len(x)]
	for i := range x {
		x[i] += y[i]
	}
}

// round16 rounds numbers to a type of 16 bits, to nearest even; beyond its range they
// become infinite.
func round16(t gguf.Type, x []float32) {
	switch t {
	case gguf.F16:
		for i, v := range x {
			u := math.Float32bits(v)
			if e := u >> 23 & 255; e < 113 || e >= 142 { // not well within its normal numbers
				x[i] = gguf.FromF16(gguf.ToF16(v))
				continue
			}
			x[i] = math.Float32frombits((u + 0xFFF + u>>13&1) &^ 0x1FFF)
		}
	case gguf.BF16:
		for i, v := range x {
			if u := math.Float32bits(v); v == v {
				x[i] = math.Float32frombits((u + 0x7FFF + u>>16&1) &^ 0xFFFF)
			}
		}
	default: // F32, by Foreign.check
	}
}
