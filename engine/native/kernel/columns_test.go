package kernel

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestColumns: the product with some columns is that with a copy of them, for every
// kernel and batch, whatever lies beside them.
func TestColumns(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	const rows, cols = 21, 235 // neither fills its padding
	f32, f16 := random(rng, rows*cols), halves(rng, rows*cols)
	m32, _ := NewF32(rows, cols, f32)
	m16, _ := NewF16(rows, cols, f16)
	p, rest := others(t)
	for _, k := range append(rest, p) {
		for _, part := range [][2]int{{0, 235}, {0, 32}, {16, 64}, {16, 235}, {32, 224}, {224, 235}} {
			lo, width := part[0], part[1]-part[0]
			copy32, copy16 := make([]float32, 0, rows*width), make([]uint16, 0, rows*width)
			for r := range rows {
				copy32 = append(copy32, f32[r*cols+lo:r*cols+part[1]]...)
				copy16 = append(copy16, f16[r*cols+lo:r*cols+part[1]]...)
			}
			c32, _ := NewF32(rows, width, copy32)
			c16, _ := NewF16(rows, width, copy16)
			for _, n := range []int{1, 2, 3, 4, 7} {
				x := Vectors{make([]float32, n*Pad(cols)), Pad(cols)}
				for b := range n {
					copy(x.At(b), random(rng, cols))
				}
				from := Vectors{x.Data[lo:], x.Stride} // as a caller cuts them
				for name, pair := range map[string][2]*Matrix{"f32": {m32, c32}, "f16": {m16, c16}} {
					view, err := pair[0].Columns(part[0], part[1])
					if err != nil {
						t.Fatal(err)
					}
					got, want := Vectors{make([]float32, n*24), 24}, Vectors{make([]float32, n*24), 24}
					k.Mul(got, view, from, n, new(Scratch))
					k.Mul(want, pair[1], from, n, new(Scratch))
					for b := range n {
						same(t, fmt.Sprintf("%s %s, columns %v, vector %d of %d", k.name, name, part, b, n), got.At(b)[:rows], want.At(b)[:rows])
					}
				}
			}
		}
	}
	for _, part := range [][2]int{{-16, 16}, {16, 16}, {8, 32}, {0, 8}, {0, 240}, {224, 256}} {
		if _, err := m32.Columns(part[0], part[1]); err == nil {
			t.Errorf("columns %v of %d are not refused", part, cols)
		}
	}
}
