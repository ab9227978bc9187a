package madeup_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"testing"

	"targon/engine/native/gguf"
	"targon/engine/native/madeup"
)

// TestSameBytes pins the generator: golden logits of random models depend on it.
func TestSameBytes(t *testing.T) {
	data, err := madeup.Model(madeup.Shape{
		Arch: "qwen3", Dim: 64, FFN: 96, Layers: 2, Heads: 4, KVHeads: 2, Head: 16, Vocab: 300, Context: 64,
		Type: gguf.Q8_0, Untied: true, Seed: 5,
	})
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	if got, want := hex.EncodeToString(sum[:]), "6348cd4c13c2e7f4062d9d0287f16706b0ff632fa3bb1184667b3211fd2c8d3c"; got != want {
		t.Errorf("the file hashes to %s, want %s", got, want)
	}
}

// TestRefused: a row that does not fill a type's blocks cannot be stored.
func TestRefused(t *testing.T) {
	if _, err := madeup.Model(madeup.Shape{Dim: 40, FFN: 52, Layers: 1, Heads: 1, KVHeads: 1, Head: 40, Vocab: 301, Context: 8, Type: gguf.Q8_0}); err == nil {
		t.Error("rows of 40 are stored in blocks of 32")
	}
}

func Example() {
	data, err := madeup.Model(madeup.Shape{
		Dim: 32, FFN: 64, Layers: 1, Heads: 2, KVHeads: 1, Head: 16, Vocab: 300, Context: 64, Type: gguf.F16,
	})
	fmt.Println(string(data[:4]), err)
	// Output: GGUF <nil>
}
