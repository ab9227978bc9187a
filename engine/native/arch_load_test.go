package native_test

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"

	"targon/engine/enginetest"
	"targon/engine/native"
	"targon/engine/native/gguf"
)

// changed returns a file with one key set.
func changed(t *testing.T, data []byte, key string, v any) []byte {
	t.Helper()
	f, err := gguf.Parse(bytes.Clone(data))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Set(key, v); err != nil {
		t.Fatal(err)
	}
	return encode(t, f)
}

// without returns a file that lacks a tensor.
func without(t *testing.T, data []byte, tensor string) []byte {
	t.Helper()
	f, err := gguf.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	out := &gguf.File{}
	for _, key := range f.Keys() {
		v, _ := f.Value(key)
		if err := out.Set(key, v); err != nil {
			t.Fatal(err)
		}
	}
	for _, x := range f.Tensors() {
		if x.Name == tensor {
			continue
		}
		if err := out.Add(x); err != nil {
			t.Fatal(err)
		}
	}
	return encode(t, out)
}

// TestFamiliesRefuse changes one key at a time in a sound file of each family.
func TestFamiliesRefuse(t *testing.T) {
	nan := float32(math.NaN())
	for _, c := range []struct {
		family, key string
		value       any
		want        error
	}{
		{"mistral", "llama.attention.sliding_window", uint32(0), native.ErrModel},
		{"mistral", "llama.attention.sliding_window", "7", native.ErrModel},
		{"mistral", "llama.attention.sliding_window", uint64(1 << 40), native.ErrModel},
		{"mistral", "llama.attention.sliding_window_pattern", uint32(2), native.ErrUnsupported},
		{"mistral", "llama.rope.scaling.type", uint32(1), native.ErrModel},
		{"mistral", "llama.rope.scaling.type", "longrope", native.ErrUnsupported},
		{"mistral", "llama.rope.scaling.factor", nan, native.ErrModel},
		{"mistral", "llama.rope.scaling.factor", float32(-2), native.ErrModel},
		{"mistral", "llama.rope.scaling.factor", float32(math.Inf(1)), native.ErrModel},
		{"mistral", "llama.rope.scaling.factor", float32(1e-9), native.ErrModel},
		{"mistral", "llama.rope.scaling.factor", "4", native.ErrModel},
		{"mistral", "llama.rope.scale_linear", float32(-1), native.ErrModel},
		{"mistral", "llama.rope.scaling.attn_factor", float32(1.2), native.ErrUnsupported},
		{"mistral", "llama.attention.scale", float32(0.1), native.ErrUnsupported},
		{"mistral", "llama.attention.clamp_kqv", float32(8), native.ErrUnsupported},
		{"mistral", "llama.attention.causal", false, native.ErrUnsupported},
		{"mistral", "llama.logit_scale", float32(16), native.ErrUnsupported},
		{"mistral", "llama.embedding_scale", float32(12), native.ErrUnsupported},
		{"mistral", "llama.residual_scale", float32(0.2), native.ErrUnsupported},
		{"mistral", "llama.final_logit_softcapping", float32(30), native.ErrUnsupported},
		{"qwen2", "qwen2.attention.sliding_window", uint32(100), native.ErrUnsupported},
		{"qwen2", "qwen2.rope.scaling.type", "yarn", native.ErrUnsupported},
		{"qwen2", "qwen2.expert_count", uint32(4), native.ErrUnsupported},
		{"qwen3", "qwen3.attention.sliding_window", uint32(100), native.ErrUnsupported},
		{"qwen3", "qwen3.attention.key_length", uint32(0), native.ErrModel},
		{"qwen3", "qwen3.attention.key_length", uint32(1 << 13), native.ErrModel},
		{"gemma2", "gemma2.attn_logit_softcapping", float32(0), native.ErrModel},
		{"gemma2", "gemma2.attn_logit_softcapping", nan, native.ErrModel},
		{"gemma2", "gemma2.final_logit_softcapping", float32(-1), native.ErrModel},
		{"gemma2", "gemma2.attention.sliding_window_pattern", uint32(0), native.ErrModel},
		{"gemma2", "gemma2.attention.sliding_window", uint32(0), native.ErrModel},
		{"gemma2", "gemma2.rope.freq_base_swa", float32(20000), native.ErrUnsupported},
		{"mistral", "llama.attention.temperature_scale", float32(0.1), native.ErrUnsupported},
		{"gemma3", "gemma3.attn_logit_softcapping", float32(50), native.ErrUnsupported},
		{"gemma3", "gemma3.final_logit_softcapping", float32(1e-9), native.ErrModel},
		{"gemma3", "gemma3.rope.freq_base_swa", float32(0), native.ErrModel},
		{"gemma3", "gemma3.attention.sliding_window_pattern", uint32(1 << 20), native.ErrModel},
		{"gemma3", "general.architecture", "gemma3n", native.ErrUnsupported},
	} {
		data, err := enginetest.RandomModel(families()[c.family])
		if err != nil {
			t.Fatal(err)
		}
		_, err = native.Load(changed(t, data, c.key, c.value))
		if says := c.key[strings.Index(c.key, ".")+1:]; !errors.Is(err, c.want) || errors.Is(c.want, native.ErrModel) && !strings.Contains(err.Error(), says) {
			t.Errorf("%s = %v: %v, want %v", c.key, c.value, err, c.want)
		}
	}
}

// TestFamiliesNeedTheirTensors: what an architecture has must be there, and what it does
// not have must not.
func TestFamiliesNeedTheirTensors(t *testing.T) {
	for family, names := range map[string][]string{
		"qwen2":  {"blk.1.attn_q.bias", "blk.0.attn_k.bias", "blk.2.attn_v.bias"},
		"qwen3":  {"blk.1.attn_q_norm.weight", "blk.2.attn_k_norm.weight"},
		"gemma2": {"blk.0.post_attention_norm.weight", "blk.1.post_ffw_norm.weight"},
		"gemma3": {"blk.6.attn_q_norm.weight", "blk.1.post_ffw_norm.weight"},
	} {
		data, err := enginetest.RandomModel(families()[family])
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if _, err := native.Load(without(t, data, name)); !errors.Is(err, native.ErrModel) || !strings.Contains(err.Error(), name) {
				t.Errorf("%s without %s: %v", family, name, err)
			}
		}
		f, err := gguf.Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		factors := &gguf.Tensor{Name: "rope_freqs.weight", Type: gguf.F32, Dims: []uint64{6}, Data: make([]byte, 24)}
		if err := f.Add(factors); err != nil {
			t.Fatal(err)
		}
		if _, err := native.Load(encode(t, f)); !errors.Is(err, native.ErrUnsupported) || !strings.Contains(err.Error(), factors.Name) {
			t.Errorf("%s with %s: %v", family, factors.Name, err)
		}
	}
}

// TestKeysMatter: each key that is read changes the logits, or the comparison with
// transformers would say nothing about it; and a key at its neutral value does not.
func TestKeysMatter(t *testing.T) {
	for _, c := range []struct {
		file, key string
		value     any
		matters   bool
	}{
		{"llama3", "llama.rope.freq_base", float32(501), true},
		{"llama3", "llama.rope.scaling.factor", float32(1), false},
		{"llama3", "llama.rope.scaling.type", "none", false},
		{"llama3", "llama.rope.scale_linear", float32(2), true},
		{"llama3", "llama.attention.sliding_window", uint32(39), true},
		{"llama3", "llama.attention.sliding_window", uint32(40), false},
		{"llama-linear", "llama.rope.scaling.factor", float32(4.1), true},
		{"llama-linear", "llama.rope.scaling.type", "none", true},
		{"mistral", "llama.attention.sliding_window", uint32(8), true},
		{"qwen2", "qwen2.rope.freq_base", float32(2e6), true},
		{"qwen2", "qwen2.attention.sliding_window", uint32(64), false}, // as long as the context
		{"qwen3", "qwen3.rope.freq_base", float32(2e6), true},
		{"gemma2", "gemma2.attention.sliding_window", uint32(8), true},
		{"gemma2", "gemma2.attention.sliding_window_pattern", uint32(2), false},
		{"gemma2", "gemma2.attention.sliding_window_pattern", uint32(3), true},
		{"gemma2", "gemma2.attn_logit_softcapping", float32(5), true},
		{"gemma2", "gemma2.final_logit_softcapping", float32(9), true},
		{"gemma3", "gemma3.rope.freq_base_swa", float32(10000), false},
		{"gemma3", "gemma3.rope.freq_base_swa", float32(12000), true},
		{"gemma3", "gemma3.rope.freq_base", float32(2e6), true},
		{"gemma3", "gemma3.rope.scaling.factor", float32(7), true},
		{"gemma3", "gemma3.attention.sliding_window_pattern", uint32(5), true},
		{"gemma3", "gemma3.final_logit_softcapping", float32(30), true},
		{"gemma3", "gemma3.final_logit_softcapping", float32(0), false},
	} {
		data := archFile(t, c.file+".gguf")
		var rows [2][]float32
		for i, d := range [][]byte{data, changed(t, data, c.key, c.value)} {
			m, err := native.Load(d)
			if err != nil {
				t.Fatalf("%s with %s = %v: %v", c.file, c.key, c.value, err)
			}
			rows[i] = logits(t, engine(t, m, native.Options{}), archCases(t)[0].IDs)
		}
		worst := 0.0
		for i, v := range rows[0] {
			worst = max(worst, math.Abs(float64(v)-float64(rows[1][i])))
		}
		if c.matters && worst < 1e-3 || !c.matters && worst != 0 {
			t.Errorf("%s with %s = %v: logits change by %v", c.file, c.key, c.value, worst)
		}
	}
}
