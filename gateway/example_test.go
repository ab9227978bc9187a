package gateway_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"targon/gateway"
)

// A user asks, by the protocol that OpenAI's clients speak.
func Example() {
	network := newNet(script{text: "Once upon a time.\x00"})
	g := gateway.New(network.config())

	r := httptest.NewRequest(http.MethodPost, "/v1/chat/completions",
		strings.NewReader(`{"model":"tiny","messages":[{"role":"user","content":"Tell me a story."}]}`))
	r.Header.Set("Authorization", "Bearer "+goodKey)
	w := httptest.NewRecorder()
	g.Handler().ServeHTTP(w, r)

	var answer struct {
		Choices []struct {
			Message struct{ Content string }
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(w.Code, answer.Choices[0].Message.Content)
	fmt.Println("receipt given:", w.Header().Get("X-Targon-Receipt") != "")
	// Output:
	// 200 Once upon a time.
	// receipt given: true
}
