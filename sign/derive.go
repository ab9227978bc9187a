package sign

import (
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/oasisprotocol/curve25519-voi/primitives/sr25519"
)

// ErrPrivate is the root of every failure to read a private key.
var ErrPrivate = errors.New("not an sr25519 private key")

// Private is an expanded private key: the scalar, then the nonce seed, 32 bytes
// each, as schnorrkel's SecretKey::to_bytes writes them. It prints as [secret].
type Private [64]byte

// Format hides the bytes from every verb, %d and %x included.
func (Private) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "[secret]") }

// String hides the bytes.
func (Private) String() string { return "[secret]" }

// LogValue hides the bytes.
func (Private) LogValue() slog.Value { return slog.StringValue("[secret]") }

// MarshalText hides the bytes from JSON as well.
func (Private) MarshalText() ([]byte, error) { return []byte("[secret]"), nil }

// FromPrivate returns the key of an expanded private key. Besides schnorrkel's own
// form it takes that of expanded Ed25519 keys, whose scalar is eight times as large
// and so is never a scalar of the first form.
func FromPrivate(p Private) (*Key, error) {
	secret, err := sr25519.NewSecretKeyFromBytes(p[:])
	if err != nil {
		if secret, err = sr25519.NewSecretKeyFromEd25519Bytes(p[:]); err != nil {
			return nil, fmt.Errorf("%w: the scalar is out of range", ErrPrivate)
		}
	}
	pair := secret.KeyPair()
	k := &Key{pair: pair}
	pub, err := pair.PublicKey().MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("encode public key: %w", err)
	}
	copy(k.hotkey[:], pub)
	if k.hotkey == [32]byte{} {
		return nil, fmt.Errorf("%w: the scalar is zero", ErrPrivate)
	}
	return k, nil
}

// Private returns the expanded private key in schnorrkel's form.
func (k *Key) Private() (Private, error) {
	var out Private
	raw, err := k.pair.SecretKey().MarshalBinary()
	if err != nil {
		return out, fmt.Errorf("encode private key: %w", err)
	}
	copy(out[:], raw)
	clear(raw)
	return out, nil
}
