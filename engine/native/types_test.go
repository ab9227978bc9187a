package native_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"targon/engine/enginetest"
	"targon/engine/native"
	"targon/engine/native/gguf"
)

// wide is a shape whose rows are multiples of 256, as K-quants want them.
func wide() enginetest.Shape {
	return enginetest.Shape{
		Dim: 256, FFN: 512, Layers: 2, Heads: 4, KVHeads: 2, Head: 64, Vocab: 300, Context: 64, Type: gguf.F32, Seed: 5,
	}
}

// TestEveryTypeLoads: a file in any type gives the logits of the same file widened to
// float32: to the bit, or nearly where products are computed in integers.
func TestEveryTypeLoads(t *testing.T) {
	data, err := enginetest.RandomModel(wide())
	if err != nil {
		t.Fatal(err)
	}
	ids := someIDs(12, 300)
	for _, typ := range []gguf.Type{
		gguf.F32, gguf.F16, gguf.BF16, gguf.Q8_0, gguf.Q4_0, gguf.Q4_1, gguf.Q5_0, gguf.Q5_1, gguf.Q4_K, gguf.Q5_K, gguf.Q6_K,
	} {
		stored, widened := converted(t, data, typ)
		a, err := native.Load(stored)
		if err != nil {
			t.Fatalf("%v: %v", typ, err)
		}
		b, err := native.Load(widened)
		if err != nil {
			t.Fatalf("%v, widened: %v", typ, err)
		}
		if typ != gguf.F32 && a.Digest() == b.Digest() {
			t.Errorf("%v: two files have one digest", typ)
		}
		got, want := logits(t, engine(t, a, native.Options{}), ids), logits(t, engine(t, b, native.Options{}), ids)
		if per, _ := typ.Block(); per == 1 && !slices.Equal(got, want) {
			t.Errorf("%v: other logits than widened to float32", typ)
		} else if off := distance(got, want); per > 1 && (off == 0 || off > 0.02) {
			t.Errorf("%v: logits are off by %v of their size", typ, off)
		}
		if slices.Min(got) == slices.Max(got) {
			t.Errorf("%v: all logits are %v", typ, got[0])
		}
	}
}

// distance returns the root of the mean square difference, in units of that of want.
func distance(got, want []float32) float64 {
	var difference, size float64
	for i, w := range want {
		d := float64(got[i]) - float64(w)
		difference, size = difference+d*d, size+float64(w)*float64(w)
	}
	return math.Sqrt(difference / size)
}

// converted returns a model file with its matrices stored as a type, and the same
// numbers stored as F32. Types that cannot be written get blocks of chance with small
// scales.
func converted(t *testing.T, data []byte, typ gguf.Type) (stored, widened []byte) {
	t.Helper()
	f, err := gguf.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	a, b := &gguf.File{}, &gguf.File{}
	for _, key := range f.Keys() {
		v, _ := f.Value(key)
		if a.Set(key, v) != nil || b.Set(key, v) != nil {
			t.Fatal(key)
		}
	}
	rng := rand.New(rand.NewPCG(uint64(typ), 1))
	for _, x := range f.Tensors() {
		values := make([]float32, x.Elements())
		if err := gguf.Dequantize(values, x.Type, x.Data); err != nil {
			t.Fatal(err)
		}
		y := *x
		if len(x.Dims) > 1 {
			y.Type = typ
			if y.Data, err = gguf.Quantize(typ, values); err != nil {
				y.Data = chance(rng, typ, x.Elements())
			}
			if err := gguf.Dequantize(values, y.Type, y.Data); err != nil {
				t.Fatal(err)
			}
		}
		z := gguf.Tensor{Name: x.Name, Type: gguf.F32, Dims: x.Dims}
		if z.Data, err = gguf.Quantize(gguf.F32, values); err != nil {
			t.Fatal(err)
		}
		if a.Add(&y) != nil || b.Add(&z) != nil {
			t.Fatal(x.Name)
		}
	}
	return encode(t, a), encode(t, b)
}

// chance returns blocks of random integers whose halves are about 2^-8.
func chance(rng *rand.Rand, typ gguf.Type, elements uint64) []byte {
	size, _ := typ.Bytes(elements)
	_, block := typ.Block()
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	small := func(at int, scale float64) {
		binary.LittleEndian.PutUint16(b[at:], gguf.ToF16(float32(scale*(1+rng.Float64()))))
	}
	for at := 0; at < len(b); at += block {
		switch typ {
		case gguf.BF16:
			binary.LittleEndian.PutUint16(b[at:], uint16(math.Float32bits(float32(rng.NormFloat64()/16))>>16))
		case gguf.Q4_1, gguf.Q5_1, gguf.Q5_K:
			small(at, 0x1p-9)
			small(at+2, 0x1p-9)
		case gguf.Q5_0:
			small(at, 0x1p-9)
		case gguf.Q6_K:
			small(at+208, 0x1p-16)
		default: // gguf.Quantize writes it
		}
	}
	return b
}

// TestUnalignedFile: a file whose bytes begin anywhere in memory gives the same bits.
func TestUnalignedFile(t *testing.T) {
	for _, typ := range []gguf.Type{gguf.F32, gguf.F16} {
		shape := wide()
		shape.Type = typ
		data, err := enginetest.RandomModel(shape)
		if err != nil {
			t.Fatal(err)
		}
		ids := someIDs(5, 300)
		var want []float32
		for shift := range 4 {
			moved := append(make([]byte, shift, shift+len(data)), data...)
			m, err := native.Load(moved[shift:])
			if err != nil {
				t.Fatal(err)
			}
			got := logits(t, engine(t, m, native.Options{}), ids)
			if want == nil {
				want = got
			}
			if !slices.Equal(got, want) {
				t.Errorf("%v moved by %d bytes gives other logits", typ, shift)
			}
		}
		if !bytes.Equal(data[:4], []byte("GGUF")) {
			t.Error("the file was written to")
		}
	}
}
