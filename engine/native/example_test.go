package native_test

import (
	"context"
	"fmt"

	"targon"
	"targon/engine/enginetest"
	"targon/engine/native"
)

// Example generates an answer as a prover does and checks it as a verifier does.
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
	r := targon.Request{Prompt: m.Encode("hello", true), MaxTokens: 6, Sampling: targon.Sampling{Seed: 2}}
	var ids []targon.TokenID
	for token, err := range e.Generate(context.Background(), r) {
		if err != nil {
			fmt.Println(err)
			return
		}
		ids = append(ids, token.ID)
	}
	scores, err := e.Score(context.Background(), r, ids, targon.Need{Top: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range scores.Positions {
		fmt.Print(p.Claimed == p.Top[0], " ") // temperature 0: the highest logit was drawn
	}
	// Output: true true true true true true
}
