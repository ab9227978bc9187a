package modeltest_test

import (
	"fmt"

	"targon/engine/native/modeltest"
)

func Example() {
	// In a test: data := modeltest.Open(t, "stories260K.gguf")
	fmt.Println("models are found by", modeltest.Env)
	// Output: models are found by TARGON_TEST_MODELS
}
