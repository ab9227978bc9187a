package proof_test

import (
	"fmt"

	"targon"
	"targon/proof"
	"targon/sign"
)

// A prover signs an honest answer, then one in which it changed a single id. The
// verifier never runs the model itself here: it asks a reference for scores.
func Example() {
	key, err := sign.FromSeed(targon.Secret{7})
	if err != nil {
		fmt.Println(err)
		return
	}
	request := ask(key, 1, 1, 16)
	ids, finish := standard.generate(request)

	for _, claim := range []struct {
		name   string
		change targon.TokenID
	}{{"honest", 0}, {"one id changed", 1}} {
		claimed := append([]targon.TokenID{}, ids...)
		claimed[3] = (claimed[3] + claim.change) % vocab
		receipt := targon.ReceiptFor(request, claimed, finish)
		if receipt.Signature, err = key.Sign(receipt.Message()); err != nil {
			fmt.Println(err)
			return
		}
		t := targon.Transcript{Request: request, Tokens: claimed, Receipt: receipt}

		verdict, need, ok := proof.Precheck(t, proof.Model{Vocab: vocab})
		if ok {
			scores := standard.score(request, claimed, need)
			var wanted proof.Ask
			if verdict, wanted = proof.Judge(t, scores, nil); wanted.Confirm {
				again := standard.portable().score(request, claimed, wanted.Need)
				verdict, _ = proof.Judge(t, scores, &again)
			}
		}
		fmt.Printf("%s: %v, %v, evidence %v\n", claim.name, verdict.Outcome, verdict.Reason, verdict.Mismatch())
	}
	// Output:
	// honest: passed, equal, evidence false
	// one id changed: failed, mismatch, evidence true
}
