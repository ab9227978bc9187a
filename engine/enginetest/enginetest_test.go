package enginetest_test

import (
	"context"
	"fmt"
	"testing"

	"targon"
	"targon/engine/enginetest"
	"targon/engine/native"
)

// TestRandomModelStable: the bytes of a shape never change, or golden logits would.
func TestRandomModelStable(t *testing.T) {
	a, err := enginetest.RandomModel(enginetest.Tiny())
	if err != nil {
		t.Fatal(err)
	}
	b, err := enginetest.RandomModel(enginetest.Tiny())
	if err != nil || string(a) != string(b) {
		t.Fatalf("one shape, two files (%v)", err)
	}
}

// Example runs a made-up model.
func Example() {
	data, _ := enginetest.RandomModel(enginetest.Tiny())
	m, _ := native.Load(data)
	e, _ := native.New(m, native.Options{Kernel: "portable"})
	r := enginetest.Request(enginetest.Info{Prompt: m.Encode("abc", true), Tokens: 5}, 1, 1)
	var ids []targon.TokenID
	for token, err := range e.Generate(context.Background(), r) {
		if err != nil {
			fmt.Println(err)
		}
		ids = append(ids, token.ID)
	}
	fmt.Println(ids)
	// Output: [220 27 78 221 181]
}
