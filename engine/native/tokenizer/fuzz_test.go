package tokenizer_test

import (
	"errors"
	"strings"
	"testing"

	"targon/engine/native/gguf"
	"targon/engine/native/tokenizer"
)

// FuzzNew reads vocabularies of any content: a refusal, or a tokenizer that works.
func FuzzNew(f *testing.F) {
	f.Add("gpt2", "llama-bpe", "a b ab Ġ", "a+b", []byte{1, 1, 1, 1}, uint32(0), "ab a")
	f.Add("llama", "", "<unk> <s> </s> a", "", []byte{2, 3, 3, 1}, uint32(1), "a</s>")
	f.Add("gpt2", "default", "a <0x41> 日 x", "", []byte{4, 6, 1, 5}, uint32(1<<32-1), "a日A")
	f.Fuzz(func(t *testing.T, model, pre, tokens, merges string, types []byte, named uint32, text string) {
		file := &gguf.File{}
		list := strings.Split(tokens, " ")
		kinds := make([]int32, len(types))
		for i, k := range types {
			kinds[i] = int32(k)
		}
		for key, value := range map[string]any{
			"model": model, "pre": pre, "tokens": list, "scores": make([]float32, len(list)), "token_type": kinds,
			"merges": strings.Split(strings.ReplaceAll(merges, "+", " "), ","), "bos_token_id": named, "unknown_token_id": named,
		} {
			if err := file.Set("tokenizer.ggml."+key, value); err != nil {
				return // such as text that is not UTF-8
			}
		}
		tok, err := tokenizer.New(file)
		if err != nil {
			if !errors.Is(err, tokenizer.ErrFormat) && !errors.Is(err, tokenizer.ErrUnsupported) {
				t.Fatalf("untyped error %v", err)
			}
			return
		}
		for i, id := range append(tok.Encode(text, false), tok.EncodeSpecial(text, true)...) {
			if id < 0 || int(id) >= tok.Vocab() {
				t.Fatalf("id %d is %d of %d", i, id, tok.Vocab())
			}
		}
		for _, id := range tok.Encode(text, false) {
			if kinds[id] == 3 || uint32(id) == named {
				t.Fatalf("plain text %q became the control token %d", text, id)
			}
		}
		tok.Decode(tok.Encode(text, true))
	})
}
