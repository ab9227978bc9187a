package targon_test

import (
	"fmt"

	"targon"
	"targon/sign"
)

// The story of one request, without a network: who asks, what is promised, and
// what anybody can check afterwards.
func Example() {
	verifier, _ := sign.FromSeed(targon.Secret{1})
	prover, _ := sign.FromSeed(targon.Secret{2})
	request := targon.Request{
		Verifier: verifier.Hotkey(), Prover: prover.Hotkey(), Model: "fable", Weights: targon.ModelDigest(targon.Digest{3}, 1),
		Prompt: []targon.TokenID{1, 42}, Sampling: targon.Sampling{Temperature: 1, Seed: 7}, MaxTokens: 3,
	}

	// The prover streams ids, and commits to each of them as it goes.
	chain := targon.NewChain(request.Digest())
	answer := []targon.TokenID{310, 17, 99}
	for _, id := range answer {
		chain.Extend(id)
	}
	receipt := targon.Receipt{
		Request: request.Digest(), Chain: chain.Head(), Finish: targon.FinishLength, PromptTokens: 2, Tokens: chain.Len(),
	}
	receipt.Signature, _ = prover.Sign(receipt.Message())

	// Whoever holds the transcript can tell whether the receipt is about it.
	transcript := targon.Transcript{Request: request, Tokens: answer, Receipt: receipt}
	claimed := targon.ReceiptFor(transcript.Request, transcript.Tokens, receipt.Finish)
	fmt.Println(claimed.Digest() == receipt.Digest(), sign.Verify(prover.Hotkey(), receipt.Message(), receipt.Signature))

	transcript.Tokens[1] = 18 // an id that was never streamed
	claimed = targon.ReceiptFor(transcript.Request, transcript.Tokens, receipt.Finish)
	fmt.Println(claimed.Digest() == receipt.Digest())
	// Output:
	// true <nil>
	// false
}
