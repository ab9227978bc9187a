package ask_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"

	"targon"
	"targon/sign"
	"targon/wire/ask"
)

func Example() {
	verifier, _ := sign.FromSeed(targon.Secret{1})
	// A prover that streams one id and then hangs up, without a receipt.
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "data: {\"id\":17,\"text\":\" river\"}\n\n")
	}))
	defer server.Close()

	client := ask.New(ask.Config{Key: verifier, AllowPrivate: true})
	defer client.Close()
	neuron := targon.Neuron{Hotkey: targon.Hotkey{2}, Axon: netip.MustParseAddrPort(server.Listener.Addr().String())}
	request := targon.Request{
		Verifier: verifier.Hotkey(), Prover: neuron.Hotkey, Model: "m", Prompt: []targon.TokenID{1}, MaxTokens: 8,
	}
	x, err := client.Ask(context.Background(), neuron, request, func(t targon.Token) error {
		fmt.Printf("%d %q\n", t.ID, t.Text)
		return nil
	})
	fmt.Println(x.Status, x.Detail, err)
	// Output:
	// 17 " river"
	// incomplete malformed stream: no receipt <nil>
}
