package native_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"targon"
	"targon/engine/enginetest"
	"targon/engine/native"
	"targon/engine/native/chat"
	"targon/engine/native/gguf"
)

func encode(t testing.TB, f *gguf.File) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := gguf.Write(&b, f); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// lacking copies a file but for a key.
func lacking(t *testing.T, f *gguf.File, key string) *gguf.File {
	t.Helper()
	out := new(gguf.File)
	for _, k := range f.Keys() {
		if v, _ := f.Value(k); k != key {
			if err := out.Set(k, v); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, tensor := range f.Tensors() {
		if err := out.Add(tensor); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// TestLoadRefuses changes one thing at a time in a sound file.
func TestLoadRefuses(t *testing.T) {
	data, err := enginetest.RandomModel(enginetest.Tiny())
	if err != nil {
		t.Fatal(err)
	}
	set := func(key string, v any) func(*gguf.File) error {
		return func(f *gguf.File) error { return f.Set(key, v) }
	}
	for name, c := range map[string]struct {
		change func(*gguf.File) error
		want   error
		says   string
	}{
		"architecture":   {set("general.architecture", "gpt2"), native.ErrUnsupported, `"gpt2", those run are gemma2, gemma3, llama, qwen2, qwen3`},
		"no layers":      {set("llama.block_count", uint32(0)), native.ErrModel, "block_count is 0"},
		"many layers":    {set("llama.block_count", uint32(1<<30)), native.ErrModel, "block_count"},
		"one more layer": {set("llama.block_count", uint32(4)), native.ErrModel, "blk.3.attn_norm.weight is missing"},
		"one layer less": {set("llama.block_count", uint32(2)), native.ErrUnsupported, "blk.2."},
		"text as number": {set("llama.embedding_length", "40"), native.ErrModel, "embedding_length"},
		"wrong width":    {set("llama.embedding_length", uint32(48)), native.ErrModel, "has shape"},
		"no heads":       {set("llama.attention.head_count", uint32(0)), native.ErrModel, "head_count is 0"},
		"uneven heads":   {set("llama.attention.head_count_kv", uint32(4)), native.ErrModel, "llama.attention.head_count_kv of 4 does not divide"},
		"uneven width": {func(f *gguf.File) error {
			*f = *lacking(t, f, "llama.attention.key_length")
			return f.Set("llama.attention.head_count", uint32(3))
		}, native.ErrModel, "llama.embedding_length is 40, which llama.attention.head_count of 3 does not divide"},
		"part of a file":  {set("split.count", uint16(2)), native.ErrUnsupported, "part 1 of 2: join them"},
		"one part":        {set("split.count", uint16(1)), nil, ""},
		"odd rotary":      {set("llama.rope.dimension_count", uint32(7)), native.ErrModel, "even number"},
		"long rotary":     {set("llama.rope.dimension_count", uint32(12)), native.ErrModel, "even number"},
		"value length":    {set("llama.attention.value_length", uint32(8)), native.ErrModel, "value_length"},
		"epsilon":         {set("llama.attention.layer_norm_rms_epsilon", float32(-1)), native.ErrModel, "epsilon"},
		"base":            {set("llama.rope.freq_base", float32(0)), native.ErrModel, "freq_base"},
		"experts":         {set("llama.expert_count", uint32(8)), native.ErrUnsupported, "experts"},
		"rotary scaling":  {set("llama.rope.scaling.type", "yarn"), native.ErrUnsupported, "yarn"},
		"negative length": {set("llama.context_length", int32(-5)), native.ErrModel, "context_length"},
		"bias": {func(f *gguf.File) error {
			return f.Add(&gguf.Tensor{Name: "blk.0.attn_q.bias", Type: gguf.F32, Dims: []uint64{1}, Data: make([]byte, 4)})
		}, native.ErrUnsupported, "attn_q.bias"},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := gguf.Parse(bytes.Clone(data))
			if err != nil {
				t.Fatal(err)
			}
			if err := c.change(f); err != nil {
				t.Fatal(err)
			}
			_, err = native.Load(encode(t, f))
			if c.want == nil {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v, want %v saying %q", err, c.want, c.says)
			}
		})
	}
	for _, n := range []int{0, 3, 100, len(data) / 2, len(data) - 1} {
		if _, err := native.Load(data[:n]); !errors.Is(err, gguf.ErrFormat) {
			t.Errorf("the first %d bytes: %v", n, err)
		}
	}
}

// TestWithoutText: a file without words loads and scores.
func TestWithoutText(t *testing.T) {
	shape := enginetest.Tiny()
	shape.NoText = true
	m := random(t, shape)
	if m.TextError() == nil || m.Encode("a", true) != nil || m.Decoder() != nil {
		t.Error("a file without a tokenizer pretends to have one")
	}
	if _, err := m.Render([]chat.Message{{Role: "user", Content: "hi"}}); !errors.Is(err, native.ErrNoTokenizer) {
		t.Errorf("render: %v", err)
	}
	enginetest.Run(t, func(t *testing.T) (enginetest.Engine, enginetest.Info) {
		return engine(t, m, native.Options{}), info(m, someIDs(5, m.Vocab()))
	})
}

func TestRender(t *testing.T) {
	data, err := enginetest.RandomModel(enginetest.Tiny())
	if err != nil {
		t.Fatal(err)
	}
	f, err := gguf.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := native.Load(data)
	if err != nil {
		t.Fatal(err)
	}
	messages := []chat.Message{{Role: "user", Content: "hi"}}
	if _, err := plain.Render(messages); !errors.Is(err, native.ErrNoTemplate) {
		t.Errorf("no template: %v", err)
	}
	if err := f.Set("tokenizer.chat_template", "{% for m in messages %}{{ m.content }}{{ eos_token }}{% endfor %}"); err != nil {
		t.Fatal(err)
	}
	m, err := native.Load(encode(t, f))
	if err != nil {
		t.Fatal(err)
	}
	ids, err := m.Render(messages)
	if err != nil || len(ids) < 3 || ids[0] != 1 || ids[len(ids)-1] != 2 {
		t.Errorf("rendered %v, %v: want begin, text, end", ids, err)
	}
	if err := f.Set("tokenizer.chat_template", "{% broken"); err != nil {
		t.Fatal(err)
	}
	broken, err := native.Load(encode(t, f))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := broken.Render(messages); !errors.Is(err, native.ErrNoTemplate) {
		t.Errorf("broken template: %v", err)
	}
}

// FuzzLoad: any bytes give a model that runs, or an error.
func FuzzLoad(f *testing.F) {
	shape := enginetest.Shape{
		Dim: 8, FFN: 12, Layers: 1, Heads: 2, KVHeads: 1, Head: 4, Vocab: 262, Context: 16, Type: gguf.F16, Seed: 1,
	}
	data, err := enginetest.RandomModel(shape)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add(data[:len(data)/2])
	shape.NoText, shape.Vocab, shape.Untied = true, 5, true
	if data, err = enginetest.RandomModel(shape); err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	shape.Untied, shape.Layers, shape.Window = false, 2, 3
	for _, shape.Arch = range []string{"llama", "qwen2", "qwen3", "gemma2", "gemma3"} {
		if data, err = enginetest.RandomModel(shape); err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := native.Load(data)
		if err != nil {
			return
		}
		if m.Parameters() > 1<<20 || m.Context() < 3 {
			return
		}
		r := targon.Request{Prompt: []targon.TokenID{0, 1, 1, 0, 1, 0}[:min(m.Context()-1, 6)], MaxTokens: 1}
		for _, err := range engine(t, m, native.Options{Threads: 1}).Generate(t.Context(), r) {
			if err != nil && !errors.Is(err, native.ErrNumeric) {
				t.Fatal(err)
			}
		}
	})
}
