package wallet

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"targon"
	"targon/sign"
)

// ErrSecret is returned for text that is no form of a secret key.
var ErrSecret = errors.New("not a secret key")

// Key is a private key with what it was made from. It prints as [secret].
type Key struct {
	pair   *sign.Key
	phrase string         // empty if unknown, or if it alone does not give the key
	seed   *targon.Secret // nil if unknown
}

// Format hides the key from every verb.
func (*Key) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "[secret]") }

// LogValue hides the key.
func (*Key) LogValue() slog.Value { return slog.StringValue("[secret]") }

// MarshalText hides the key from JSON; [Key.Encode] is how it is stored.
func (*Key) MarshalText() ([]byte, error) { return []byte("[secret]"), nil }

// Generate draws a new key with a phrase of 12, 15, 18, 21 or 24 words.
func Generate(words int) (*Key, error) {
	phrase, err := newPhrase(words)
	if err != nil {
		return nil, err
	}
	return FromPhrase(phrase)
}

// FromPhrase returns the key of a BIP-39 phrase.
func FromPhrase(phrase string) (*Key, error) {
	phrase = canonicalPhrase(phrase)
	seed, err := phraseSeed(phrase, "")
	if err != nil {
		return nil, err
	}
	defer clear(seed[:])
	k, err := FromSeed(seed)
	if err != nil {
		return nil, err
	}
	k.phrase = phrase
	return k, nil
}

// FromSeed returns the key of a 32-byte mini secret.
func FromSeed(seed targon.Secret) (*Key, error) {
	pair, err := sign.FromSeed(seed)
	if err != nil {
		return nil, err
	}
	kept := seed
	return &Key{pair: pair, seed: &kept}, nil
}

// FromPrivate returns the key of an expanded private key.
func FromPrivate(p sign.Private) (*Key, error) {
	pair, err := sign.FromPrivate(p)
	if err != nil {
		return nil, err
	}
	return &Key{pair: pair}, nil
}

// FromURI returns the key of a secret URI as Substrate's tools read it:
// PHRASE//hard/soft///PASSWORD, where the phrase may be 0x and a seed in hex, and
// is the development phrase if there is none, as in //Alice.
func FromURI(s string) (*Key, error) {
	u, err := parseURI(s)
	if err != nil {
		return nil, err
	}
	k, err := u.root()
	if err != nil || len(u.path) == 0 {
		return k, err
	}
	pair := k.pair
	for _, j := range u.path {
		if pair, err = derive(pair, j); err != nil {
			return nil, err
		}
	}
	k.Wipe()
	return &Key{pair: pair}, nil
}

// root returns the key that the path of u begins from.
func (u uri) root() (*Key, error) {
	if digits, ok := strings.CutPrefix(u.phrase, "0x"); ok {
		var seed targon.Secret
		defer clear(seed[:])
		if err := unhex(seed[:], digits); err != nil {
			return nil, fmt.Errorf("%w: seed: %w", ErrURI, err)
		}
		return FromSeed(seed)
	}
	phrase := u.phrase
	if phrase == "" {
		phrase = devPhrase
	}
	if u.password == "" {
		return FromPhrase(phrase)
	}
	seed, err := phraseSeed(canonicalPhrase(phrase), u.password)
	if err != nil {
		return nil, err
	}
	defer clear(seed[:])
	return FromSeed(seed)
}

// ParseSecret returns the key in any of the forms that people keep keys in: a
// phrase, a seed of 64 or a private key of 128 hex digits with or without 0x, a
// secret URI, or the JSON of an unencrypted key file.
func ParseSecret(text []byte) (*Key, error) {
	s := strings.TrimSpace(string(text))
	digits := strings.TrimPrefix(s, "0x")
	switch {
	case s == "":
		return nil, fmt.Errorf("%w: empty", ErrSecret)
	case strings.HasPrefix(s, "{"):
		return Decode([]byte(s))
	case strings.ContainsRune(s, '/'):
		return FromURI(s)
	case strings.ContainsAny(s, " \t\n"):
		return FromPhrase(s)
	case len(digits) == 64:
		var seed targon.Secret
		defer clear(seed[:])
		if err := unhex(seed[:], digits); err != nil {
			return nil, fmt.Errorf("%w: seed: %w", ErrSecret, err)
		}
		return FromSeed(seed)
	case len(digits) == 128:
		var p sign.Private
		defer clear(p[:])
		if err := unhex(p[:], digits); err != nil {
			return nil, fmt.Errorf("%w: private key: %w", ErrSecret, err)
		}
		return FromPrivate(p)
	}
	return nil, fmt.Errorf("%w: want a phrase of 12 to 24 words, a seed of 64 or a private key of 128 hex digits, a URI, or a key file's JSON", ErrSecret)
}

// unhex fills dst; its errors do not repeat what was read.
func unhex(dst []byte, digits string) error {
	if len(digits) != 2*len(dst) {
		return fmt.Errorf("%d characters, want %d hex digits", len(digits), 2*len(dst))
	}
	if _, err := hex.Decode(dst, []byte(digits)); err != nil {
		return errors.New("not hex digits")
	}
	return nil
}

// Address returns the public key.
func (k *Key) Address() targon.Hotkey { return k.pair.Hotkey() }

// Signer returns the key that signs.
func (k *Key) Signer() *sign.Key { return k.pair }

// Phrase returns the phrase that gives the key, or "" if none is known.
func (k *Key) Phrase() string { return k.phrase }

// Wipe forgets what the key was made from, as far as Go can (see the package
// comment). A [Key.Signer] taken before stays usable.
func (k *Key) Wipe() {
	if k.seed != nil {
		clear(k.seed[:])
	}
	*k = Key{}
}
