package serve_test

import (
	"fmt"
	"net/http/httptest"
	"strings"

	"targon/engine/enginetest"
	"targon/engine/native"
	"targon/engine/native/serve"
)

// Example scores two ids after a prompt of one: what a verifier asks of its reference.
func Example() {
	data, err := enginetest.RandomModel(enginetest.Tiny())
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := native.Load(data)
	if err != nil {
		fmt.Println(err)
		return
	}
	e, err := native.New(m, native.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	h := serve.New(serve.Config{Model: m, Engine: e, Name: "tiny"}).Handler()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("POST", "/v1/completions", strings.NewReader(
		`{"model":"tiny","prompt":[1,264,265],"max_tokens":0,"prompt_logprobs":0}`)))
	_, rows, _ := strings.Cut(w.Body.String(), `"prompt_logprobs":`)
	fmt.Println(w.Code, strings.Count(rows, "decoded_token"), strings.HasPrefix(rows, "[null,"))
	// Output: 200 2 true
}
