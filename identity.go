package targon

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"strconv"

	"golang.org/x/crypto/blake2b"
)

// UID is a neuron's slot on a subnet.
type UID uint16

// NetUID numbers a subnet; Targon's is 4.
type NetUID uint16

// Hotkey is a neuron's sr25519 public key.
type Hotkey [32]byte

// Digest is a SHA-256 value.
type Digest [32]byte

// TokenID is an index into a model's vocabulary.
type TokenID int32

// ErrHotkey is the root of every failure to read a hotkey's text.
var ErrHotkey = errors.New("not an SS58 address")

// ss58Prefix is Bittensor's address type (generic Substrate).
const ss58Prefix = 42

const base58Alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

// ParseHotkey reads an SS58 address of type 42, such as those that begin with 5.
func ParseHotkey(s string) (Hotkey, error) {
	var h Hotkey
	if len(s) < 46 || len(s) > 49 {
		return h, fmt.Errorf("%w: %d characters, want 47 or 48", ErrHotkey, len(s))
	}
	n := new(big.Int)
	for _, c := range []byte(s) {
		i := indexByte(base58Alphabet, c)
		if i < 0 {
			return h, fmt.Errorf("%w: character %q is not base58", ErrHotkey, c)
		}
		n.Mul(n, big.NewInt(58)).Add(n, big.NewInt(int64(i)))
	}
	raw := n.Bytes() // prefix 42 is not zero, so no leading byte is lost
	if len(raw) != 35 || raw[0] != ss58Prefix {
		return h, fmt.Errorf("%w: want address type %d over 32 bytes", ErrHotkey, ss58Prefix)
	}
	if sum := ss58Checksum(raw[:33]); raw[33] != sum[0] || raw[34] != sum[1] {
		return h, fmt.Errorf("%w: checksum differs, a character may be mistyped", ErrHotkey)
	}
	copy(h[:], raw[1:33])
	if h.String() != s { // leading '1's would decode to the same number
		return Hotkey{}, fmt.Errorf("%w: not in canonical form", ErrHotkey)
	}
	return h, nil
}

// String returns the SS58 address.
func (h Hotkey) String() string {
	raw := make([]byte, 0, 35)
	raw = append(raw, ss58Prefix)
	raw = append(raw, h[:]...)
	sum := ss58Checksum(raw)
	raw = append(raw, sum[0], sum[1])
	n, mod, base := new(big.Int).SetBytes(raw), new(big.Int), big.NewInt(58)
	var out []byte
	for n.Sign() > 0 {
		n.DivMod(n, base, mod)
		out = append(out, base58Alphabet[mod.Int64()])
	}
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return string(out)
}

// MarshalText and UnmarshalText give the SS58 form, so that JSON shows addresses.
func (h Hotkey) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads an SS58 address.
func (h *Hotkey) UnmarshalText(b []byte) error {
	v, err := ParseHotkey(string(b))
	if err == nil {
		*h = v
	}
	return err
}

func ss58Checksum(b []byte) [64]byte {
	return blake2b.Sum512(append([]byte("SS58PRE"), b...))
}

func indexByte(s string, c byte) int {
	for i := range len(s) {
		if s[i] == c {
			return i
		}
	}
	return -1
}

// String returns lower-case hex.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// MarshalText returns lower-case hex.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads 64 hex digits.
func (d *Digest) UnmarshalText(b []byte) error {
	if len(b) != 64 {
		return fmt.Errorf("digest of %d characters, want 64 hex digits", len(b))
	}
	_, err := hex.Decode(d[:], b)
	return err
}

// ParseUID reads a decimal UID; anything else is an error, never UID 0.
func ParseUID(s string) (UID, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil {
		return 0, fmt.Errorf("uid %q is not a number from 0 to 65535", s)
	}
	return UID(n), nil
}
