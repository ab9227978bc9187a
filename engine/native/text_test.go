package native_test

import (
	"slices"
	"testing"

	"targon"
	"targon/engine/enginetest"
	"targon/engine/native"
	"targon/engine/native/chat"
	"targon/engine/native/gguf"
)

// TestByteLevelText: a file with a byte-level vocabulary has words, a template and
// ends like any other.
func TestByteLevelText(t *testing.T) {
	data, err := enginetest.RandomModel(enginetest.Tiny())
	if err != nil {
		t.Fatal(err)
	}
	f, err := gguf.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	for key, value := range map[string]any{
		"tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "llama-bpe",
		"tokenizer.ggml.tokens":     []string{"h", "i", "Ġ", "hi", "<|begin|>", "<|end|>", "Ċ"},
		"tokenizer.ggml.token_type": []int32{1, 1, 1, 1, 3, 3, 1}, "tokenizer.ggml.merges": []string{"h i"},
		"tokenizer.ggml.bos_token_id": uint32(4), "tokenizer.ggml.eos_token_id": uint32(5),
		"tokenizer.chat_template": "{{ bos_token }}{% for m in messages %}{{ m.content }}{{ eos_token }}{% endfor %}{{ '\n' }}",
	} {
		if err := f.Set(key, value); err != nil {
			t.Fatal(err)
		}
	}
	m, err := native.Load(encode(t, f))
	if err != nil || m.TextError() != nil {
		t.Fatal(err, m.TextError())
	}
	if ids := m.Encode("hi hi<|end|>", true); !slices.Equal(ids, []targon.TokenID{4, 3, 2, 3}) {
		t.Errorf("encoded as %d", ids)
	}
	ids, err := m.Render([]chat.Message{{Role: "user", Content: "hi"}})
	if err != nil || !slices.Equal(ids, []targon.TokenID{4, 3, 5, 6}) {
		t.Errorf("rendered as %d, %v", ids, err)
	}
	if ends := m.EOS(); !slices.Equal(ends, []targon.TokenID{5}) {
		t.Errorf("ends %d", ends)
	}
	d := m.Decoder()
	if text := d.Add(3) + d.Add(2) + d.Add(5) + d.Flush(); text != "hi " {
		t.Errorf("decoded as %q", text)
	}
}
