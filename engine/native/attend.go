package native

import "targon/engine/native/kernel"

// together is how many queries that read the same keys attend together. A multiple of
// six suits the kernels; more of them waste more scores of positions that only the last
// may see.
const together = 12

// A bunch is n queries of a segment that read the same keys: a row's heads follow each
// other and then come the next row's.
type bunch struct {
	segment
	layer, kvHead, n int
	queries          [together]query
}

// A query is a head of a row of a segment. It sees the positions from first to end.
type query struct{ row, head, first, end int }

// attend fills mixed for a segment: each query sees the positions up to its own, or
// the latest of them that its layer's window holds.
func (ws *workspace) attend(g segment, layer int) {
	if ws.foreign != nil {
		ws.attendForeign(g, layer)
		return
	}
	group, l := ws.w.heads/ws.w.kvHeads, &ws.w.layers[layer]
	for h := ws.portion.heads.lo; h < ws.portion.heads.hi; h++ {
		c := bunch{segment: g, layer: layer, kvHead: h}
		for row := range g.ids {
			for head := h * group; head < (h+1)*group; head++ {
				c.queries[c.n] = query{row, head, l.first(g.at + row), g.at + row + 1}
				if c.n++; c.n == together {
					ws.attendBunch(&c)
					c.n = 0
				}
			}
		}
		if c.n > 0 {
			ws.attendBunch(&c)
		}
	}
}

func (ws *workspace) attendBunch(c *bunch) {
	w, pad := ws.w, kernel.Pad(ws.w.head)
	queries := c.queries[:c.n]
	for j, q := range queries {
		ws.query(ws.queries.At(j), &w.layers[c.layer], c.row+q.row, q.head)
	}
	begin, end := queries[0].first, queries[c.n-1].end
	stride := kernel.Pad(end-begin) + kernel.Lanes
	ws.att = resize(ws.att, together*stride)
	att := kernel.Vectors{Data: ws.att, Stride: stride}
	c.scores(ws, att, begin, end)
	for j, q := range queries {
		scores := att.At(j)[q.first-begin:][:kernel.Pad(q.end-q.first)]
		if w.attnCap != 0 {
			ws.kernel.SoftCap(scores, w.attnCap, &ws.scratch)
		}
		ws.kernel.Softmax(scores, q.end-q.first)
	}
	clear(ws.values.Data)
	for j := 0; j < c.n; j += 6 {
		c.mix(ws, att, j, min(6, c.n-j))
	}
	for j, q := range queries {
		copy(ws.mixed.At(c.row + q.row)[q.head*w.head:(q.head+1)*w.head], ws.values.Data[j*pad:])
	}
}

// rows returns rows of a bunch's keys or values, from position t on to the end of its
// page or to end.
func (c *bunch) rows(w *weights, of func(*page, int) []float32, t, end int) kernel.Rows {
	p, row, pad := c.s.pages[t/pageRows], t%pageRows, kernel.Pad(w.head)
	return kernel.Rows{
		Data: of(p, c.layer)[row*p.stride+c.kvHead*pad:],
		N:    min(pageRows-row, end-t), Width: pad, Stride: p.stride,
	}
}

// scores writes the products of a bunch's queries with the keys from begin to end.
func (c *bunch) scores(ws *workspace, att kernel.Vectors, begin, end int) {
	for t := begin; t < end; {
		keys := c.rows(ws.w, (*page).keys, t, end)
		ws.kernel.Scores(kernel.Vectors{Data: att.Data[t-begin:], Stride: att.Stride}, keys, ws.queries, c.n)
		t += keys.N
	}
}

// mix adds up the values that n queries from lo on see: first those that some of them
// alone see, then what all see, then the rest, so that each has its chain in order.
func (c *bunch) mix(ws *workspace, att kernel.Vectors, lo, n int) {
	some := c.queries[lo : lo+n]
	from, to := some[n-1].first, some[0].end // a later row sees from a later position on
	to = max(from, to)
	for j, q := range some {
		c.add(ws, att, span{q.first, min(from, q.end), 1}, lo+j)
	}
	c.add(ws, att, span{from, to, n}, lo)
	for j, q := range some {
		c.add(ws, att, span{to, q.end, 1}, lo+j)
	}
}

// add adds the values of positions to those of queries from j on.
func (c *bunch) add(ws *workspace, att kernel.Vectors, over span, j int) {
	begin := c.queries[0].first
	out := kernel.Vectors{Data: ws.values.Data[j*ws.values.Stride:], Stride: ws.values.Stride}
	for t := over.first; t < over.end; {
		v := c.rows(ws.w, (*page).values, t, over.end)
		ws.kernel.AddValues(out, kernel.Vectors{Data: att.Data[j*att.Stride+t-begin:], Stride: att.Stride}, v, over.together)
		t += v.N
	}
}
