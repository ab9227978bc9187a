package kernel

// Rows are N rows of an attention cache: Width floats each, a multiple of 16, Stride
// apart.
type Rows struct {
	Data             []float32
	N, Width, Stride int
}

// Scores sets element t of vector q of dst to the dot product of x's vector q and row t,
// for q < n and for t < N. It may go on to the next multiple of 4, so that Data must hold
// that many rows; what others write there meanwhile is of no consequence. Attention scores
// of n queries are this.
func (k *Kernel) Scores(dst Vectors, keys Rows, x Vectors, n int) {
	rows := (keys.N + panelRows - 1) / panelRows * panelRows
	if n == 0 || rows == 0 {
		return
	}
	if len(dst.Data) < (n-1)*dst.Stride+rows || len(keys.Data) < (rows-1)*keys.Stride+keys.Width ||
		len(x.Data) < (n-1)*x.Stride+keys.Width || keys.Width%Lanes != 0 || keys.Width == 0 {
		panic("internal error: kernel: rows do not fit the vectors")
	}
	if k.single {
		rows = keys.N
	}
	k.gemm32(dst, x, keys.Data, n, shape{rows: rows, cols: keys.Width, stride: keys.Stride})
}

// MulRows is Scores for one vector: dst[t] becomes the dot product of x and the row
// that starts at w[t*stride].
func (k *Kernel) MulRows(dst, w, x []float32, n, stride int) {
	k.Scores(Vectors{Data: dst}, Rows{Data: w, N: n, Width: len(x), Stride: stride}, Vectors{Data: x}, 1)
}

// AddValues adds to each vector q of out, for q < n, the rows, each times element t of
// vector q of p: one chain of fma for each component, for rising t. What a chain over
// some rows leaves is where one over the next rows goes on.
func (k *Kernel) AddValues(out, p Vectors, v Rows, n int) {
	if n == 0 || v.N == 0 {
		return
	}
	if v.Width%Lanes != 0 || v.Width == 0 || len(out.Data) < (n-1)*out.Stride+v.Width ||
		len(p.Data) < (n-1)*p.Stride+v.N || len(v.Data) < (v.N-1)*v.Stride+v.Width {
		panic("internal error: kernel: values do not fit")
	}
	q := 0
	for ; k.values6 != nil && q+6 <= n; q += 6 {
		k.values6(Vectors{out.Data[q*out.Stride:], out.Stride}, Vectors{p.Data[q*p.Stride:], p.Stride}, v)
	}
	for ; q < n; q++ {
		k.values(out.Data[q*out.Stride:][:v.Width], p.Data[q*p.Stride:], v.Data, v.N, v.Stride)
	}
}

// Values is AddValues for one vector, from zero: out becomes the sum over t < n of p[t]
// times the row at v[t*stride].
func (k *Kernel) Values(out, p, v []float32, n, stride int) {
	clear(out)
	k.AddValues(Vectors{Data: out}, Vectors{Data: p}, Rows{Data: v, N: n, Width: len(out), Stride: stride}, 1)
}

// Softmax turns the first n scores into weights that add up to 1. The length of x is
// a multiple of 16; what follows the first n becomes 0.
func (k *Kernel) Softmax(x []float32, n int) {
	check(x)
	for i := n; i < len(x); i++ {
		x[i] = x[0]
	}
	k.exp(x, k.max(x))
	clear(x[n:])
	k.scale(x, 1/k.sum(x))
}
