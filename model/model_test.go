package model_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"testing"

	"targon/engine/native"
	"targon/model"
)

func TestFileIsTheOneThatIsNamed(t *testing.T) {
	sum := sha256.Sum256(model.GGUF())
	if got := hex.EncodeToString(sum[:]); got != model.SHA256 {
		t.Errorf("sha256 of the file is %s, want %s", got, model.SHA256)
	}
	m, err := native.Load(model.GGUF())
	if err != nil {
		t.Fatal(err)
	}
	if m.Name() != model.Name {
		t.Errorf("the file calls itself %q, want %q", m.Name(), model.Name)
	}
}

func Example() {
	m, err := native.Load(model.GGUF())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(m.Name(), m.Vocab(), m.Context(), m.Parameters() > 3_500_000)
	// Output: targon-tiny-1 2048 512 true
}
