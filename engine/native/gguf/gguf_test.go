package gguf_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"targon/engine/native/gguf"
	"targon/engine/native/modeltest"
)

// tiny returns a file with one value of every kind and one tensor of every type.
func tiny(t testing.TB) *gguf.File {
	t.Helper()
	f := &gguf.File{}
	for _, kv := range []struct {
		key   string
		value any
	}{
		{"general.architecture", "llama"},
		{"general.alignment", uint32(64)},
		{"u8", uint8(255)},
		{"i8", int8(-128)},
		{"u16", uint16(65535)},
		{"i16", int16(-32768)},
		{"i32", int32(-7)},
		{"u64", uint64(math.MaxUint64)},
		{"i64", int64(math.MinInt64)},
		{"f32", float32(1e-5)},
		{"f64", math.Pi},
		{"yes", true},
		{"empty", ""},
		{"au8", []uint8{1, 2}},
		{"ai8", []int8{-1}},
		{"au16", []uint16{1}},
		{"ai16", []int16{-1}},
		{"au32", []uint32{1, 2, 3}},
		{"ai32", []int32{-1, 0}},
		{"au64", []uint64{5}},
		{"ai64", []int64{-5}},
		{"af32", []float32{0.5, -0.5}},
		{"af64", []float64{0.25}},
		{"abool", []bool{true, false}},
		{"astr", []string{"a", "", "\u2581b"}},
		{"none", []string{}},
	} {
		if err := f.Set(kv.key, kv.value); err != nil {
			t.Fatal(err)
		}
	}
	values := make([]float32, 96)
	for i := range values {
		values[i] = float32(i%13) - 6
	}
	for _, typ := range []gguf.Type{gguf.F32, gguf.F16, gguf.Q8_0, gguf.Q4_0} {
		data, err := gguf.Quantize(typ, values)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Add(&gguf.Tensor{Name: "w." + typ.String(), Type: typ, Dims: []uint64{32, 3}, Data: data}); err != nil {
			t.Fatal(err)
		}
	}
	for _, typ := range []gguf.Type{gguf.BF16, gguf.Q4_1, gguf.Q5_0, gguf.Q5_1, gguf.Q4_K, gguf.Q5_K, gguf.Q6_K} {
		size, _ := typ.Bytes(512)
		data := bytes.Repeat([]byte{0x3a, 0x1c, 0xa5}, 400)[:size]
		if err := f.Add(&gguf.Tensor{Name: "w." + typ.String(), Type: typ, Dims: []uint64{256, 2}, Data: data}); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

func encode(t testing.TB, f *gguf.File) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := gguf.Write(&b, f); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// same fails the test unless two files hold the same.
func same(t testing.TB, want, got *gguf.File) {
	t.Helper()
	if diff := cmp.Diff(want.Keys(), got.Keys()); diff != "" {
		t.Fatal(diff)
	}
	for _, key := range want.Keys() {
		a, _ := want.Value(key)
		b, _ := got.Value(key)
		if diff := cmp.Diff(a, b); diff != "" {
			t.Errorf("%s: %s", key, diff)
		}
	}
	if diff := cmp.Diff(want.Tensors(), got.Tensors(), cmp.Comparer(bytes.Equal)); diff != "" {
		t.Fatal(diff)
	}
}

func TestWriteThenParse(t *testing.T) {
	want := tiny(t)
	data := encode(t, want)
	got, err := gguf.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	same(t, want, got)
	if !bytes.Equal(data, encode(t, got)) {
		t.Error("writing what was read gives other bytes")
	}
	for i, tensor := range got.Tensors() {
		if at := bytes.Index(data, tensor.Data); at%64 != 0 {
			t.Errorf("tensor %d begins at %d, which is not aligned to 64", i, at)
		}
		if byName, ok := got.Tensor(tensor.Name); !ok || byName != tensor {
			t.Errorf("tensor %s is not found by its name", tensor.Name)
		}
	}
	// The data are the input, not a copy of it.
	first := got.Tensors()[0]
	first.Data[0] ^= 0xff
	again, err := gguf.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	if again.Tensors()[0].Data[0] != first.Data[0] {
		t.Error("the tensor's data were copied")
	}
	if _, ok := got.Tensor("absent"); ok {
		t.Error("an absent tensor was found")
	}
}

func TestVersion2AndEmpty(t *testing.T) {
	data := encode(t, tiny(t))
	data[4] = 2
	if _, err := gguf.Parse(data); err != nil {
		t.Errorf("version 2: %v", err)
	}
	empty, err := gguf.Parse(encode(t, &gguf.File{}))
	if err != nil || len(empty.Keys()) != 0 || len(empty.Tensors()) != 0 {
		t.Errorf("empty file: %v, %v", empty, err)
	}
}

func TestGetters(t *testing.T) {
	f := tiny(t)
	for key, want := range map[string]uint64{"u8": 255, "u16": 65535, "general.alignment": 64, "u64": math.MaxUint64} {
		if got, ok := f.Uint(key); !ok || got != want {
			t.Errorf("Uint(%q) = %d, %v; want %d", key, got, ok, want)
		}
	}
	for _, key := range []string{"i8", "i16", "i32", "i64", "f32", "yes", "absent", "au8"} {
		if _, ok := f.Uint(key); ok {
			t.Errorf("Uint(%q) succeeded", key)
		}
	}
	if v, ok := f.Float("f32"); !ok || v != float64(float32(1e-5)) {
		t.Errorf("Float(f32) = %v, %v", v, ok)
	}
	if v, ok := f.Float("f64"); !ok || v != math.Pi {
		t.Errorf("Float(f64) = %v, %v", v, ok)
	}
	if _, ok := f.Float("u8"); ok {
		t.Error("Float(u8) succeeded")
	}
	if v, ok := f.String("general.architecture"); !ok || v != "llama" {
		t.Errorf("String = %q, %v", v, ok)
	}
	if v, ok := f.Bool("yes"); !ok || !v {
		t.Errorf("Bool = %v, %v", v, ok)
	}
}

// TestLists: every element comes out of its place, and nothing of another kind.
func TestLists(t *testing.T) {
	f := tiny(t)
	long := make([]string, 50)
	for i := range long {
		long[i] = strings.Repeat("é", i%5)
	}
	if err := errors.Join(f.Set("long", long), f.Set("none", []string{})); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string][]string{"astr": {"a", "", "\u2581b"}, "long": long, "none": nil} {
		list, _ := f.List(key)
		texts, ok := list.Texts()
		if !ok || texts.Len() != len(want) || list.Len() != len(want) {
			t.Fatalf("%s has %d texts, want %d", key, list.Len(), len(want))
		}
		for i, text := range texts.All() {
			if string(text) != want[i] || string(texts.At(i)) != want[i] {
				t.Errorf("%s: text %d is %q and %q, want %q", key, i, text, texts.At(i), want[i])
			}
		}
		for range texts.All() {
			break // which must end it
		}
	}
	for key, want := range map[string][]float32{"af32": {0.5, -0.5}, "af64": {0.25}} {
		list, _ := f.List(key)
		for i := range want {
			if v, ok := list.Float(i); !ok || v != want[i] {
				t.Errorf("%s: element %d is %v, %v", key, i, v, ok)
			}
		}
	}
	for key, want := range map[string][]int64{
		"au8": {1, 2}, "ai8": {-1}, "au16": {1}, "ai16": {-1}, "au32": {1, 2, 3}, "ai32": {-1, 0}, "au64": {5}, "ai64": {-5},
	} {
		list, _ := f.List(key)
		for i := range want {
			if v, ok := list.Int(i); !ok || v != want[i] {
				t.Errorf("%s: element %d is %v, %v", key, i, v, ok)
			}
		}
	}
	if err := f.Set("au64", []uint64{math.MaxUint64}); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"au64", "astr", "af32"} {
		list, _ := f.List(key)
		if v, ok := list.Int(0); ok {
			t.Errorf("%s as an int64 is %d", key, v)
		}
	}
	for _, key := range []string{"au8", "astr"} {
		list, _ := f.List(key)
		if v, ok := list.Float(0); ok {
			t.Errorf("%s as a float32 is %v", key, v)
		}
	}
	if list, _ := f.List("au8"); func() bool { _, ok := list.Texts(); return ok }() {
		t.Error("numbers came out as texts")
	}
	if _, ok := f.List("u8"); ok || !f.Has("u8") || f.Has("absent") {
		t.Error("a number is a list, or a key is not known")
	}
}

// TestListsStayInPlace: an array is neither copied nor decoded when a file is read.
func TestListsStayInPlace(t *testing.T) {
	f := new(gguf.File)
	tokens, scores := make([]string, 1<<14), make([]float32, 1<<14)
	for i := range tokens {
		tokens[i] = fmt.Sprint(i)
	}
	if err := errors.Join(f.Set("tokens", tokens), f.Set("scores", scores)); err != nil {
		t.Fatal(err)
	}
	data := encode(t, f)
	if n := testing.AllocsPerRun(10, func() {
		if _, err := gguf.Parse(data); err != nil {
			t.Fatal(err)
		}
	}); n > 30 {
		t.Errorf("reading two long lists allocates %v times", n)
	}
	f, err := gguf.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	list, _ := f.List("tokens")
	texts, _ := list.Texts()
	_, from, _ := bytes.Cut(data, []byte("12344"))
	copy(from[bytes.IndexByte(from, '1'):], "abcde")
	if got := texts.At(12345); string(got) != "abcde" {
		t.Errorf("the text is a copy: %s", got)
	}
}

func TestReadsARealModel(t *testing.T) {
	data := modeltest.Open(t, "stories260K.gguf")
	f, err := gguf.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	if arch, _ := f.String("general.architecture"); arch != "llama" {
		t.Errorf("architecture %q", arch)
	}
	tokens, _ := f.List("tokenizer.ggml.tokens")
	scores, _ := f.List("tokenizer.ggml.scores")
	if tokens.Len() != 512 || scores.Len() != 512 {
		t.Errorf("%d tokens with %d scores, want 512 of each", tokens.Len(), scores.Len())
	}
	embd, ok := f.Tensor("token_embd.weight")
	if !ok {
		t.Fatal("no token_embd.weight")
	}
	if want := []uint64{64, 512}; cmp.Diff(want, embd.Dims) != "" || embd.Type != gguf.F32 || embd.Elements() != 64*512 {
		t.Errorf("token_embd.weight is %v %d, want F32 %d", embd.Type, embd.Dims, want)
	}
	row := make([]float32, 64)
	if err := gguf.Dequantize(row, embd.Type, embd.Data[:256]); err != nil {
		t.Fatal(err)
	}
	again, err := gguf.Parse(encode(t, f))
	if err != nil {
		t.Fatal(err)
	}
	same(t, f, again)
	for cut := 0; cut < len(data); cut += 1 + cut/7 {
		if _, err := gguf.Parse(data[:cut]); !errors.Is(err, gguf.ErrFormat) {
			t.Fatalf("cut to %d bytes: %v, want an ErrFormat", cut, err)
		}
	}
}

// raw builds headers that the writer would refuse.
type raw struct{ b []byte }

func header(tensors, pairs uint64) *raw {
	r := &raw{[]byte("GGUF\x03\x00\x00\x00")}
	return r.u64(tensors).u64(pairs)
}
func (r *raw) u32(v uint32) *raw { r.b = binary.LittleEndian.AppendUint32(r.b, v); return r }
func (r *raw) u64(v uint64) *raw { r.b = binary.LittleEndian.AppendUint64(r.b, v); return r }
func (r *raw) str(s string) *raw { r.u64(uint64(len(s))); r.b = append(r.b, s...); return r }
func (r *raw) tensor(name string, typ uint32, offset uint64, dims ...uint64) *raw {
	r.str(name).u32(uint32(len(dims)))
	for _, d := range dims {
		r.u64(d)
	}
	return r.u32(typ).u64(offset)
}
func (r *raw) zeros(n int) []byte { return append(r.b, make([]byte, n)...) }

func TestRefusals(t *testing.T) {
	const big = uint64(1) << 62
	for _, tt := range []struct {
		name, want string
		kind       error
		data       []byte
	}{
		{"empty", "not a GGUF file: it is empty", nil, nil},
		{"foreign", `not a GGUF file: it begins with "PK\x03\x04", want "GGUF"`, nil, []byte("PK\x03\x04 and so on, long enough")},
		{"short", `not a GGUF file: it begins with "GG"`, nil, []byte("GG")},
		{"pointer", "a pointer of Git LFS", nil, []byte("version https://git-lfs.github.com/spec/v1\noid sha256:00")},
		{"version 1", "version 1, only 2 and 3", gguf.ErrUnsupported, []byte("GGUF\x01\x00\x00\x00")},
		{"version 4", "version 4, only 2 and 3", gguf.ErrUnsupported, []byte("GGUF\x04\x00\x00\x00")},
		{"big-endian", "big-endian", gguf.ErrUnsupported, []byte("GGUF\x00\x00\x00\x03")},
		{"cut version", "ends early: a number takes 4 bytes, 2 are left", gguf.ErrTruncated, []byte("GGUF\x03\x00")},
		{"tensor count", "claims 4611686018427387904 tensors", gguf.ErrTruncated, header(big, 0).zeros(1000)},
		{"key count", "claims 4611686018427387904 keys", gguf.ErrTruncated, header(0, big).zeros(1000)},
		{"key length", "a key takes 4611686018427387904 bytes", gguf.ErrTruncated, header(0, 1).u64(big).zeros(1000)},
		{"empty key", "empty, too long or not UTF-8", nil, header(0, 1).str("").u32(0).zeros(100)},
		{"key bytes", "not UTF-8", nil, header(0, 1).str("\xff").u32(0).zeros(100)},
		{"value type", `key "k" has unknown type 13`, nil, header(0, 1).str("k").u32(13).zeros(100)},
		{"string length", `value of key "k" takes`, gguf.ErrTruncated, header(0, 1).str("k").u32(8).u64(big).zeros(100)},
		{
			"array length", "claims 4611686018427387904 elements", gguf.ErrTruncated,
			header(0, 1).str("k").u32(9).u32(4).u64(big).zeros(1000),
		},
		{
			"array by one", "claims 26 elements, the file has room for 25", gguf.ErrTruncated,
			header(0, 1).str("k").u32(9).u32(4).u64(26).zeros(100),
		},
		{"array of arrays", "array of type 9", nil, header(0, 1).str("k").u32(9).u32(9).u64(1).zeros(100)},
		{"truth", "a truth value is 2", nil, append(header(0, 1).str("k").u32(7).b, 2)},
		{"twice", `key "k" occurs twice`, nil, header(0, 2).str("k").u32(4).u32(1).str("k").u32(4).u32(1).zeros(100)},
		{"alignment 0", "power of two", nil, header(0, 1).str("general.alignment").u32(4).u32(0).zeros(100)},
		{"alignment 48", "power of two", nil, header(0, 1).str("general.alignment").u32(4).u32(48).zeros(100)},
		{"alignment huge", "power of two", nil, header(0, 1).str("general.alignment").u32(4).u32(1 << 31).zeros(100)},
		{"alignment text", "power of two", nil, header(0, 1).str("general.alignment").u32(8).str("32").zeros(100)},
		{
			"Q2_K", `tensor "x" is Q2_K, which this engine does not read yet; it reads F32, F16, BF16, Q8_0, Q4_0, Q4_1,`,
			gguf.ErrUnsupported, header(1, 0).tensor("x", 10, 0, 256).zeros(1000),
		},
		{"removed type", `tensor "x" is Q4_2, which`, gguf.ErrUnsupported, header(1, 0).tensor("x", 4, 0, 256).zeros(1000)},
		{
			"ragged K row", "rows of 128 are not a multiple of Q6_K's block of 256", nil,
			header(1, 0).tensor("x", 14, 0, 128, 2).zeros(1000),
		},
		{"type", `tensor "x" is type 4096, which`, gguf.ErrUnsupported, header(1, 0).tensor("x", 4096, 0, 32).zeros(1000)},
		{"no name", "tensor name", nil, header(1, 0).tensor("", 0, 0, 32).zeros(1000)},
		{"no dims", "has 0 dimensions", nil, header(1, 0).tensor("x", 0, 0).zeros(1000)},
		{"five dims", "has 5 dimensions", nil, header(1, 0).tensor("x", 0, 0, 1, 1, 1, 1, 1).zeros(1000)},
		{"many dims", "has 4294967295 dimensions", nil, header(1, 0).str("x").u32(math.MaxUint32).zeros(1000)},
		{"zero dim", "impossible dimensions", nil, header(1, 0).tensor("x", 0, 0, 32, 0).zeros(1000)},
		{"product 2^64", "impossible dimensions", nil, header(1, 0).tensor("x", 0, 0, 1<<32, 1<<32).zeros(1000)},
		{"product 2^63", "impossible dimensions", nil, header(1, 0).tensor("x", 0, 0, 1<<32, 1<<31).zeros(1000)},
		{"bytes 2^64", "impossible dimensions", nil, header(1, 0).tensor("x", 0, 0, 1<<62).zeros(1000)},
		{"too large", `tensor "x" needs`, gguf.ErrTruncated, header(1, 0).tensor("x", 0, 0, 1<<40).zeros(1000)},
		{
			"ragged row", "rows of 33 are not a multiple of Q8_0's block of 32", nil,
			header(1, 0).tensor("x", 8, 0, 33).zeros(1000),
		},
		{
			"ragged row, even product", "rows of 16 are not a multiple", nil,
			header(1, 0).tensor("x", 8, 0, 16, 2).zeros(1000),
		},
		{"offset", "not a multiple of 32", nil, header(1, 0).tensor("x", 0, 4, 32).zeros(1000)},
		{
			"offset beyond", `tensor "x" needs 128 bytes at 4611686018427387904`, gguf.ErrTruncated,
			header(1, 0).tensor("x", 0, big, 32).zeros(1000),
		},
		{"offset wraps", "needs", gguf.ErrTruncated, header(1, 0).tensor("x", 0, math.MaxUint64-31, 32).zeros(1000)},
		{
			"name twice", `tensor "x" occurs twice`, nil,
			header(2, 0).tensor("x", 0, 0, 32).tensor("x", 0, 128, 32).zeros(1000),
		},
		{
			"overlap", `tensors "a" and "b" overlap`, nil,
			header(2, 0).tensor("b", 0, 96, 32).tensor("a", 0, 0, 32).zeros(1000),
		},
		{"same place", "overlap", nil, header(2, 0).tensor("b", 0, 0, 32).tensor("a", 0, 0, 32).zeros(1000)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			f, err := gguf.Parse(tt.data)
			runtime.ReadMemStats(&after)
			if f != nil || !errors.Is(err, gguf.ErrFormat) {
				t.Fatalf("Parse = %v, %v; want an ErrFormat", f, err)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %q does not say %q", err, tt.want)
			}
			for _, kind := range []error{gguf.ErrTruncated, gguf.ErrUnsupported} {
				if errors.Is(err, kind) != errors.Is(tt.kind, kind) {
					t.Errorf("error %q is %v: %v", err, kind, errors.Is(err, kind))
				}
			}
			if spent := after.TotalAlloc - before.TotalAlloc; spent > 1<<20 {
				t.Errorf("%d bytes of input made it allocate %d", len(tt.data), spent)
			}
		})
	}
}

// TestEdgeOfFile holds the comparison that admits a tensor: it may end with the
// file and not a byte later.
func TestEdgeOfFile(t *testing.T) {
	head := header(1, 0).tensor("x", 0, 0, 32).b
	body := (len(head)+31)/32*32 + 128
	data := slices.Concat(head, make([]byte, body-len(head)))
	if _, err := gguf.Parse(data); err != nil {
		t.Errorf("tensor that ends with the file: %v", err)
	}
	if _, err := gguf.Parse(data[:len(data)-1]); !errors.Is(err, gguf.ErrTruncated) {
		t.Errorf("tensor that ends a byte after the file: %v", err)
	}
	two := header(2, 0).tensor("a", 0, 0, 32).tensor("b", 0, 128, 32).zeros(512)
	if _, err := gguf.Parse(two); err != nil {
		t.Errorf("tensors that touch: %v", err)
	}
}

// TestEdgeOfEveryType: a tensor of any type may end with the file, not a byte later.
func TestEdgeOfEveryType(t *testing.T) {
	for _, tensor := range tiny(t).Tensors() {
		head := header(1, 0).tensor("x", uint32(tensor.Type), 0, tensor.Dims...).b
		data := slices.Concat(head, make([]byte, (32-len(head)%32)%32+len(tensor.Data)))
		if _, err := gguf.Parse(data); err != nil {
			t.Errorf("%v: %v", tensor.Type, err)
		}
		if _, err := gguf.Parse(data[:len(data)-1]); !errors.Is(err, gguf.ErrTruncated) {
			t.Errorf("%v, a byte short: %v", tensor.Type, err)
		}
	}
}

func TestNamed(t *testing.T) {
	for name, want := range map[string]gguf.Type{"f32": 0, "F16": 1, "q8_0": 8, "Q4_K": 12, "bf16": 30} {
		if got, ok := gguf.Named(name); !ok || got != want {
			t.Errorf("Named(%q) = %v, %v", name, got, ok)
		}
	}
	for _, name := range []string{"", "q2_k", "q4", "Q4_K_M"} {
		if got, ok := gguf.Named(name); ok {
			t.Errorf("Named(%q) = %v", name, got)
		}
	}
}

func TestBuilderRefuses(t *testing.T) {
	f := &gguf.File{}
	for name, err := range map[string]error{
		"struct":      f.Set("k", struct{}{}),
		"int":         f.Set("k", 1),
		"long key":    f.Set(strings.Repeat("k", 1<<16), uint8(1)),
		"alignment":   f.Set("general.alignment", uint32(7)),
		"short data":  f.Add(&gguf.Tensor{Name: "x", Type: gguf.F32, Dims: []uint64{4}, Data: make([]byte, 15)}),
		"long name":   f.Add(&gguf.Tensor{Name: strings.Repeat("x", 300), Type: gguf.F32, Dims: []uint64{1}, Data: make([]byte, 4)}),
		"short block": f.Add(&gguf.Tensor{Name: "x", Type: 14, Dims: []uint64{256}, Data: make([]byte, 209)}),
	} {
		if !errors.Is(err, gguf.ErrFormat) {
			t.Errorf("%s: %v, want an ErrFormat", name, err)
		}
	}
	tensor := &gguf.Tensor{Name: "x", Type: gguf.F32, Dims: []uint64{4}, Data: make([]byte, 16)}
	if err := f.Add(tensor); err != nil {
		t.Fatal(err)
	}
	if err := f.Add(tensor); !errors.Is(err, gguf.ErrFormat) {
		t.Errorf("a name twice: %v", err)
	}
	tensor.Data = tensor.Data[:8]
	if err := gguf.Write(&bytes.Buffer{}, f); !errors.Is(err, gguf.ErrFormat) {
		t.Errorf("a tensor that shrank: %v", err)
	}
	tensor.Data = tensor.Data[:16]
	for room := range 3 {
		w := &fullWriter{room: room}
		if err := gguf.Write(w, f); !errors.Is(err, errFull) && room < 2 {
			t.Errorf("a full disk after %d writes: %v", room, err)
		}
	}
}

var errFull = errors.New("disk full")

type fullWriter struct{ room int }

func (w *fullWriter) Write(b []byte) (int, error) {
	if w.room--; w.room < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func FuzzParse(f *testing.F) {
	f.Add(encode(f, tiny(f)))
	f.Add(encode(f, &gguf.File{}))
	f.Add(header(1, 0).tensor("x", 0, 0, 32).zeros(256))
	f.Add(header(2, 0).tensor("b", 8, 96, 32, 2).tensor("a", 2, 0, 32).zeros(300))
	f.Add(header(2, 0).tensor("k", 12, 0, 256).tensor("six", 14, 160, 256).zeros(600))
	f.Add(header(1, 0).tensor("five", 7, 0, 64, 2).zeros(200))
	f.Add(header(0, 1).str("k").u32(9).u32(8).u64(2).str("a").str("b").b)
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := gguf.Parse(data)
		if err != nil {
			if !errors.Is(err, gguf.ErrFormat) || strings.ContainsAny(err.Error(), "\n\r") || len(err.Error()) > 1000 {
				t.Fatalf("error %q is not a short line of ErrFormat", err)
			}
			return
		}
		total := 0
		for _, tensor := range file.Tensors() {
			total += len(tensor.Data)
			if n := tensor.Elements(); n <= 1<<16 {
				if err := gguf.Dequantize(make([]float32, n), tensor.Type, tensor.Data); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, key := range file.Keys() {
			list, ok := file.List(key)
			if v, _ := file.Value(key); ok && reflect.ValueOf(v).Len() != list.Len() {
				t.Fatalf("a list of %d elements is %v", list.Len(), v)
			}
			if texts, ok := list.Texts(); ok {
				for i, text := range texts.All() {
					if !bytes.Equal(text, texts.At(i)) {
						t.Fatalf("text %d is %q and %q", i, text, texts.At(i))
					}
				}
			}
		}
		if total > len(data) {
			t.Fatalf("%d bytes of tensors in a file of %d", total, len(data))
		}
		var b bytes.Buffer
		if err := gguf.Write(&b, file); err != nil {
			t.Fatal(err)
		}
		again, err := gguf.Parse(b.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		var c bytes.Buffer
		if err := gguf.Write(&c, again); err != nil || !bytes.Equal(b.Bytes(), c.Bytes()) {
			t.Fatalf("a second round gives other bytes (%v)", err)
		}
	})
}

func Example() {
	f := &gguf.File{}
	_ = f.Set("general.architecture", "llama")
	data, _ := gguf.Quantize(gguf.Q8_0, make([]float32, 64))
	_ = f.Add(&gguf.Tensor{Name: "output.weight", Type: gguf.Q8_0, Dims: []uint64{32, 2}, Data: data})
	var b bytes.Buffer
	_ = gguf.Write(&b, f)

	read, err := gguf.Parse(b.Bytes())
	if err != nil {
		fmt.Println(err)
		return
	}
	arch, _ := read.String("general.architecture")
	for _, t := range read.Tensors() {
		fmt.Println(arch, t.Name, t.Type, t.Dims, len(t.Data))
	}
	_, err = gguf.Parse(b.Bytes()[:150])
	fmt.Println(err)
	// Output:
	// llama output.weight Q8_0 [32 2] 68
	// gguf: tensor "output.weight" needs 68 bytes at 0, the file has 22
}
