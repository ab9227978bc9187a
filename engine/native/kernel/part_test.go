package kernel

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestPart: products with some rows are those with all of them, for every kernel, batch
// and format, and are written nowhere else.
func TestPart(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 14))
	const rows, cols, untouched = 85, 256, 7.5 // the last 5 fill neither a tile nor a panel
	matrices := map[string]*Matrix{}
	matrices["f32"], _ = NewF32(rows, cols, random(rng, rows*cols))
	matrices["f16"], _ = NewF16(rows, cols, halves(rng, rows*cols))
	for name, f := range map[string]Blocks{"q8_0": Q8_0, "q4_0": Q4_0, "q5_1": Q5_1, "q4_K": Q4_K, "q6_K": Q6_K} {
		l, _ := f.layout()
		data := make([]byte, rows*cols/l.elements*l.bytes)
		for i := range data {
			data[i] = byte(rng.Uint32()) & 0x3B // every half is a number
		}
		m, err := ViewBlocks(rows, cols, f, data)
		if err != nil {
			t.Fatal(err)
		}
		matrices[name] = m
	}
	columns, err := matrices["f32"].Columns(16, 256)
	if err != nil {
		t.Fatal(err)
	}
	matrices["columns"] = columns
	p, rest := others(t)
	for _, k := range append(rest, p) {
		for name, m := range matrices {
			for _, n := range []int{1, 2, 5, 17, 50} {
				x, want := Vectors{random(rng, n*cols), cols}, Vectors{make([]float32, n*96), 96}
				k.Mul(want, m, x, n, new(Scratch))
				for _, of := range [][2]int{{0, 85}, {0, 16}, {16, 64}, {48, 85}, {80, 85}} {
					part, err := m.Part(of[0], of[1])
					if err != nil {
						t.Fatal(err)
					}
					got := Vectors{make([]float32, n*96), 96}
					for i := range got.Data {
						got.Data[i] = untouched
					}
					k.Mul(Vectors{got.Data[of[0]:], 96}, part, x, n, new(Scratch))
					for b := range n {
						label := fmt.Sprintf("%s %s, rows %v, vector %d of %d", k.name, name, of, b, n)
						same(t, label, got.At(b)[of[0]:of[1]], want.At(b)[of[0]:of[1]])
						if got.At(b)[of[0]/2] != untouched && of[0] > 0 || got.At(b)[95] != untouched || of[1] < rows && got.At(b)[of[1]] != untouched {
							t.Fatalf("%s: others are overwritten", label)
						}
					}
				}
			}
		}
	}
	for _, of := range [][2]int{{-16, 16}, {16, 16}, {8, 32}, {0, 8}, {0, 96}, {80, 96}} {
		if _, err := matrices["f32"].Part(of[0], of[1]); err == nil {
			t.Errorf("rows %v of %d are not refused", of, rows)
		}
	}
}
