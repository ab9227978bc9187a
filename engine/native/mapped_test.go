package native_test

import (
	"crypto/sha256"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"targon"
	"targon/engine/enginetest"
	"targon/engine/native"
	"targon/engine/native/gguf"
	"targon/engine/native/kernel"
)

func modelFile(t testing.TB, s enginetest.Shape) (path string, data []byte) {
	t.Helper()
	data, err := enginetest.RandomModel(s)
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "model.gguf")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path, data
}

// TestOpenIsLoad: a mapped file gives the name, the digest and the bits of one in memory.
func TestOpenIsLoad(t *testing.T) {
	for _, typ := range []gguf.Type{gguf.F32, gguf.F16, gguf.Q8_0, gguf.Q4_K} {
		shape := wide()
		shape.Type = typ
		path, data := modelFile(t, shape)
		a, err := native.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		b, err := native.Load(data)
		if err != nil {
			t.Fatal(err)
		}
		if want := targon.ModelDigest(sha256.Sum256(data), kernel.Arith); a.Digest() != want || b.Digest() != want || a.Name() != b.Name() {
			t.Errorf("%v: %s %v, want %s %v", typ, a.Name(), a.Digest(), b.Name(), want)
		}
		ids := someIDs(9, 300)
		if !slices.Equal(logits(t, engine(t, a, native.Options{}), ids), logits(t, engine(t, b, native.Options{}), ids)) {
			t.Errorf("%v: a mapped file gives other logits", typ)
		}
	}
	if _, err := native.Open(filepath.Join(t.TempDir(), "none")); err == nil || !strings.Contains(err.Error(), "open model") {
		t.Errorf("absent file: %v", err)
	}
}

// held tells whether this process maps a file, by the system's own list.
func held(t *testing.T, path string) bool {
	t.Helper()
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Skipf("this system does not list mappings: %v", err)
	}
	return strings.Contains(string(maps), path)
}

// TestMappingOutlivesItsUses: the file stays mapped while an engine, a derived model or
// an answer in progress needs it, and goes afterwards.
func TestMappingOutlivesItsUses(t *testing.T) {
	shape := wide()
	path, data := modelFile(t, shape)
	ids := someIDs(9, 300)
	whole, err := native.Load(data)
	if err != nil {
		t.Fatal(err)
	}
	short, err := whole.WithoutLayer(0)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		of   *native.Model
		make func(*native.Model) (*native.Model, error)
	}{
		"as it is":      {whole, func(m *native.Model) (*native.Model, error) { return m, nil }},
		"without layer": {short, func(m *native.Model) (*native.Model, error) { return m.WithoutLayer(0) }},
		"rounded":       {whole, func(m *native.Model) (*native.Model, error) { return m.Requantized(gguf.F32) }},
	} {
		want := logits(t, engine(t, c.of, native.Options{}), ids)
		m, err := native.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if m, err = c.make(m); err != nil {
			t.Fatal(err)
		}
		e := engine(t, m, native.Options{})
		var got []float32
		err = e.Logits(t.Context(), ids, func(_ int, row []float32) error {
			runtime.GC()
			got = append(got, row...)
			return nil
		})
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: other logits than from memory (%v)", name, err)
		}
		if !held(t, path) {
			t.Errorf("%s: an engine in use lost its file", name)
		}
		e.Model().Digest() // the last that refers to the engine
		if !gone(t, path) {
			t.Errorf("%s: a forgotten model keeps its file", name)
		}
	}
}

// TestTextOutlivesTheModel: tokens are read where they lie in the file, which stays
// mapped as long as somebody decodes with them.
func TestTextOutlivesTheModel(t *testing.T) {
	path, data := modelFile(t, wide())
	whole, err := native.Load(data)
	if err != nil {
		t.Fatal(err)
	}
	m, err := native.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	decoder, want := m.Decoder(), whole.Decoder()
	runtime.KeepAlive(m) // the last that refers to the model
	for id := range targon.TokenID(whole.Vocab()) {
		if id%100 == 0 {
			runtime.GC()
			if !held(t, path) {
				t.Fatal("the file is no longer mapped")
			}
		}
		if got, want := decoder.Add(id), want.Add(id); got != want {
			t.Fatalf("token %d is %q, want %q", id, got, want)
		}
	}
	if runtime.KeepAlive(decoder); !gone(t, path) {
		t.Error("the file stays mapped")
	}
}

// gone waits until the collector has given a mapping back.
func gone(t *testing.T, path string) bool {
	t.Helper()
	for range 1000 {
		if runtime.GC(); !held(t, path) {
			return true
		}
	}
	return false
}

// holes writes long stretches as holes in a file, so that a gigabyte of zeros takes no
// disk.
type holes struct{ f *os.File }

func (h holes) Write(b []byte) (int, error) {
	if len(b) < 1<<16 {
		return h.f.Write(b)
	}
	_, err := h.f.Seek(int64(len(b)), io.SeekCurrent)
	return len(b), err
}

// gigabyte writes a model of a bit more than 1 GB in F16 or Q8_0: 0.53 or 0.99 G
// parameters, all zero.
func gigabyte(t testing.TB, matrices gguf.Type) string {
	t.Helper()
	const dim, ffn, vocab = 2048, 5632, 32000
	layers := map[gguf.Type]int{gguf.F16: 9, gguf.Q8_0: 19}[matrices]
	f := &gguf.File{}
	for key, v := range map[string]any{
		"general.architecture": "llama", "llama.block_count": uint32(layers), "llama.embedding_length": uint32(dim),
		"llama.feed_forward_length": uint32(ffn), "llama.attention.head_count": uint32(32), "llama.context_length": uint32(2048),
		"llama.attention.layer_norm_rms_epsilon": float32(1e-5),
	} {
		if err := f.Set(key, v); err != nil {
			t.Fatal(err)
		}
	}
	zeros := make([]byte, 2*dim*vocab)
	add := func(name string, typ gguf.Type, dims ...uint64) {
		x := &gguf.Tensor{Name: name, Type: typ, Dims: dims}
		size, _ := typ.Bytes(x.Elements())
		x.Data = zeros[:size]
		if err := f.Add(x); err != nil {
			t.Fatal(err)
		}
	}
	add("token_embd.weight", matrices, dim, vocab)
	add("output.weight", matrices, dim, vocab)
	add("output_norm.weight", gguf.F32, dim)
	for i := range layers {
		name := func(s string) string { return "blk." + strconv.Itoa(i) + "." + s + ".weight" }
		for _, s := range []string{"attn_q", "attn_k", "attn_v", "attn_output"} {
			add(name(s), matrices, dim, dim)
		}
		add(name("ffn_gate"), matrices, dim, ffn)
		add(name("ffn_up"), matrices, dim, ffn)
		add(name("ffn_down"), matrices, ffn, dim)
		add(name("attn_norm"), gguf.F32, dim)
		add(name("ffn_norm"), gguf.F32, dim)
	}
	path := filepath.Join(t.TempDir(), "gigabyte.gguf")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := gguf.Write(holes{file}, f); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestGigabyteIsReadyAtOnce: opening does not read the weights, let alone copy them.
func TestGigabyteIsReadyAtOnce(t *testing.T) {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		t.Skip("holes in files and mappings are tried on 64-bit Linux only")
	}
	for _, typ := range []gguf.Type{gguf.F16, gguf.Q8_0} {
		t.Run(typ.String(), func(t *testing.T) { readyAtOnce(t, gigabyte(t, typ)) })
	}
}

func readyAtOnce(t *testing.T, path string) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	m, err := native.Open(path)
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes, %d parameters: ready in %v", info.Size(), m.Parameters(), took)
	if info.Size() < 1e9 || took > 500*time.Millisecond {
		t.Errorf("%d bytes took %v, want a gigabyte in half a second", info.Size(), took)
	}
	if spent := after.TotalAlloc - before.TotalAlloc; spent > 4<<20 {
		t.Errorf("opening allocated %d bytes", spent)
	}
}

func BenchmarkOpenGigabyte(b *testing.B) {
	path := gigabyte(b, gguf.F16)
	for b.Loop() {
		if _, err := native.Open(path); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDigestGigabyte(b *testing.B) {
	path := gigabyte(b, gguf.F16)
	for b.Loop() {
		m, err := native.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		m.Digest()
	}
	b.SetBytes(1 << 30)
}
