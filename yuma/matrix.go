package yuma

import (
	"targon"
	"targon/yuma/fixed"
)

// cell is one entry of a sparse row.
type cell struct {
	col int
	v   fixed.I32F32
}

// matrix is sparse by rows and square: a row and a column for each neuron. Cells
// stay in the order in which the chain stores them.
type matrix [][]cell

// weights are those that count: set by a holder of a permit, not on oneself unless
// one is the owner, and set after the other was registered. Each row sums to 1.
func (s State) weights() matrix {
	out := make(matrix, len(s.Neurons))
	for i, n := range s.Neurons {
		if !n.Permit {
			continue
		}
		row := make([]cell, 0, len(n.Weights))
		for _, e := range n.Weights {
			j := int(e.UID)
			itself := j == i && (!s.HasOwner || i != int(s.Owner))
			if j >= len(s.Neurons) || itself || n.LastUpdate <= s.Neurons[j].Registered {
				continue
			}
			row = append(row, cell{j, fixed.FromUint16(e.Value)})
		}
		out[i] = row
	}
	for _, row := range out {
		if total := rowSum(row); total > 0 {
			for k := range row {
				row[k].v = row[k].v.DivOrZero(total)
			}
		}
	}
	return out
}

// bonds are the stored ones less those to neurons that registered in this tempo:
// whoever held the slot before earned them.
func (s State) bonds(p Params) matrix {
	last := targon.Block(0)
	if uint64(p.Block) > uint64(p.Tempo) {
		last = p.Block - targon.Block(p.Tempo)
	}
	out := make(matrix, len(s.Neurons))
	for i, n := range s.Neurons {
		row := make([]cell, 0, len(n.Bonds))
		for _, e := range n.Bonds {
			j := int(e.UID)
			if j >= len(s.Neurons) || last <= s.Neurons[j].Registered {
				continue
			}
			row = append(row, cell{j, fixed.FromUint16(e.Value)})
		}
		out[i] = row
	}
	return out
}

// rowSum wraps around, as the source's does.
func rowSum(row []cell) fixed.I32F32 {
	var total fixed.I32F32
	for _, c := range row {
		total += c.v
	}
	return total
}

func (m matrix) sums() []fixed.I32F32 {
	out := make([]fixed.I32F32, len(m))
	for i, row := range m {
		out[i] = rowSum(row)
	}
	return out
}

// weighColumns is Σ_i x_i × m_ij for each column j.
func (m matrix) weighColumns(x []fixed.I32F32) []fixed.I32F32 {
	out := make([]fixed.I32F32, len(m))
	for i, row := range m {
		for _, c := range row {
			out[c.col] = out[c.col].Add(x[i].Mul(c.v))
		}
	}
	return out
}

// weighRows is Σ_j x_j × m_ij for each row i.
func (m matrix) weighRows(x []fixed.I32F32) []fixed.I32F32 {
	out := make([]fixed.I32F32, len(m))
	for i, row := range m {
		for _, c := range row {
			out[i] = out[i].Add(x[c.col].Mul(c.v))
		}
	}
	return out
}

// each is the matrix with f applied to every cell.
func (m matrix) each(f func(i int, c cell) fixed.I32F32) matrix {
	out := make(matrix, len(m))
	for i, row := range m {
		next := make([]cell, len(row))
		for k, c := range row {
			next[k] = cell{c.col, f(i, c)}
		}
		out[i] = next
	}
	return out
}

// perColumn divides each column by its own number, unless that is 0.
func (m matrix) perColumn(by []fixed.I32F32) matrix {
	return m.each(func(_ int, c cell) fixed.I32F32 {
		if by[c.col] == 0 {
			return c.v
		}
		return c.v.DivOrZero(by[c.col])
	})
}

// shareColumns makes each column sum to 1, unless it sums to 0.
func (m matrix) shareColumns() matrix {
	total := make([]fixed.I32F32, len(m))
	for _, row := range m {
		for _, c := range row {
			total[c.col] = total[c.col].Add(c.v)
		}
	}
	return m.perColumn(total)
}

// upscaleColumns makes the largest value of each column 1.
func (m matrix) upscaleColumns() matrix {
	top := make([]fixed.I32F32, len(m))
	for _, row := range m {
		for _, c := range row {
			top[c.col] = max(top[c.col], c.v)
		}
	}
	return m.perColumn(top)
}

// clip limits each column to its consensus. A cell that is cut to 0 goes.
func (m matrix) clip(consensus []fixed.I32F32) matrix {
	out := make(matrix, len(m))
	for i, row := range m {
		next := make([]cell, 0, len(row))
		for _, c := range row {
			if limit := consensus[c.col]; limit < c.v {
				if limit <= 0 {
					continue
				}
				c.v = limit
			}
			next = append(next, c)
		}
		out[i] = next
	}
	return out
}

// interpolate is m + ratio × (to - m). At 0 and 1 it is one of both as it stands;
// between, rows come out in order of columns and without zeros.
func (m matrix) interpolate(to matrix, ratio fixed.I32F32) matrix {
	if ratio == 0 {
		return m
	}
	if ratio == fixed.One {
		return to
	}
	out := make(matrix, len(m))
	a, b := make([]fixed.I32F32, len(m)), make([]fixed.I32F32, len(m))
	for i := range m {
		clear(a)
		clear(b)
		spread(a, m[i])
		spread(b, to[i])
		for j := range a {
			a[j] = a[j].Add(ratio.Mul(b[j].Sub(a[j])))
		}
		out[i] = positive(a)
	}
	return out
}

// spread writes a row's cells into a dense row; of two for one column the later
// stays.
func spread(dense []fixed.I32F32, row []cell) {
	for _, c := range row {
		dense[c.col] = c.v
	}
}

// positive is the sparse form of a dense row.
func positive(dense []fixed.I32F32) []cell {
	var out []cell
	for j, v := range dense {
		if v > 0 {
			out = append(out, cell{j, v})
		}
	}
	return out
}
