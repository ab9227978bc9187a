package native

import (
	"math"
	"math/rand/v2"
	"testing"

	"targon/engine/native/gguf"
)

// TestRound16 holds rounding to the file format's own, and BF16 to its definition.
func TestRound16(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 16))
	values := []float32{
		0, 1, 65504, 65519, 65520, 0x1p-14, 0x1p-15, 0x1p-24, 0x1p-25, 0x1.8p-25, 1 + 0x1p-11, 1 + 0x3p-11, 1e-30,
		float32(math.Inf(1)), math.MaxFloat32, math.SmallestNonzeroFloat32, 1 + 0x1p-8, 1 + 0x3p-8,
	}
	for range 100_000 {
		values = append(values, math.Float32frombits(rng.Uint32()), float32(rng.NormFloat64()))
	}
	for _, v := range values {
		if v != v {
			continue
		}
		for _, v := range []float32{v, -v} {
			x := []float32{v, v}
			round16(gguf.F16, x[:1])
			if want := gguf.FromF16(gguf.ToF16(v)); math.Float32bits(x[0]) != math.Float32bits(want) {
				t.Fatalf("%x as F16 is %x, want %x", v, x[0], want)
			}
			round16(gguf.BF16, x[1:])
			// The nearest of the two neighbours, the even one on equality.
			low := math.Float32frombits(math.Float32bits(v) &^ 0xFFFF)
			high := math.Float32frombits(math.Float32bits(low) + 1<<16)
			want, a, b := low, math.Abs(float64(v)-float64(low)), math.Abs(float64(high)-float64(v))
			if math.IsInf(float64(high), 0) {
				b = math.Abs(math.Copysign(0x1p128, float64(v)) - float64(v))
			}
			if b < a || a == b && math.Float32bits(low)>>16&1 == 1 {
				want = high
			}
			if !math.IsInf(float64(v), 0) && math.Float32bits(x[1]) != math.Float32bits(want) {
				t.Fatalf("%x as BF16 is %x, want %x", v, x[1], want)
			}
		}
	}
}
