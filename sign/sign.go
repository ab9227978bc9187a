// Package sign makes and checks sr25519 signatures as Bittensor's wallets do:
// Schnorrkel over Ristretto with the signing context "substrate".
//
// It knows keys and bytes, not what is signed: whoever signs puts a domain label
// into the bytes (the nouns of package targon do). It reads no files; package
// wallet does. Signing is randomised, so equal messages have different
// signatures, and nothing may be derived from a signature's bytes.
package sign

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"

	"github.com/oasisprotocol/curve25519-voi/primitives/sr25519"

	"targon"
)

// ErrSignature is returned for every signature that does not verify.
var ErrSignature = errors.New("signature does not verify")

// Key is a private key with its public half. Printing it shows the public half.
type Key struct {
	pair   *sr25519.KeyPair
	hotkey targon.Hotkey
}

func context() *sr25519.SigningContext { return sr25519.NewSigningContext([]byte("substrate")) }

// FromSeed expands a 32-byte mini secret in Ed25519 mode, as wallets do.
func FromSeed(seed targon.Secret) (*Key, error) {
	mini, err := sr25519.NewMiniSecretKeyFromBytes(seed[:])
	if err != nil {
		return nil, fmt.Errorf("expand seed: %w", err)
	}
	pair := mini.ExpandEd25519().KeyPair()
	k := &Key{pair: pair}
	pub, err := pair.PublicKey().MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("encode public key: %w", err)
	}
	copy(k.hotkey[:], pub)
	return k, nil
}

// Generate makes a key from the operating system's randomness.
func Generate() (*Key, error) {
	var seed targon.Secret
	if _, err := rand.Read(seed[:]); err != nil {
		return nil, fmt.Errorf("read randomness: %w", err)
	}
	return FromSeed(seed)
}

// Hotkey returns the public half.
func (k *Key) Hotkey() targon.Hotkey { return k.hotkey }

// String shows the public half only.
func (k *Key) String() string { return k.hotkey.String() }

// LogValue shows the public half only.
func (k *Key) LogValue() slog.Value { return slog.StringValue(k.hotkey.String()) }

// Sign signs message.
func (k *Key) Sign(message []byte) (targon.Signature, error) {
	var out targon.Signature
	sig, err := k.pair.Sign(rand.Reader, context().NewTranscriptBytes(message))
	if err != nil {
		return out, fmt.Errorf("sign: %w", err)
	}
	raw, err := sig.MarshalBinary()
	if err != nil {
		return out, fmt.Errorf("encode signature: %w", err)
	}
	copy(out[:], raw)
	return out, nil
}

// Verify returns nil if sig is h's signature of message, or ErrSignature.
func Verify(h targon.Hotkey, message []byte, sig targon.Signature) error {
	pub, err := sr25519.NewPublicKeyFromBytes(h[:])
	if err != nil {
		return fmt.Errorf("%w: %s is not a point of the curve", ErrSignature, h)
	}
	s, err := sr25519.NewSignatureFromBytes(sig[:])
	if err != nil {
		return fmt.Errorf("%w: malformed", ErrSignature)
	}
	if !pub.Verify(context().NewTranscriptBytes(message), s) {
		return ErrSignature
	}
	return nil
}
