package kernel

import (
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"
)

// TestViews: a view gives the bits of a copy, reads the given memory where rows need no
// padding, and copies where they do.
func TestViews(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 8))
	for _, tt := range []struct {
		rows, cols int
		inPlace    bool
	}{{8, 32, true}, {4, 16, true}, {6, 32, false}, {8, 40, false}, {1, 1, false}} {
		f32, f16 := random(rng, tt.rows*tt.cols), halves(rng, tt.rows*tt.cols)
		view32, err := ViewF32(tt.rows, tt.cols, f32)
		if err != nil {
			t.Fatal(err)
		}
		view16, err := ViewF16(tt.rows, tt.cols, f16)
		if err != nil {
			t.Fatal(err)
		}
		copy32, _ := NewF32(tt.rows, tt.cols, f32)
		copy16, _ := NewF16(tt.rows, tt.cols, f16)
		if !slices.Equal(view32.f32, copy32.f32) || !slices.Equal(view16.f16, copy16.f16) {
			t.Errorf("%d×%d: the view holds other numbers than the copy", tt.rows, tt.cols)
		}
		if got := unsafe.SliceData(view32.f32) == unsafe.SliceData(f32); got != tt.inPlace {
			t.Errorf("%d×%d F32: in place %v", tt.rows, tt.cols, got)
		}
		if got := unsafe.SliceData(view16.f16) == unsafe.SliceData(f16); got != tt.inPlace {
			t.Errorf("%d×%d F16: in place %v", tt.rows, tt.cols, got)
		}
	}
	if _, err := ViewF32(2, 3, make([]float32, 5)); err == nil {
		t.Error("five numbers were taken for a matrix of six")
	}
	if _, err := ViewF16(2, 3, make([]uint16, 7)); err == nil {
		t.Error("seven numbers were taken for a matrix of six")
	}
}
