package sign

import (
	"crypto/rand"

	"github.com/oasisprotocol/curve25519-voi/primitives/sr25519"

	"targon"
)

// Signed is one claim: that Key signed Message.
type Signed struct {
	Key       targon.Hotkey
	Message   []byte
	Signature targon.Signature
}

// VerifyAll checks many signatures at once, at about half the price of checking
// each. It returns nil if all verify; otherwise one slot for each claim, nil or
// [ErrSignature] as [Verify] would say.
func VerifyAll(claims []Signed) []error {
	batch := sr25519.NewBatchVerifier()
	parsed := true
	for _, c := range claims {
		pub, err := sr25519.NewPublicKeyFromBytes(c.Key[:])
		if err != nil {
			parsed = false
			break
		}
		sig, err := sr25519.NewSignatureFromBytes(c.Signature[:])
		if err != nil {
			parsed = false
			break
		}
		batch.Add(pub, context().NewTranscriptBytes(c.Message), sig)
	}
	if len(claims) == 0 || parsed && batch.VerifyBatchOnly(rand.Reader) {
		return nil
	}
	out := make([]error, len(claims))
	failed := false
	for i, c := range claims {
		out[i] = Verify(c.Key, c.Message, c.Signature)
		failed = failed || out[i] != nil
	}
	if !failed {
		return nil
	}
	return out
}
