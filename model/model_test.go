package model_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"testing"

	"targon/model"
)

func TestHash(t *testing.T) {
	sum := sha256.Sum256(model.GGUF())
	if got := hex.EncodeToString(sum[:]); got != model.SHA256 {
		t.Errorf("tiny.gguf has hash %s, want %s", got, model.SHA256)
	}
}

func TestFileNamesItself(t *testing.T) {
	head := model.GGUF()[:4096]
	for _, want := range []string{"general.name", model.Name} {
		if !bytes.Contains(head, []byte(want)) {
			t.Errorf("the head of the file does not hold %q", want)
		}
	}
}

func ExampleGGUF() {
	file := model.GGUF()
	fmt.Printf("%s %s version %d\n", model.Name, file[:4], file[4])
	// Output: targon-tiny-1 GGUF version 3
}
