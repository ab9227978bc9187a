package wallet

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"targon"
	"targon/sign"
)

var (
	// ErrFormat is the root of every failure to read a key file's contents.
	ErrFormat = errors.New("not a Bittensor key file")
	// ErrPublic is returned for a file with a public key where a private one is needed.
	ErrPublic = errors.New("the file holds a public key only")
	// ErrMismatch is returned for a file whose fields belong to different keys.
	ErrMismatch = errors.New("the file's fields belong to different keys")
)

// contents is the JSON of a key file. Bittensor writes the fields in any order,
// leaves out or nulls what is unknown, and since version 4 adds cryptoType, a
// number. That is read but not written: earlier versions accept only strings.
type contents struct {
	AccountID    *string         `json:"accountId,omitempty"`
	PublicKey    *string         `json:"publicKey,omitempty"`
	PrivateKey   *string         `json:"privateKey,omitempty"`
	SecretPhrase *string         `json:"secretPhrase,omitempty"`
	SecretSeed   *string         `json:"secretSeed,omitempty"`
	SS58Address  *string         `json:"ss58Address,omitempty"`
	CryptoType   json.RawMessage `json:"cryptoType,omitempty"`
}

// Decode reads the JSON of an unencrypted private key file. Whatever fields it
// has must agree.
func Decode(data []byte) (*Key, error) {
	c, err := parse(data)
	if err != nil {
		return nil, err
	}
	k, err := c.key()
	if err != nil {
		return nil, err
	}
	if k == nil {
		return nil, ErrPublic
	}
	if err := c.agrees(k.Address()); err != nil {
		return nil, err
	}
	return k, nil
}

// DecodeAddress reads the public key from the JSON of a public or an unencrypted
// private key file.
func DecodeAddress(data []byte) (targon.Hotkey, error) {
	var zero targon.Hotkey
	c, err := parse(data)
	if err != nil {
		return zero, err
	}
	public, err := c.public()
	if err != nil {
		return zero, err
	}
	if len(public) == 0 {
		k, err := Decode(data)
		if err != nil {
			return zero, err
		}
		defer k.Wipe()
		return k.Address(), nil
	}
	return public[0], c.agrees(public[0])
}

func parse(data []byte) (contents, error) {
	var c contents
	if err := json.Unmarshal(data, &c); err != nil {
		return c, fmt.Errorf("%w: %s", ErrFormat, jsonFault(err))
	}
	switch kind := string(bytes.Trim(c.CryptoType, `"`)); kind {
	case "", "null", "1":
		return c, nil
	case "0":
		return c, fmt.Errorf("%w: an ed25519 key (cryptoType 0), want sr25519", ErrFormat)
	}
	return c, fmt.Errorf("%w: cryptoType is neither 0 nor 1", ErrFormat)
}

// jsonFault says what is wrong with the JSON without quoting it.
func jsonFault(err error) string {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Sprintf("malformed JSON at byte %d", syntax.Offset)
	case errors.As(err, &kind) && kind.Field != "":
		return fmt.Sprintf("%s is no string", kind.Field)
	}
	return "malformed JSON: not an object"
}

// key returns the private key of the first secret that the file has, nil if none.
// Bittensor looks in the same order.
func (c contents) key() (*Key, error) {
	var k *Key
	var err error
	switch {
	case c.SecretPhrase != nil:
		if k, err = FromPhrase(*c.SecretPhrase); err != nil {
			return nil, fmt.Errorf("%w: secretPhrase: %w", ErrFormat, err)
		}
	case c.SecretSeed != nil:
		var seed targon.Secret
		defer clear(seed[:])
		if err := unhex(seed[:], strings.TrimPrefix(*c.SecretSeed, "0x")); err != nil {
			return nil, fmt.Errorf("%w: secretSeed: %w", ErrFormat, err)
		}
		if k, err = FromSeed(seed); err != nil {
			return nil, err
		}
	case c.PrivateKey != nil:
		p, err := private(*c.PrivateKey)
		if err != nil {
			return nil, err
		}
		defer clear(p[:])
		if k, err = FromPrivate(p); err != nil {
			return nil, fmt.Errorf("%w: privateKey: %w", ErrFormat, err)
		}
	}
	return k, nil
}

func private(digits string) (sign.Private, error) {
	var p sign.Private
	if err := unhex(p[:], strings.TrimPrefix(digits, "0x")); err != nil {
		return p, fmt.Errorf("%w: privateKey: %w", ErrFormat, err)
	}
	return p, nil
}

// public returns the public keys that the file states.
func (c contents) public() ([]targon.Hotkey, error) {
	var out []targon.Hotkey
	for _, f := range []struct {
		name  string
		value *string
	}{{"publicKey", c.PublicKey}, {"accountId", c.AccountID}} {
		if f.value == nil {
			continue
		}
		var h targon.Hotkey
		if err := unhex(h[:], strings.TrimPrefix(*f.value, "0x")); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrFormat, f.name, err)
		}
		out = append(out, h)
	}
	if c.SS58Address != nil {
		h, err := targon.ParseHotkey(*c.SS58Address)
		if err != nil {
			return nil, fmt.Errorf("%w: ss58Address: %w", ErrFormat, err)
		}
		out = append(out, h)
	}
	return out, nil
}

// agrees checks every field that was not the source of h against it.
func (c contents) agrees(h targon.Hotkey) error {
	stated, err := c.public()
	if err != nil {
		return err
	}
	if c.SecretPhrase != nil && c.SecretSeed != nil {
		k, err := (contents{SecretSeed: c.SecretSeed}).key()
		if err != nil {
			return err
		}
		stated = append(stated, k.Address())
		k.Wipe()
	}
	if c.PrivateKey != nil {
		k, err := (contents{PrivateKey: c.PrivateKey}).key()
		if err != nil {
			return err
		}
		stated = append(stated, k.Address())
		k.Wipe()
	}
	for _, s := range stated {
		if s != h {
			return fmt.Errorf("%w: %s and %s", ErrMismatch, h, s)
		}
	}
	return nil
}

// Encode returns the JSON of the private key file. The caller clears it.
func (k *Key) Encode() ([]byte, error) {
	c := stating(k.Address())
	p, err := k.pair.Private()
	if err != nil {
		return nil, err
	}
	defer clear(p[:])
	c.PrivateKey = hexField(p[:])
	if k.phrase != "" {
		c.SecretPhrase = &k.phrase
	}
	if k.seed != nil {
		c.SecretSeed = hexField(k.seed[:])
	}
	return json.Marshal(c)
}

// EncodeAddress returns the JSON of the public key file.
func EncodeAddress(h targon.Hotkey) ([]byte, error) { return json.Marshal(stating(h)) }

func stating(h targon.Hotkey) contents {
	address := h.String()
	return contents{AccountID: hexField(h[:]), PublicKey: hexField(h[:]), SS58Address: &address}
}

func hexField(b []byte) *string {
	s := "0x" + hex.EncodeToString(b)
	return &s
}
