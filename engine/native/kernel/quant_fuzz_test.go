package kernel

import (
	"encoding/binary"
	"math"
	"testing"
)

// FuzzBlocks: whatever the bytes of blocks and activations are, every kernel of the
// machine gives the product of plain Go, or both give no number.
func FuzzBlocks(f *testing.F) {
	f.Add(uint8(Q8_0), uint8(5), uint8(2), []byte("weights"), []byte("activations"))
	f.Add(uint8(Q4_K), uint8(17), uint8(9), []byte{0xFF, 0x7B, 0x80}, []byte{0, 0, 0x80, 0x7F, 1, 2, 3, 4})
	f.Add(uint8(Q6_K), uint8(32), uint8(3), []byte{0x80}, []byte{0x42, 0xFE, 0, 0})
	f.Fuzz(func(t *testing.T, format, rows, vectors uint8, w, x []byte) {
		l, ok := Blocks(format).layout()
		n, r := int(vectors%10)+1, int(rows%40)+1
		if !ok || len(w) == 0 || len(x) == 0 {
			t.Skip("no such format, or nothing to repeat")
		}
		const cols = 256
		data := repeated(w, r*cols/l.elements*l.bytes)
		m, err := ViewBlocks(r, cols, Blocks(format), data)
		if err != nil {
			t.Fatal(err)
		}
		v := Vectors{make([]float32, n*cols), cols}
		bits := repeated(x, 4*len(v.Data))
		for i := range v.Data {
			v.Data[i] = math.Float32frombits(binary.LittleEndian.Uint32(bits[4*i:]))
		}
		p, rest := others(t)
		want := Vectors{make([]float32, n*m.PaddedRows()), m.PaddedRows()}
		p.Mul(want, m, v, n, new(Scratch))
		for _, k := range rest {
			got := Vectors{make([]float32, n*m.PaddedRows()), m.PaddedRows()}
			k.Mul(got, m, v, n, new(Scratch))
			for i, y := range want.Data {
				if !identical(got.Data[i], y) {
					t.Fatalf("%s: product %d is %v, want %v", k.name, i, got.Data[i], y)
				}
			}
		}
	})
}

// repeated returns n bytes: b again and again.
func repeated(b []byte, n int) []byte {
	out := make([]byte, 0, n+len(b))
	for len(out) < n {
		out = append(out, b...)
	}
	return out[:n]
}
