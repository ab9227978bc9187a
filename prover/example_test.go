package prover_test

import (
	"context"
	"fmt"
	"iter"
	"net/http/httptest"
	"net/netip"

	"targon"
	"targon/prover"
	"targon/sign"
	"targon/wire/ask"
	"targon/wire/epistula"
)

// parrot answers with the prompt.
type parrot struct{}

func (parrot) Generate(_ context.Context, r targon.Request) iter.Seq2[targon.Token, error] {
	return func(yield func(targon.Token, error) bool) {
		for _, id := range r.Prompt {
			if !yield(targon.Token{ID: id}, nil) {
				return
			}
		}
	}
}

func Example() {
	verifier, _ := sign.FromSeed(targon.Secret{1})
	self, _ := sign.FromSeed(targon.Secret{2})
	p, err := prover.New(prover.Config{
		Key: self, Engine: parrot{}, Weights: targon.Digest{42},
		Access: epistula.AccessFunc(func(targon.Hotkey) error { return nil }),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	server := httptest.NewServer(p.Handler())
	defer server.Close()

	client := ask.New(ask.Config{Key: verifier, AllowPrivate: true})
	defer client.Close()
	neuron := targon.Neuron{Hotkey: self.Hotkey(), Axon: netip.MustParseAddrPort(server.Listener.Addr().String())}
	request := targon.Request{
		Verifier: verifier.Hotkey(), Prover: self.Hotkey(), Model: "parrot", Weights: targon.Digest{42},
		Prompt: []targon.TokenID{7, 8, 9}, MaxTokens: 3,
	}
	x, err := client.Ask(context.Background(), neuron, request, nil)
	fmt.Println(x.Status, x.Transcript.Tokens, x.Transcript.Receipt.Finish, err)
	r := x.Transcript.Receipt
	fmt.Println(sign.Verify(self.Hotkey(), r.Message(), r.Signature))
	// Output:
	// complete [7 8 9] length <nil>
	// <nil>
}
