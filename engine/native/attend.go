package native

import "targon/engine/native/kernel"

// together is how many queries that read the same keys attend together. A multiple of
// six suits the kernels; more of them waste more scores of positions that only the last
// may see.
const together = 12

// A bunch is some queries of a segment that read the same keys: n from the one of index
// from on, where a row's heads follow each other and then come the next row's.
type bunch struct {
	segment
	layer, kvHead, from, n int
}

// attend fills mixed for a segment: each query sees the positions up to its own, or
// the latest of them that its layer's window holds.
func (ws *workspace) attend(g segment, layer int) {
	if ws.foreign != nil {
		ws.attendForeign(g, layer)
		return
	}
	n := len(g.ids) * (ws.w.heads / ws.w.kvHeads)
	for h := ws.portion.heads.lo; h < ws.portion.heads.hi; h++ {
		for from := 0; from < n; from += together {
			ws.attendBunch(bunch{g, layer, h, from, min(together, n-from)})
		}
	}
}

// place returns the row in the segment of a bunch's query, and its head.
func (c bunch) place(w *weights, j int) (row, head int) {
	group := w.heads / w.kvHeads
	return (c.from + j) / group, c.kvHead*group + (c.from+j)%group
}

// sees returns the first position that a bunch's query sees, and the one after the last.
func (c bunch) sees(w *weights, j int) (first, end int) {
	row, _ := c.place(w, j)
	return w.layers[c.layer].first(c.at + row), c.at + row + 1
}

func (ws *workspace) attendBunch(c bunch) {
	w, pad := ws.w, kernel.Pad(ws.w.head)
	for j := range c.n {
		row, head := c.place(w, j)
		ws.query(ws.queries.At(j), &w.layers[c.layer], c.row+row, head)
	}
	begin, _ := c.sees(w, 0)
	_, end := c.sees(w, c.n-1)
	stride := kernel.Pad(end-begin) + kernel.Lanes
	ws.att = resize(ws.att, together*stride)
	att := kernel.Vectors{Data: ws.att, Stride: stride}
	c.scores(ws, att, begin, end)
	for j := range c.n {
		first, seen := c.sees(w, j)
		scores := att.At(j)[first-begin:][:kernel.Pad(seen-first)]
		if w.attnCap != 0 {
			ws.kernel.SoftCap(scores, w.attnCap, &ws.scratch)
		}
		ws.kernel.Softmax(scores, seen-first)
	}
	clear(ws.values.Data)
	for j := 0; j < c.n; j += 6 {
		c.mix(ws, att, j, min(6, c.n-j))
	}
	for j := range c.n {
		row, head := c.place(w, j)
		copy(ws.mixed.At(c.row + row)[head*w.head:(head+1)*w.head], ws.values.Data[j*pad:])
	}
}

// rows returns rows of a bunch's keys or values, from position t on to the end of its
// page or to end.
func (c bunch) rows(w *weights, of func(*page, int) []float32, t, end int) kernel.Rows {
	p, row, pad := c.s.pages[t/pageRows], t%pageRows, kernel.Pad(w.head)
	return kernel.Rows{
		Data: of(p, c.layer)[row*p.stride+c.kvHead*pad:],
		N:    min(pageRows-row, end-t), Width: pad, Stride: p.stride,
	}
}

// scores writes the products of a bunch's queries with the keys from begin to end.
func (c bunch) scores(ws *workspace, att kernel.Vectors, begin, end int) {
	for t := begin; t < end; {
		keys := c.rows(ws.w, (*page).keys, t, end)
		ws.kernel.Scores(kernel.Vectors{Data: att.Data[t-begin:], Stride: att.Stride}, keys, ws.queries, c.n)
		t += keys.N
	}
}

// mix adds up the values that n queries from lo on see: first those that some of them
// alone see, then what all see, then the rest, so that each has its chain in order.
func (c bunch) mix(ws *workspace, att kernel.Vectors, lo, n int) {
	from, to := c.sees(ws.w, lo)
	for j := lo; j < lo+n; j++ {
		first, end := c.sees(ws.w, j)
		from, to = max(from, first), min(to, end)
	}
	to = max(from, to)
	for j := lo; j < lo+n; j++ {
		first, end := c.sees(ws.w, j)
		c.add(ws, att, span{first, min(from, end), 1}, j)
	}
	c.add(ws, att, span{from, to, n}, lo)
	for j := lo; j < lo+n; j++ {
		_, end := c.sees(ws.w, j)
		c.add(ws, att, span{to, end, 1}, j)
	}
}

// add adds the values of positions to those of queries from j on.
func (c bunch) add(ws *workspace, att kernel.Vectors, over span, j int) {
	begin, _ := c.sees(ws.w, 0)
	out := kernel.Vectors{Data: ws.values.Data[j*ws.values.Stride:], Stride: ws.values.Stride}
	for t := over.first; t < over.end; {
		v := c.rows(ws.w, (*page).values, t, over.end)
		ws.kernel.AddValues(out, kernel.Vectors{Data: att.Data[j*att.Stride+t-begin:], Stride: att.Stride}, v, over.together)
		t += v.N
	}
}
