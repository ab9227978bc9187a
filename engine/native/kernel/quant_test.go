package kernel

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

var everyFormat = map[string]Blocks{
	"Q8_0": Q8_0, "Q4_0": Q4_0, "Q4_1": Q4_1, "Q5_0": Q5_0, "Q5_1": Q5_1, "Q4_K": Q4_K, "Q5_K": Q5_K, "Q6_K": Q6_K,
}

// halfPlaces says where in a block its halves lie.
var halfPlaces = map[Blocks][]int{
	Q8_0: {0}, Q4_0: {0}, Q4_1: {0, 2}, Q5_0: {0}, Q5_1: {0, 2}, Q4_K: {0, 2}, Q5_K: {0, 2}, Q6_K: {208},
}

// blocksOf returns rows of blocks whose integers come from next, the halves being
// ordinary numbers.
func blocksOf(rng *rand.Rand, f Blocks, rows, cols int, next func() byte) []byte {
	l, _ := f.layout()
	b := make([]byte, rows*cols/l.elements*l.bytes)
	for i := range b {
		b[i] = next()
	}
	for at := 0; at < len(b); at += l.bytes {
		for _, place := range halfPlaces[f] {
			h := uint16(rng.IntN(20)+2)<<10 | uint16(rng.IntN(1024)) | uint16(rng.IntN(2))<<15
			binary.LittleEndian.PutUint16(b[at+place:], h)
		}
	}
	return b
}

func chances(rng *rand.Rand) func() byte { return func() byte { return byte(rng.Uint32()) } }

func always(v byte) func() byte { return func() byte { return v } }

// defined computes a product of blocks by the rule of the package comment, written once
// more: from the float32 that Row says, with math/big's exactness replaced by int64.
func defined(m *Matrix, r int, x []float32) float32 {
	q := m.blocks
	var acc float32
	var d decoded
	for i := 0; i < len(x); i += 32 {
		// The activations in integers.
		amax := 0.0
		for _, v := range x[i : i+32] {
			amax = max(amax, math.Abs(float64(v)))
		}
		dx, inverse := float32(amax)/127, 127/float32(amax)
		var xq [32]int64
		total := int64(0)
		if amax < 0x1p-100 {
			dx, inverse = 0, 0
		}
		for j := range xq {
			xq[j] = int64(math.RoundToEven(float64(x[i+j] * inverse)))
			total += xq[j]
		}
		block := i / q.elements
		q.decode(q.data[r*q.rowBytes+block*q.bytes:][:q.bytes], i%q.elements/32, &d)
		var dot [2]int64
		for j, u := range d.q {
			w := int64(u) - int64(q.bias)
			if q.format == Q8_0 {
				w = int64(int8(u))
			}
			dot[j/16] += w * xq[j]
		}
		if q.format == Q6_K {
			acc = fma(float32(dot[0]), float32(d.scale[0]*dx), acc)
			acc = fma(float32(dot[1]), float32(d.scale[1]*dx), acc)
			continue
		}
		acc = fma(float32(dot[0]+dot[1]), float32(d.scale[0]*dx), acc)
		if slices.Contains([]Blocks{Q4_1, Q5_1, Q4_K, Q5_K}, q.format) {
			acc = fma(d.offset, float32(float32(total)*dx), acc)
		}
	}
	return acc
}

// product checks a matrix of blocks with every kernel and batches of 1 to 17 vectors.
func product(t *testing.T, f Blocks, rows, cols int, data []byte, x Vectors, n int) {
	t.Helper()
	m, err := ViewBlocks(rows, cols, f, data)
	if err != nil {
		t.Fatal(err)
	}
	want := Vectors{make([]float32, n*rows), rows}
	for b := range n {
		for r := range rows {
			want.At(b)[r] = defined(m, r, x.At(b)[:cols])
		}
	}
	p, rest := others(t)
	for _, k := range append(rest, p) {
		s := new(Scratch)
		for _, batch := range []int{1, 2, 3, 4, 5, 7, 8, 12, 17} {
			batch = min(batch, n)
			dst := Vectors{make([]float32, n*(m.PaddedRows()+4)), m.PaddedRows() + 4}
			for i := range dst.Data {
				dst.Data[i] = -7
			}
			k.Mul(dst, m, x, batch, s)
			for b := range batch {
				what := fmt.Sprintf("%s, format %d, %d×%d, vector %d of %d", k.name, f, rows, cols, b, batch)
				same(t, what, dst.At(b)[:rows], want.At(b))
				for i, v := range dst.At(b)[m.PaddedRows():] {
					if v != -7 {
						t.Fatalf("%s: wrote %v to element %d behind the rows", what, v, i)
					}
				}
			}
		}
	}
}

func activations(rng *rand.Rand, n, cols int) Vectors {
	x := Vectors{make([]float32, n*(cols+16)), cols + 16}
	for b := range n {
		copy(x.At(b), random(rng, cols))
		for i := range cols { // magnitudes differ from block to block
			x.At(b)[i] *= []float32{1, 1e-3, 300, 1e-30, 0, 7}[(i/32+b)%6]
		}
	}
	return x
}

// TestBlocksSame multiplies blocks of every format and awkward shapes with every kernel.
func TestBlocksSame(t *testing.T) {
	for name, f := range everyFormat {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(11, uint64(f)))
			l, _ := f.layout()
			for _, c := range []struct{ rows, blocks int }{{1, 1}, {3, 2}, {16, 1}, {21, 3}, {50, 2}, {64, 5}} {
				cols := c.blocks * l.elements
				product(t, f, c.rows, cols, blocksOf(rng, f, c.rows, cols, chances(rng)), activations(rng, 17, cols), 17)
			}
		})
	}
}

// TestBlocksExtremes: no sum saturates, whatever the integers are: all bits set, all
// clear, -128, 127, against activations that are all at an end of their range.
func TestBlocksExtremes(t *testing.T) {
	for _, f := range everyFormat {
		rng := rand.New(rand.NewPCG(12, uint64(f)))
		for _, v := range []byte{0, 0xFF, 0x80, 0x7F, 0x81, 0x88, 0xF0, 0x0F} {
			const rows, cols, n = 19, 256, 4
			x := Vectors{make([]float32, n*cols), cols}
			for i := range x.Data {
				x.Data[i] = []float32{3, -3, float32(3 - 6*(i%2)), math.MaxFloat32 / 8}[i/cols]
			}
			product(t, f, rows, cols, blocksOf(rng, f, rows, cols, always(v)), x, n)
		}
	}
}

// TestRecords compares how kernels quantise activations with portable Go, and that with
// its bounds: an error of at most half a step, ties to even.
func TestRecords(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 1))
	x := activations(rng, 1, 32*60).Data[:32*60]
	for i := range 32 { // ties: steps of one half under a greatest of 127
		x[i] = float32(i)/2 - 8
		x[32+i] = math.Float32frombits(uint32(i)) // subnormal
		x[64+i] = 0x1p-100 * float32(i%2)
		x[96+i] = math.Nextafter32(0x1p-100, 0)
		x[128+i] = math.MaxFloat32
	}
	x[0] = 127
	x[167], x[200], x[233] = float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))
	p, rest := others(t)
	for _, bias := range []int32{0, 8, 16, 32, 128} {
		want := make([]record, len(x)/32)
		p.quant.record(want, x, bias)
		for _, k := range rest {
			got := make([]record, len(want))
			k.quant.record(got, x, bias)
			for i := range want {
				g, w := got[i], want[i]
				if g.q != w.q || g.fix != w.fix || g.fix0 != w.fix0 || !identical(g.d, w.d) || !identical(g.s, w.s) {
					t.Fatalf("%s: block %d of bias %d is %+v, want %+v", k.name, i, bias, g, w)
				}
			}
		}
		for i, w := range want {
			if w.d != w.d {
				continue
			}
			for j, q := range w.q {
				if e := math.Abs(float64(x[32*i+j]) - float64(q)*float64(w.d)); e > float64(w.d)*0.50001 && e > 0x1p-100 {
					t.Errorf("block %d element %d is off by %v, the step is %v", i, j, e, w.d)
				}
			}
		}
	}
}

func identical(a, b float32) bool {
	return math.Float32bits(a) == math.Float32bits(b) || a != a && b != b
}

// TestBlocksNaN: a NaN or an infinity among the activations, or in a scale, is found in
// the product.
func TestBlocksNaN(t *testing.T) {
	p, rest := others(t)
	for _, f := range everyFormat {
		rng := rand.New(rand.NewPCG(14, uint64(f)))
		const rows, cols, n = 20, 256, 9
		data := blocksOf(rng, f, rows, cols, chances(rng))
		m, _ := ViewBlocks(rows, cols, f, data)
		bad := append([]byte(nil), data...)
		for _, place := range halfPlaces[f] {
			binary.LittleEndian.PutUint16(bad[place:], 0x7E00)
		}
		broken, _ := ViewBlocks(rows, cols, f, bad)
		for _, k := range append(rest, p) {
			y := Vectors{make([]float32, n*rows), rows}
			for _, v := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))} {
				x := activations(rng, n, cols)
				for b := range n {
					x.At(b)[100+b] = v
				}
				for _, batch := range []int{1, n} {
					k.Mul(y, m, x, batch, new(Scratch))
					for i, v := range y.Data[:batch*rows] {
						if v == v {
							t.Fatalf("%s, format %d: product %d of %d vectors lost a NaN: %v", k.name, f, i, batch, v)
						}
					}
				}
			}
			k.Mul(y, broken, activations(rng, n, cols), n, new(Scratch))
			if y.Data[0] == y.Data[0] || y.Data[1] != y.Data[1] {
				t.Errorf("%s, format %d: a NaN in the first row's scale gives %v", k.name, f, y.Data[:2])
			}
		}
	}
}

// TestBlocksNearFloat: quantising the activations costs less than half a percent of a
// product's size for vectors of ordinary numbers.
func TestBlocksNearFloat(t *testing.T) {
	p, _ := others(t)
	for name, f := range everyFormat {
		rng := rand.New(rand.NewPCG(15, uint64(f)))
		const rows, cols = 64, 512
		m, err := ViewBlocks(rows, cols, f, blocksOf(rng, f, rows, cols, chances(rng)))
		if err != nil {
			t.Fatal(err)
		}
		x := Vectors{random(rng, cols), cols}
		y := Vectors{make([]float32, rows), rows}
		p.Mul(y, m, x, 1, new(Scratch))
		worst, row := 0.0, make([]float32, cols)
		for r := range rows {
			m.Row(row, r)
			exact, size := 0.0, 0.0
			for i, w := range row {
				product := float64(w) * float64(x.Data[i])
				exact, size = exact+product, size+product*product
			}
			worst = max(worst, math.Abs(exact-float64(y.Data[r]))/math.Sqrt(size))
		}
		t.Logf("%s: at most %.4f of the root of the sum of squares", name, worst)
		if worst > 0.04 || worst == 0 {
			t.Errorf("%s: off by %v of the root of the sum of squares", name, worst)
		}
	}
}

func TestViewBlocksRefuses(t *testing.T) {
	for _, c := range []struct {
		rows, cols int
		f          Blocks
		bytes      int
	}{{2, 32, Q8_0, 67}, {2, 48, Q8_0, 102}, {0, 32, Q8_0, 0}, {1, 0, Q8_0, 0}, {1, 128, Q4_K, 72}, {1, 32, 0, 34}, {1, 32, 99, 34}} {
		if _, err := ViewBlocks(c.rows, c.cols, c.f, make([]byte, c.bytes)); err == nil {
			t.Errorf("%+v was taken", c)
		}
	}
}

// TestBlocksColumns: the product with some columns is that of a matrix of these alone.
func TestBlocksColumns(t *testing.T) {
	rng := rand.New(rand.NewPCG(16, 16))
	for _, f := range everyFormat {
		const rows, cols = 21, 768
		l, _ := f.layout()
		m, _ := ViewBlocks(rows, cols, f, blocksOf(rng, f, rows, cols, chances(rng)))
		part, err := m.Columns(256, 512)
		if err != nil {
			t.Fatal(err)
		}
		x := activations(rng, 9, cols)
		moved := Vectors{x.Data[256:], x.Stride}
		p, rest := others(t)
		for _, k := range append(rest, p) {
			y := Vectors{make([]float32, 9*24), 24}
			k.Mul(y, part, moved, 9, new(Scratch))
			for r := range rows {
				whole := *m
				whole.blocks = part.blocks
				if want := defined(&whole, r, x.At(8)[256:512]); y.At(8)[r] != want {
					t.Fatalf("%s, format %d, row %d: %v, want %v", k.name, f, r, y.At(8)[r], want)
				}
			}
		}
		if _, err := m.Columns(16, 512); err == nil {
			t.Errorf("a block of %d was cut at 16", l.elements)
		}
	}
}

func BenchmarkMulBlocks(b *testing.B) {
	const rows, cols = 768, 256
	rng := rand.New(rand.NewPCG(1, 1))
	p, rest := others(b)
	for _, k := range append(rest, p) {
		for _, name := range []string{"Q8_0", "Q4_0", "Q5_0", "Q4_K", "Q6_K"} {
			f := everyFormat[name]
			m, err := ViewBlocks(rows, cols, f, blocksOf(rng, f, rows, cols, chances(rng)))
			if err != nil {
				b.Fatal(err)
			}
			for _, n := range []int{1, 4, 96} {
				b.Run(fmt.Sprintf("%s/%s/%d", k.name, name, n), func(b *testing.B) {
					x := Vectors{random(rng, n*cols), cols}
					y := Vectors{make([]float32, n*rows), rows}
					s := new(Scratch)
					for b.Loop() {
						k.Mul(y, m, x, n, s)
					}
					b.ReportMetric(float64(b.N)*rows*cols*float64(n)/b.Elapsed().Seconds()/1e9, "GMAC/s")
				})
			}
		}
	}
}
