package gguf_test

import (
	"encoding/hex"
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"targon/engine/native/gguf"
)

// halfValue returns the number that a half stands for, from the definition of the
// format rather than by bit tricks.
func halfValue(h uint16) float64 {
	sign, exp, frac := 1.0, int(h>>10&31), float64(h&1023)
	if h&0x8000 != 0 {
		sign = -1
	}
	switch exp {
	case 0:
		return sign * math.Ldexp(frac, -24)
	case 31:
		if frac != 0 {
			return math.NaN()
		}
		return sign * math.Inf(1)
	}
	return sign * math.Ldexp(1024+frac, exp-25)
}

func TestFromF16IsExact(t *testing.T) {
	for i := range 1 << 16 {
		h := uint16(i)
		got, want := float64(gguf.FromF16(h)), halfValue(h)
		if math.IsNaN(want) {
			if !math.IsNaN(got) {
				t.Fatalf("%04x = %v, want NaN", h, got)
			}
			continue
		}
		if got != want || math.Signbit(got) != math.Signbit(want) {
			t.Fatalf("%04x = %v, want %v", h, got, want)
		}
		if back := gguf.ToF16(float32(want)); back != h {
			t.Fatalf("%v becomes %04x, want %04x", want, back, h)
		}
	}
}

// TestToF16RoundsToNearestEven looks at every boundary between two neighbouring
// halves: at the middle, and one float32 to each side of it.
func TestToF16RoundsToNearestEven(t *testing.T) {
	for i := range 0x7c00 {
		low := uint16(i)
		// The neighbour above the largest finite half counts as 2^16.
		above := halfValue(low + 1)
		if low+1 == 0x7c00 {
			above = 65536
		}
		middle := float32((halfValue(low) + above) / 2) // exact: 12 bits
		even := low + low&1
		for _, tt := range []struct {
			in   float32
			want uint16
		}{
			{middle, even},
			{math.Nextafter32(middle, 0), low},
			{math.Nextafter32(middle, float32(math.Inf(1))), low + 1},
		} {
			if got := gguf.ToF16(tt.in); got != tt.want {
				t.Fatalf("%v becomes %04x, want %04x", tt.in, got, tt.want)
			}
			if got := gguf.ToF16(-tt.in); got != tt.want|0x8000 {
				t.Fatalf("%v becomes %04x, want %04x", -tt.in, got, tt.want|0x8000)
			}
		}
	}
}

func TestToF16Special(t *testing.T) {
	inf := float32(math.Inf(1))
	for _, tt := range []struct {
		in   float32
		want uint16
	}{
		{0, 0},
		{float32(math.Copysign(0, -1)), 0x8000},
		{inf, 0x7c00},
		{-inf, 0xfc00},
		{math.MaxFloat32, 0x7c00},
		{65520, 0x7c00},
		{65504, 0x7bff},
		{math.SmallestNonzeroFloat32, 0},
		{0x1p-25, 0},
		{0x1p-24, 1},
		{0x1p-14, 0x0400},
	} {
		if got := gguf.ToF16(tt.in); got != tt.want {
			t.Errorf("%v becomes %04x, want %04x", tt.in, got, tt.want)
		}
	}
	for _, bits := range []uint32{0x7fc00000, 0x7f800001, 0xffffffff} {
		if got := gguf.ToF16(math.Float32frombits(bits)); got&0x7c00 != 0x7c00 || got&0x3ff == 0 {
			t.Errorf("NaN %08x becomes %04x, want a NaN", bits, got)
		}
	}
}

// TestBlocksByHand pins the layout and the rounding of both block formats with
// blocks that were worked out on paper.
func TestBlocksByHand(t *testing.T) {
	var q8 [32]float32 // amax 127, so d = 1 and halves are visible
	copy(q8[:], []float32{127, -127, 0.5, -0.5, 1.5, -1.5, 2.49, 126.5})
	var q4 [32]float32 // signed maximum -8, so d = 1 and q = trunc(x + 8.5)
	copy(q4[:], []float32{-8, 0, 7, 7.9, 0.5, 0.49, -0.5, -0.51})
	q4[16], q4[17], q4[31] = 1, -7.6, 3
	for _, tt := range []struct {
		name string
		typ  gguf.Type
		in   [32]float32
		want string
	}{
		{"Q8_0", gguf.Q8_0, q8, "003c" + "7f8101ff02fe027f" + "000000000000000000000000000000000000000000000000"},
		// low nibbles 0 8 15 15 9 8 8 7 8..., high nibbles 9 0 8 ... 11
		{"Q4_0", gguf.Q4_0, q4, "003c" + "90088f8f89888887" + "88888888888888b8"},
		{"Q8_0 of zeros", gguf.Q8_0, [32]float32{}, "0000" + "0000000000000000000000000000000000000000000000000000000000000000"},
		// ggml gives the same: -0 scale and every nibble 8.
		{"Q4_0 of zeros", gguf.Q4_0, [32]float32{}, "0080" + "88888888888888888888888888888888"},
	} {
		got, err := gguf.Quantize(tt.typ, tt.in[:])
		if err != nil {
			t.Fatal(err)
		}
		if hex.EncodeToString(got) != tt.want {
			t.Errorf("%s: %x, want %s", tt.name, got, tt.want)
		}
	}
	// A positive extreme makes d negative: x/d is -8 at the extreme.
	var up [32]float32
	up[0], up[1] = 8, -7
	b, err := gguf.Quantize(gguf.Q4_0, up[:])
	if err != nil {
		t.Fatal(err)
	}
	if hex.EncodeToString(b[:4]) != "00bc"+"808f" {
		t.Errorf("positive extreme: %x", b[:4])
	}
	out := make([]float32, 32)
	if err := gguf.Dequantize(out, gguf.Q4_0, b); err != nil {
		t.Fatal(err)
	}
	if out[0] != 8 || out[1] != -7 || out[16] != 0 {
		t.Errorf("Q4_0 dequantizes to %v", out)
	}
}

func TestFirstOfEqualExtremesWins(t *testing.T) {
	var v [32]float32
	v[3], v[9] = 8, -8 // d = -1, so -8 is cut to -7
	b, err := gguf.Quantize(gguf.Q4_0, v[:])
	if err != nil {
		t.Fatal(err)
	}
	out := make([]float32, 32)
	if err := gguf.Dequantize(out, gguf.Q4_0, b); err != nil {
		t.Fatal(err)
	}
	if out[3] != 8 || out[9] != -7 {
		t.Errorf("got %v and %v, want 8 and -7", out[3], out[9])
	}
}

// TestQuantizeError bounds how far each format may move a value.
func TestQuantizeError(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.SliceOfN(rapid.Float32Range(-1000, 1000), 64, 64).Draw(t, "v")
		for _, tt := range []struct {
			typ  gguf.Type
			step float64 // of the largest magnitude in the block
		}{{gguf.F32, 0}, {gguf.F16, 1 / 1024.}, {gguf.Q8_0, 0.6 / 127}, {gguf.Q4_0, 1.01 / 8}} {
			b, err := gguf.Quantize(tt.typ, v)
			if err != nil {
				t.Fatal(err)
			}
			out := make([]float32, len(v))
			if err := gguf.Dequantize(out, tt.typ, b); err != nil {
				t.Fatal(err)
			}
			for i := range v {
				amax := 0.0
				for _, x := range v[i/32*32 : i/32*32+32] {
					amax = max(amax, math.Abs(float64(x)))
				}
				// The f16 scale adds 2^-11 of the value, or 2^-25 times the integer.
				bound := amax*(tt.step+0x1p-10) + 0x1p-17
				if diff := math.Abs(float64(v[i]) - float64(out[i])); diff > bound {
					t.Fatalf("%v: %v becomes %v (largest %v)", tt.typ, v[i], out[i], amax)
				}
			}
		}
	})
}

func TestQuantizeRefuses(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	at := func(v float32) []float32 { return append(make([]float32, 31), v) }
	for _, tt := range []struct {
		name string
		typ  gguf.Type
		in   []float32
	}{
		{"ragged", gguf.Q8_0, make([]float32, 33)},
		{"Q5_K", gguf.Q5_K, make([]float32, 256)},
		{"BF16", gguf.BF16, make([]float32, 256)},
		{"ragged", gguf.Q4_K, make([]float32, 128)},
		{"NaN", gguf.Q4_K, append(make([]float32, 255), nan)},
		{"infinity", gguf.Q4_K, append(make([]float32, 255), inf)},
		{"scale", gguf.Q4_K, append(make([]float32, 255), 65520*63*16)},
		{"minimum", gguf.Q4_K, append(make([]float32, 255), -65520*64)},
		{"NaN", gguf.Q8_0, at(nan)},
		{"NaN", gguf.Q4_0, at(nan)},
		{"infinity", gguf.Q8_0, at(-inf)},
		{"infinity", gguf.Q4_0, at(inf)},
		{"scale", gguf.Q8_0, at(65520 * 127)},
		{"scale", gguf.Q4_0, at(65520 * 8)},
	} {
		if b, err := gguf.Quantize(tt.typ, tt.in); b != nil || !errors.Is(err, gguf.ErrFormat) {
			t.Errorf("%s as %v: %x, %v; want an ErrFormat", tt.name, tt.typ, b, err)
		}
	}
	for _, tt := range []struct {
		name string
		n    int
		typ  gguf.Type
		src  []byte
	}{
		{"short", 32, gguf.Q8_0, make([]byte, 33)},
		{"long", 32, gguf.Q8_0, make([]byte, 35)},
		{"ragged", 31, gguf.Q8_0, make([]byte, 34)},
		{"Q2_K", 256, 10, make([]byte, 84)},
		{"short", 256, gguf.Q6_K, make([]byte, 209)},
		{"ragged", 128, gguf.Q4_K, make([]byte, 72)},
	} {
		if err := gguf.Dequantize(make([]float32, tt.n), tt.typ, tt.src); !errors.Is(err, gguf.ErrFormat) {
			t.Errorf("%s: %v, want an ErrFormat", tt.name, err)
		}
	}
}

// TestTinyScales covers blocks whose scale vanishes as a half or whose inverse
// overflows: the result is zeros, never a panic or a value out of nothing.
func TestTinyScales(t *testing.T) {
	for _, v := range []float32{math.SmallestNonzeroFloat32, 1e-40, 1e-37, 1e-9} {
		in := append(make([]float32, 31), v)
		for _, typ := range []gguf.Type{gguf.Q8_0, gguf.Q4_0} {
			b, err := gguf.Quantize(typ, in)
			if err != nil {
				t.Fatal(err)
			}
			out := make([]float32, 32)
			if err := gguf.Dequantize(out, typ, b); err != nil {
				t.Fatal(err)
			}
			for i, x := range out {
				if math.Abs(float64(x)) > float64(v) {
					t.Errorf("%v of %v: element %d becomes %v", typ, v, i, x)
				}
			}
		}
	}
}

// TestQ8MatchesExactRounding compares with arithmetic on rationals: q is x·(1/d)
// rounded to float32 and then to the nearest integer, halves away from zero.
func TestQ8MatchesExactRounding(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	in := make([]float32, 32*200)
	for i := range in {
		in[i] = float32(r.NormFloat64()) * 0.05
	}
	got, err := gguf.Quantize(gguf.Q8_0, in)
	if err != nil {
		t.Fatal(err)
	}
	for b := range len(in) / 32 {
		var amax float32
		for _, x := range in[b*32 : b*32+32] {
			amax = max(amax, x, -x)
		}
		d, _ := new(big.Rat).Quo(rat(amax), big.NewRat(127, 1)).Float32()
		inv, _ := new(big.Rat).Inv(rat(d)).Float32()
		if h := gguf.ToF16(d); got[b*34] != byte(h) || got[b*34+1] != byte(h>>8) {
			t.Fatalf("block %d: scale %x, want %04x", b, got[b*34:b*34+2], h)
		}
		for i, x := range in[b*32 : b*32+32] {
			p, _ := new(big.Rat).Mul(rat(x), rat(inv)).Float32()
			if q := int8(math.Round(float64(p))); int8(got[b*34+2+i]) != q {
				t.Fatalf("block %d, element %d: %d, want %d", b, i, int8(got[b*34+2+i]), q)
			}
		}
	}
}

func rat(v float32) *big.Rat { return new(big.Rat).SetFloat64(float64(v)) }

func BenchmarkDequantizeQ8(b *testing.B) {
	in := make([]float32, 1<<16)
	q, err := gguf.Quantize(gguf.Q8_0, in)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(in) * 4))
	for b.Loop() {
		if err := gguf.Dequantize(in, gguf.Q8_0, q); err != nil {
			b.Fatal(err)
		}
	}
}
