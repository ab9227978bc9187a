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
		for _, cols := range []int{16, 48, 80} {
			const rows = 12
			b32, b16 := beforeGuard(t, 4*rows*cols), beforeGuard(t, 2*rows*cols)
			f32 := unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(b32))), rows*cols)
			f16 := unsafe.Slice((*uint16)(unsafe.Pointer(unsafe.SliceData(b16))), rows*cols)
			copy(f32, random(rng, rows*cols))
			copy(f16, halves(rng, rows*cols))
			m32, _ := ViewF32(rows, cols, f32)
			m16, _ := ViewF16(rows, cols, f16)
			for _, n := range []int{1, 2, 3, 7} {
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
