// Package madeup makes model files of any shape with random weights, for tests and for
// measurements of speed, which does not depend on what the weights say.
//
// It trains nothing and runs nothing: what such a model says is gibberish.
//
// Invariant: the same shape gives the same bytes on every machine.
package madeup

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"

	"targon/engine/native/gguf"
)

// Shape describes a model to make up.
type Shape struct {
	// Arch is what general.architecture says: "llama" when empty, or "qwen2", "qwen3",
	// "gemma2", "gemma3".
	Arch string
	// Window is how many positions a layer with a sliding window sees; 0 leaves the key out.
	Window               int
	Dim, FFN, Layers     int
	Heads, KVHeads, Head int
	Vocab, Context       int
	Type                 gguf.Type // of the matrices
	Untied               bool      // with an output matrix of its own
	NoText               bool      // without a tokenizer
	Seed                 uint64
}

// Model returns a GGUF file of a shape with random weights. It answers in gibberish of high entropy, has a
// byte-level vocabulary with the pieces "a" to "z" and made-up words, and ids 1 and 2
// begin and end a text.
func Model(s Shape) ([]byte, error) {
	b := &builder{rng: rand.New(rand.NewPCG(s.Seed, 99)), file: new(gguf.File), typ: s.Type}
	if s.Arch == "" {
		s.Arch = "llama"
	}
	b.metadata(s)
	if !s.NoText {
		b.vocabulary(s.Vocab)
	}
	b.matrix("token_embd.weight", s.Dim, s.Vocab, 1)
	b.vector("output_norm.weight", s.Dim)
	if s.Untied {
		b.matrix("output.weight", s.Dim, s.Vocab, 4/math.Sqrt(float64(s.Dim)))
	}
	for i := range s.Layers {
		name := func(n string) string { return fmt.Sprintf("blk.%d.%s.weight", i, n) }
		in, q, kv := 1.7/math.Sqrt(float64(s.Dim)), s.Heads*s.Head, s.KVHeads*s.Head
		b.vector(name("attn_norm"), s.Dim)
		b.matrix(name("attn_q"), s.Dim, q, 2*in)
		b.matrix(name("attn_k"), s.Dim, kv, 2*in)
		b.matrix(name("attn_v"), s.Dim, kv, in)
		b.matrix(name("attn_output"), q, s.Dim, 1.7/math.Sqrt(float64(q)))
		b.vector(name("ffn_norm"), s.Dim)
		b.matrix(name("ffn_gate"), s.Dim, s.FFN, in)
		b.matrix(name("ffn_up"), s.Dim, s.FFN, in)
		b.matrix(name("ffn_down"), s.FFN, s.Dim, 1.7/math.Sqrt(float64(s.FFN)))
		b.peculiar(s, i)
	}
	if b.err != nil {
		return nil, b.err
	}
	var out bytes.Buffer
	err := gguf.Write(&out, b.file)
	return out.Bytes(), err
}

// peculiar adds the tensors of a layer that a Llama does not have.
func (b *builder) peculiar(s Shape, i int) {
	name := func(n string) string { return fmt.Sprintf("blk.%d.%s", i, n) }
	if s.Arch == "qwen2" {
		b.vector(name("attn_q.bias"), s.Heads*s.Head)
		b.vector(name("attn_k.bias"), s.KVHeads*s.Head)
		b.vector(name("attn_v.bias"), s.KVHeads*s.Head)
	}
	if s.Arch == "qwen3" || s.Arch == "gemma3" {
		b.vector(name("attn_q_norm.weight"), s.Head)
		b.vector(name("attn_k_norm.weight"), s.Head)
	}
	if s.Arch == "gemma2" || s.Arch == "gemma3" {
		b.vector(name("post_attention_norm.weight"), s.Dim)
		b.vector(name("post_ffw_norm.weight"), s.Dim)
	}
}

type builder struct {
	rng  *rand.Rand
	file *gguf.File
	typ  gguf.Type
	err  error
}

func (b *builder) note(err error) {
	if b.err == nil && err != nil {
		b.err = err
	}
}

func (b *builder) metadata(s Shape) {
	b.note(b.file.Set("general.architecture", s.Arch))
	b.note(b.file.Set("general.name", "random"))
	for _, kv := range []struct {
		key   string
		value int
	}{
		{"context_length", s.Context},
		{"embedding_length", s.Dim},
		{"block_count", s.Layers},
		{"feed_forward_length", s.FFN},
		{"attention.head_count", s.Heads},
		{"attention.head_count_kv", s.KVHeads},
		{"attention.key_length", s.Head},
		{"attention.value_length", s.Head},
		{"rope.dimension_count", s.Head},
	} {
		b.note(b.file.Set(s.Arch+"."+kv.key, uint32(kv.value)))
	}
	b.note(b.file.Set(s.Arch+".attention.layer_norm_rms_epsilon", float32(1e-5)))
	b.note(b.file.Set(s.Arch+".rope.freq_base", float32(10000)))
	if s.Window > 0 {
		b.note(b.file.Set(s.Arch+".attention.sliding_window", uint32(s.Window)))
	}
}

// vocabulary makes SentencePiece-style tokens: unknown, begin, end, 256 bytes, pieces.
func (b *builder) vocabulary(n int) {
	tokens, types := []string{"<unk>", "<s>", "</s>"}, []int32{2, 3, 3}
	for i := range 256 {
		tokens, types = append(tokens, fmt.Sprintf("<0x%02X>", i)), append(types, 6)
	}
	for i := 0; len(tokens) < n; i++ {
		piece := "\u2581" + fmt.Sprintf("w%d", i)
		if i < 26 {
			piece = string(rune('a' + i))
		} else if i == 26 {
			piece = "\u2581"
		}
		tokens, types = append(tokens, piece), append(types, 1)
	}
	scores := make([]float32, n)
	for i := range scores {
		scores[i] = -float32(i)
	}
	b.note(b.file.Set("tokenizer.ggml.model", "llama"))
	b.note(b.file.Set("tokenizer.ggml.tokens", tokens[:n]))
	b.note(b.file.Set("tokenizer.ggml.scores", scores))
	b.note(b.file.Set("tokenizer.ggml.token_type", types[:n]))
	b.note(b.file.Set("tokenizer.ggml.bos_token_id", uint32(1)))
	b.note(b.file.Set("tokenizer.ggml.eos_token_id", uint32(2)))
}

// uniform returns a number in [-1, 1) that needs no library function.
func (b *builder) uniform() float32 { return float32(int32(b.rng.Uint32()>>8)-1<<23) * 0x1p-23 }

func (b *builder) vector(name string, n int) {
	data := make([]byte, 0, 4*n)
	for range n {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(1+b.uniform()/4))
	}
	b.note(b.file.Add(&gguf.Tensor{Name: name, Type: gguf.F32, Dims: []uint64{uint64(n)}, Data: data}))
}

func (b *builder) matrix(name string, cols, rows int, scale float64) {
	values := make([]float32, rows*cols)
	for i := range values {
		values[i] = b.uniform() * float32(scale)
	}
	data, err := gguf.Quantize(b.typ, values)
	b.note(err)
	if err == nil {
		b.note(b.file.Add(&gguf.Tensor{Name: name, Type: b.typ, Dims: []uint64{uint64(cols), uint64(rows)}, Data: data}))
	}
}
