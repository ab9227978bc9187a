package gguf_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"targon/engine/native/gguf"
)

// TestAgainstGGUFPython holds every block format to what the Python package gguf 0.19.0
// (gguf.quants.dequantize, the format's own tool) makes of the same 64 blocks. Bytes are
// the top of x ← 1664525·x + 1013904223 from the type's number on; the halves' highest
// exponent bit is cleared, so that all values are finite.
func TestAgainstGGUFPython(t *testing.T) {
	for _, tt := range []struct {
		typ    gguf.Type
		halves []int
		want   string
	}{
		{gguf.Q4_0, []int{0}, "ba4ec2ac8c862fec8de638aceaa1a4e3fd15ae98a15420269d40ca123a197ebd"},
		{gguf.Q8_0, []int{0}, "3a712b5c5bd0f357f3ff556780e4ed8297ff5f2dd499cca11a07137657a21d0b"},
		{gguf.Q4_1, []int{0, 2}, "98fd5cf4abda46d64c820b9320b67b163c803415e5f1e9cee26086100c53f899"},
		{gguf.Q5_0, []int{0}, "838b7226c0f5a009e47791141e5c7a258f6821e402dedb66bbcff363cf5856cc"},
		{gguf.Q5_1, []int{0, 2}, "6baa2947f23a0a2d72767bce1d41f2b9cbc41c51412279fc918ac8686394c284"},
		{gguf.Q4_K, []int{0, 2}, "9f5f84566156fd011d96d3c8938ba1988dfd36bcb1601071acacb0c2edc902c4"},
		{gguf.Q5_K, []int{0, 2}, "5dc6352b0a338114a0395aa8b3e016e66535531b4b79ded4294c760d73479301"},
		{gguf.Q6_K, []int{208}, "5ab1df23ee586c664d074fda461b14e7fac786653fda90eceb268c2fb3284388"},
		{gguf.BF16, []int{0}, "2e6a12e74f9c56501e41eb1535329f82516e40b6b6c46f8e5778945006c9ee68"},
	} {
		per, size := tt.typ.Block()
		src, x := make([]byte, 64*size), uint32(tt.typ)
		for i := range src {
			x = x*1664525 + 1013904223
			src[i] = byte(x >> 24)
		}
		for at := 0; at < len(src); at += size {
			for _, h := range tt.halves {
				src[at+h+1] &= 0xbf
			}
		}
		sum := sha256.New()
		for _, v := range widen(t, tt.typ, src, 64*per) {
			sum.Write(binary.LittleEndian.AppendUint32(nil, math.Float32bits(v)))
		}
		if got := hex.EncodeToString(sum.Sum(nil)); got != tt.want {
			t.Errorf("%v: %s, want %s", tt.typ, got, tt.want)
		}
	}
}

func widen(t testing.TB, typ gguf.Type, src []byte, n int) []float32 {
	t.Helper()
	out := make([]float32, n)
	if err := gguf.Dequantize(out, typ, src); err != nil {
		t.Fatal(err)
	}
	return out
}

// one is the half 1, two the half 2, minus the half -0.5.
var one, two, minus = []byte{0, 0x3c}, []byte{0, 0x40}, []byte{0, 0xb8}

func at(n int, pairs ...int) []byte {
	b := make([]byte, n)
	for i := 0; i < len(pairs); i += 2 {
		b[pairs[i]] = byte(pairs[i+1])
	}
	return b
}

// TestMoreBlocksByHand: blocks that were worked out on paper, a few elements of each.
func TestMoreBlocksByHand(t *testing.T) {
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	// Sub-block scales and minima: 0 is 1 and 2, 3 is 63 and 63, 4 is 0x35 and 0x2a,
	// 7 is 33 and 16.
	scales := []byte{
		1 | 0x35>>4<<6, 0, 0, 63 | 33>>4<<6,
		2 | 0x2a>>4<<6, 0, 0, 63 | 16>>4<<6,
		0x5 | 0xa<<4, 0, 0, 1,
	}
	for _, tt := range []struct {
		name string
		typ  gguf.Type
		src  []byte
		want map[int]float32
	}{
		{"BF16", gguf.BF16, []byte{0x80, 0x3f, 0x49, 0xc0, 1, 0}, map[int]float32{0: 1, 1: -3.140625, 2: 0x1p-133}},
		{"Q4_1", gguf.Q4_1, join(two, minus, at(16, 0, 0xf1, 15, 0x2c)), map[int]float32{0: 1.5, 16: 29.5, 15: 23.5, 31: 3.5, 7: -0.5}},
		{
			"Q5_0", gguf.Q5_0, join(two, []byte{1, 0, 2, 0x80}, at(16, 0, 0xf1, 1, 0x20, 15, 0x0f)),
			map[int]float32{0: 2, 16: -2, 17: 4, 15: -2, 31: 0, 1: -32},
		},
		{
			"Q5_1", gguf.Q5_1, join(two, minus, []byte{1, 0, 2, 0x80}, at(16, 0, 0xf1, 1, 0x20, 15, 0x0f)),
			map[int]float32{0: 33.5, 16: 29.5, 17: 35.5, 15: 29.5, 31: 31.5, 1: -0.5},
		},
		{
			"Q4_K", gguf.Q4_K, join(one, two, scales, at(128, 0, 0x0f, 63, 0x70, 64, 0x03, 127, 0x90)),
			map[int]float32{0: 15 - 4, 127: 7*63 - 126, 128: 3*0x35 - 2*0x2a, 255: 9*33 - 32, 40: 0},
		},
		{
			"Q5_K", gguf.Q5_K, join(one, two, scales, at(32, 0, 0x11, 31, 0x88), at(128, 0, 0x0f, 63, 0x70, 64, 0x03, 127, 0x90)),
			map[int]float32{0: 31 - 4, 127: 23*63 - 126, 128: 19*0x35 - 2*0x2a, 255: 25*33 - 32, 1: -4},
		},
		{
			"Q6_K", gguf.Q6_K, join(at(128, 0, 0x21, 33, 0x43, 127, 0xf0), at(64, 0, 0x93, 1, 0x04, 63, 0xc0), at(16, 0, 1, 2, 0xff, 4, 2, 15, 0x80), two),
			map[int]float32{
				0:   2 * 1 * (0x31 - 32),    // low 1, bits 0-1 = 3
				33:  2 * -1 * (0x13 - 32),   // low 3, bits 2-3 = 1
				64:  2 * 2 * (0x12 - 32),    // high nibble 2, bits 4-5 = 1
				255: 2 * -128 * (0x3f - 32), // high nibble 15, bits 6-7 = 3
				16:  0,                      // scale 0
			},
		},
	} {
		per, size := tt.typ.Block()
		got := widen(t, tt.typ, tt.src, len(tt.src)/size*per)
		for i, want := range tt.want {
			if got[i] != want {
				t.Errorf("%s: element %d is %v, want %v", tt.name, i, got[i], want)
			}
		}
	}
}

// TestEveryBitCounts turns each bit of a block of each type: at least one element, and
// none outside the bit's reach, must change.
func TestEveryBitCounts(t *testing.T) {
	reach := map[gguf.Type]int{gguf.Q4_1: 32, gguf.Q5_0: 32, gguf.Q5_1: 32, gguf.Q4_K: 256, gguf.Q5_K: 256, gguf.Q6_K: 256, gguf.BF16: 1}
	for typ, per := range reach {
		_, size := typ.Block()
		src := bytes.Repeat([]byte{0x5b, 0x36, 0xe7}, 100)[:size]
		before := widen(t, typ, src, per)
		for i := range size * 8 {
			src[i/8] ^= 1 << (i % 8)
			changed := 0
			for j, v := range widen(t, typ, src, per) {
				if math.Float32bits(v) != math.Float32bits(before[j]) {
					changed++
				}
			}
			if changed == 0 {
				t.Errorf("%v: bit %d of byte %d changes nothing", typ, i%8, i/8)
			}
			src[i/8] ^= 1 << (i % 8)
		}
	}
}

// TestEveryQuant: each of the 16, 32 or 64 integers at each position stands for itself.
func TestEveryQuant(t *testing.T) {
	ones := bytes.Repeat([]byte{1}, 16)
	flat := []byte{1, 1, 1, 1, 1, 1, 1, 1, 0x11, 0x11, 0x11, 0x11} // eight scales and minima of 1
	nibbles := func(q byte, n int) []byte { return bytes.Repeat([]byte{q&15 | q<<4}, n) }
	all := func(set bool, n int) []byte {
		if set {
			return bytes.Repeat([]byte{0xff}, n)
		}
		return make([]byte, n)
	}
	for _, tt := range []struct {
		typ   gguf.Type
		quant int
		base  float32
		block func(q byte) [][]byte
	}{
		{gguf.Q4_1, 16, -0.5, func(q byte) [][]byte { return [][]byte{one, minus, nibbles(q, 16)} }},
		{gguf.Q5_0, 32, -16, func(q byte) [][]byte { return [][]byte{one, all(q > 15, 4), nibbles(q, 16)} }},
		{gguf.Q5_1, 32, -0.5, func(q byte) [][]byte { return [][]byte{one, minus, all(q > 15, 4), nibbles(q, 16)} }},
		{gguf.Q4_K, 16, -2, func(q byte) [][]byte { return [][]byte{one, two, flat, nibbles(q, 128)} }},
		{gguf.Q5_K, 32, -2, func(q byte) [][]byte { return [][]byte{one, two, flat, all(q > 15, 32), nibbles(q, 128)} }},
		{gguf.Q6_K, 64, -32, func(q byte) [][]byte {
			return [][]byte{nibbles(q, 128), bytes.Repeat([]byte{q >> 4 * 0x55}, 64), ones, one}
		}},
	} {
		per, _ := tt.typ.Block()
		for q := range tt.quant {
			for i, v := range widen(t, tt.typ, bytes.Join(tt.block(byte(q)), nil), per) {
				if want := float32(q) + tt.base; v != want {
					t.Fatalf("%v: %d at %d is %v, want %v", tt.typ, q, i, v, want)
				}
			}
		}
	}
}

func rmse(t testing.TB, typ gguf.Type, v []float32) float64 {
	t.Helper()
	b, err := gguf.Quantize(typ, v)
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for i, x := range widen(t, typ, b, len(v)) {
		d := float64(x) - float64(v[i])
		sum += d * d
	}
	return math.Sqrt(sum / float64(len(v)))
}

// TestQ4KQuality pins what Quantize's comment says about the rounding of Q4_K.
func TestQ4KQuality(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	normal, skewed := make([]float32, 1<<16), make([]float32, 1<<16)
	for i := range normal {
		normal[i] = float32(r.NormFloat64()) * 0.02
		skewed[i] = float32(r.ExpFloat64()) * 0.02
	}
	for _, tt := range []struct {
		name   string
		values []float32
		bound  float64
	}{{"normal", normal, 0.84}, {"exponential", skewed, 0.52}} {
		q4, k := rmse(t, gguf.Q4_0, tt.values), rmse(t, gguf.Q4_K, tt.values)
		t.Logf("%s: rmse Q8_0 %.3g, Q4_0 %.3g, Q4_K %.3g (%.3f of Q4_0)", tt.name, rmse(t, gguf.Q8_0, tt.values), q4, k, k/q4)
		if k > tt.bound*q4 {
			t.Errorf("%s: Q4_K errs by %v, Q4_0 by %v", tt.name, k, q4)
		}
	}
}

// TestQ4KExact: what Q4_K can hold comes back as it was.
func TestQ4KExact(t *testing.T) {
	v := make([]float32, 512)
	for i := range v {
		// Sub-block n of each block: steps of (63-n)/64 and a minimum of (63-2n)/8.
		n := float32(i / 32 % 8)
		v[i] = float32(i%16)*(63-n)/64 - (63-2*n)/8
	}
	b, err := gguf.Quantize(gguf.Q4_K, v)
	if err != nil {
		t.Fatal(err)
	}
	for i, got := range widen(t, gguf.Q4_K, b, len(v)) {
		if got != v[i] {
			t.Fatalf("element %d is %v, want %v", i, got, v[i])
		}
	}
	for i, got := range widen(t, gguf.Q4_K, make([]byte, 144), 256) {
		if got != 0 {
			t.Fatalf("element %d of a zero block is %v", i, got)
		}
	}
	zero, err := gguf.Quantize(gguf.Q4_K, make([]float32, 256))
	if err != nil || !bytes.Equal(zero, make([]byte, 144)) {
		t.Errorf("zeros become %x, %v", zero, err)
	}
}

// TestQ4KError bounds how far Q4_K may move a value: half a step of its sub-block's
// range, and what the 6 bits of scale and minimum lose of the block's greatest.
func TestQ4KError(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.SliceOfN(rapid.Float32Range(-1000, 1000), 256, 256).Draw(t, "v")
		b, err := gguf.Quantize(gguf.Q4_K, v)
		if err != nil {
			t.Fatal(err)
		}
		out := make([]float32, 256)
		if err := gguf.Dequantize(out, gguf.Q4_K, b); err != nil {
			t.Fatal(err)
		}
		spread := func(v []float32) float64 {
			low, high := float32(0), float32(0)
			for _, x := range v {
				low, high = min(low, x), max(high, x)
			}
			return float64(high) - float64(low)
		}
		all := spread(v)
		for i := range v {
			// A fitted line may give up single values at the ends: 4 steps at most.
			bound := 4*spread(v[i/32*32:i/32*32+32])/15 + all*(0.5/63+15*0.5/63/14) + 0x1p-14
			if diff := math.Abs(float64(v[i]) - float64(out[i])); diff > bound {
				t.Fatalf("%v becomes %v (bound %v)", v[i], out[i], bound)
			}
		}
	})
}

// TestQ4KTinyAndHuge: scales at the ends of a half give zeros or finite values.
func TestQ4KTinyAndHuge(t *testing.T) {
	for _, v := range []float32{math.SmallestNonzeroFloat32, 1e-40, -1e-37, 1e-9, -1e-6, 5e7, -4e6} {
		in := append(make([]float32, 255), v)
		b, err := gguf.Quantize(gguf.Q4_K, in)
		if err != nil {
			t.Fatalf("%v: %v", v, err)
		}
		for i, x := range widen(t, gguf.Q4_K, b, 256) {
			if math.Abs(float64(x)) > 1.01*math.Abs(float64(v)) {
				t.Errorf("%v: element %d becomes %v", v, i, x)
			}
		}
	}
}

func BenchmarkQuantizeQ4K(b *testing.B) {
	r := rand.New(rand.NewPCG(3, 4))
	in := make([]float32, 1<<14)
	for i := range in {
		in[i] = float32(r.NormFloat64())
	}
	b.SetBytes(int64(len(in) * 4))
	for b.Loop() {
		if _, err := gguf.Quantize(gguf.Q4_K, in); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDequantize(b *testing.B) {
	out := make([]float32, 1<<16)
	for _, typ := range []gguf.Type{gguf.BF16, gguf.Q4_0, gguf.Q5_1, gguf.Q4_K, gguf.Q5_K, gguf.Q6_K} {
		b.Run(typ.String(), func(b *testing.B) {
			size, _ := typ.Bytes(uint64(len(out)))
			src := bytes.Repeat([]byte{0x36}, int(size))
			b.SetBytes(int64(len(out) * 4))
			for b.Loop() {
				if err := gguf.Dequantize(out, typ, src); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
