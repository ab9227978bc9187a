//go:build amd64 || arm64

package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestFMAHardware compares the emulated fused multiply-add with the instruction on
// ten million triples, most of them where rounding twice goes wrong.
func TestFMAHardware(t *testing.T) {
	if !hasFMA() {
		t.Skip("no fused multiply-add here")
	}
	const block = 4096
	total := 10_000_000
	if testing.Short() {
		total /= 20
	}
	rng := rand.New(rand.NewPCG(1, 2))
	var a, b, c, got [block]float32
	for done := 0; done < total; done += block {
		for i := range block {
			a[i], b[i], c[i] = triple(rng, i&7)
		}
		got = c
		hardwareFMA(a[:], b[:], got[:])
		for i := range block {
			want := fma(a[i], b[i], c[i])
			if math.Float32bits(want) != math.Float32bits(got[i]) && (want == want || got[i] == got[i]) {
				t.Fatalf("fma(%x, %x, %x) = %x, hardware has %x",
					math.Float32bits(a[i]), math.Float32bits(b[i]), math.Float32bits(c[i]),
					math.Float32bits(want), math.Float32bits(got[i]))
			}
		}
	}
}

// triple draws three operands of one of eight kinds.
func triple(rng *rand.Rand, kind int) (a, b, c float32) {
	bits := func() float32 { return math.Float32frombits(rng.Uint32()) }
	near := func(e int) float32 { // magnitude about 2^e
		m := rng.Uint32()
		return math.Float32frombits(m&0x807FFFFF | uint32(min(max(e+127, 0), 254))<<23)
	}
	switch kind {
	case 0: // any bits at all: infinities, NaN, subnormal
		return bits(), bits(), bits()
	case 1: // ordinary
		return near(rng.IntN(8)), near(rng.IntN(8)), near(rng.IntN(16))
	case 2: // cancels nearly
		a, b = near(rng.IntN(20)), near(rng.IntN(20))
		c = -float32(a * b)
		return a, b, math.Float32frombits(math.Float32bits(c) + uint32(rng.IntN(3)) - 1)
	case 3: // subnormal results, half of them just below a middle
		if rng.IntN(2) == 0 {
			return 0x1.000002p-75, 0x1.fffffcp-76, math.Float32frombits(rng.Uint32() & 0x807FFFFF)
		}
		a, b = near(-70+rng.IntN(8)), near(-80+rng.IntN(8))
		return a, b, math.Float32frombits(rng.Uint32() & 0x80FFFFFF)
	case 4: // subnormal results from a product alone
		return near(-63 - rng.IntN(24)), near(-63 - rng.IntN(24)), float32(math.Copysign(0, float64(rng.IntN(2))-1))
	case 5: // a middle between two float32, pushed off it by a tiny product
		c = near(20)
		a = math.Float32frombits(uint32(127+20-24) << 23) // half a unit of c
		b = math.Float32frombits(uint32(127)<<23 + uint32(rng.IntN(2)))
		return a, b, c
	case 6: // addend far below the product's middle
		a = math.Float32frombits(uint32(127)<<23 | uint32(rng.IntN(1<<12))<<11)
		b = math.Float32frombits(uint32(127)<<23 | uint32(rng.IntN(1<<13))<<10)
		return a, b, near(-24 - rng.IntN(40))
	default: // overflow
		return near(63 + rng.IntN(3)), near(63 + rng.IntN(3)), near(127)
	}
}

// TestFMAMiddle shows that the slow path is needed: each of these rounds wrongly
// through float64 alone.
func TestFMAMiddle(t *testing.T) {
	for _, c := range []struct{ a, b, c, want float32 }{
		{0x1p-24, 0x1.000002p+0, 1, 0x1.000002p+0},                         // just above the middle
		{0x1p-30, 0x1p-30, 0x1.000002p+0, 0x1.000002p+0},                   // far below it
		{0x1.8p-99, 0x1p-50, -0x1p-149, 0},                                 // subnormal: 1.5 - 1 units, a tie
		{0x1.000002p-75, 0x1.fffffcp-76, 0x1.000004p-127, 0x1.000004p-127}, // just below half a unit above an odd subnormal
		{-0x1p-75, 0x1p-75, 0, float32(math.Copysign(0, -1))},              // underflows to -0
	} {
		if got := fma(c.a, c.b, c.c); math.Float32bits(got) != math.Float32bits(c.want) {
			t.Errorf("fma(%x, %x, %x) = %x, want %x", c.a, c.b, c.c, got, c.want)
		}
	}
}
