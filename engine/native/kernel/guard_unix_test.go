//go:build unix

package kernel

import (
	"math/rand/v2"
	"os"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// beforeGuard returns n bytes that are followed by a page nobody may read.
func beforeGuard(t *testing.T, n int) []byte {
	t.Helper()
	page := os.Getpagesize()
	size := (n + page - 1) / page * page
	all, err := unix.Mmap(-1, 0, size+page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Munmap(all); err != nil {
			t.Error(err)
		}
	})
	if err := unix.Mprotect(all[size:], unix.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	return all[size-n : size : size]
}

// TestNoReadPastTheEnd: a mapped file may end with its last weight, so no kernel may read
// a byte beyond a matrix. One that does dies here.
func TestNoReadPastTheEnd(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	p, rest := others(t)
	for _, k := range append(rest, p) {
		for _, cols := range []int{16, 48, 80, 192, 208} {
			const rows = 12
			b32, b16 := beforeGuard(t, 4*rows*cols), beforeGuard(t, 2*rows*cols)
			f32 := unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(b32))), rows*cols)
			f16 := unsafe.Slice((*uint16)(unsafe.Pointer(unsafe.SliceData(b16))), rows*cols)
			copy(f32, random(rng, rows*cols))
			copy(f16, halves(rng, rows*cols))
			m32, _ := ViewF32(rows, cols, f32)
			m16, _ := ViewF16(rows, cols, f16)
			for _, n := range []int{1, 2, 3, 4, 6, 7} {
				x := Vectors{random(rng, n*cols), cols}
				y := Vectors{make([]float32, n*rows), rows}
				k.Mul(y, m32, x, n, new(Scratch))
				k.Mul(y, m16, x, n, new(Scratch))
			}
			m32.Row(make([]float32, cols), rows-1)
			m16.Row(make([]float32, cols), rows-1)
		}
	}
}

// TestRowsBeforeGuard: nor beyond the rows of an attention cache, its queries or a vector.
func TestRowsBeforeGuard(t *testing.T) {
	rng := rand.New(rand.NewPCG(10, 10))
	floats := func(n int) []float32 {
		b := beforeGuard(t, 4*n)
		x := unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(b))), n)
		copy(x, random(rng, n))
		return x
	}
	p, rest := others(t)
	for _, k := range append(rest, p) {
		for _, width := range []int{16, 48, 80} {
			const rows, n = 8, 7
			cache := Rows{floats((rows-1)*(width+16) + width), rows, width, width + 16}
			x, y := Vectors{floats(n * width), width}, Vectors{floats(n * rows), rows}
			k.Scores(y, cache, x, n)
			k.AddValues(x, y, cache, n)
			v, w := floats(width), floats(width)
			k.Softmax(v, width-3)
			k.Norm(v, v, w, 2)
			k.Add(v, w)
			k.SwiGLU(v, w)
			k.TurnPairs(v, floats(width/2), floats(width/2))
			k.TurnHalves(v, floats(width/2), floats(width/2))
		}
	}
}

// TestBlocksBeforeGuard: nor beyond the last block, of the whole matrix or of a part.
func TestBlocksBeforeGuard(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 11))
	p, rest := others(t)
	for _, k := range append(rest, p) {
		for _, f := range everyFormat {
			for _, rows := range []int{16, 21, 48} {
				const cols, n = 512, 9
				data := blocksOf(rng, f, rows, cols, chances(rng))
				b := beforeGuard(t, len(data))
				copy(b, data)
				m, err := ViewBlocks(rows, cols, f, b)
				if err != nil {
					t.Fatal(err)
				}
				part, err := m.Columns(256, cols)
				if err != nil {
					t.Fatal(err)
				}
				x := Vectors{random(rng, n*cols), cols}
				y := Vectors{make([]float32, n*(rows+3)), rows + 3}
				for _, batch := range []int{1, 2, 3, n} {
					k.Mul(y, m, x, batch, new(Scratch))
					k.Mul(y, part, x, batch, new(Scratch))
				}
				m.Row(make([]float32, cols), rows-1)
			}
		}
	}
}
