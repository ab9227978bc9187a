package wallet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/oasisprotocol/curve25519-voi/curve/scalar"
	"github.com/oasisprotocol/curve25519-voi/primitives/merlin"
	"golang.org/x/crypto/blake2b"

	"targon"
	"targon/sign"
)

// ErrURI is the root of every failure to read a secret URI.
var ErrURI = errors.New("not a secret URI")

// devPhrase is what Substrate puts before a URI that has no phrase; everybody
// knows it (sp_core, DEV_PHRASE).
const devPhrase = "bottom drive obey lake curtain smoke basket hold race lonely fit walk"

// junction is one step of a derivation path.
type junction struct {
	hard bool
	code [32]byte
}

// uri is PHRASE//hard/soft///PASSWORD, taken apart.
type uri struct {
	phrase   string // or 0x and a seed in hex; empty for the development phrase
	path     []junction
	password string
}

// parseURI splits a secret URI as sp_core's SecretUri does.
func parseURI(s string) (uri, error) {
	var u uri
	s, u.password, _ = strings.Cut(s, "///")
	end := strings.IndexByte(s, '/')
	if end < 0 {
		end = len(s)
	}
	u.phrase = s[:end]
	for rest := s[end:]; rest != ""; {
		rest = rest[1:]
		hard := strings.HasPrefix(rest, "/")
		rest = strings.TrimPrefix(rest, "/")
		end := strings.IndexByte(rest, '/')
		if end < 0 {
			end = len(rest)
		}
		if end == 0 {
			return uri{}, fmt.Errorf("%w: nothing after a slash of its path", ErrURI)
		}
		u.path = append(u.path, junction{hard, chainCode(rest[:end])})
		rest = rest[end:]
	}
	return u, nil
}

// chainCode encodes a step: a number as a little-endian u64, anything else as a
// SCALE string; zero-padded to 32 bytes, or hashed if it is longer (sp_core,
// DeriveJunction).
func chainCode(step string) (code [32]byte) {
	if n, err := strconv.ParseUint(strings.TrimPrefix(step, "+"), 10, 64); err == nil {
		binary.LittleEndian.PutUint64(code[:], n)
		return code
	}
	encoded := append(compact(len(step)), step...)
	if len(encoded) > len(code) {
		return blake2b.Sum256(encoded)
	}
	copy(code[:], encoded)
	return code
}

// compact is SCALE's Compact of a length below 2^30.
func compact(n int) []byte {
	switch {
	case n < 1<<6:
		return []byte{byte(n << 2)}
	case n < 1<<14:
		return binary.LittleEndian.AppendUint16(nil, uint16(n<<2|1))
	}
	return binary.LittleEndian.AppendUint32(nil, uint32(n<<2|2))
}

// transcript begins a derivation as schnorrkel's derive.rs does.
func transcript(code [32]byte) *merlin.Transcript {
	t := merlin.NewTranscript("SchnorrRistrettoHDKD")
	t.AppendMessage("sign-bytes", nil)
	t.AppendMessage("chain-code", code[:])
	return t
}

// derive takes one step from a key to another.
func derive(k *sign.Key, j junction) (*sign.Key, error) {
	p, err := k.Private()
	if err != nil {
		return nil, err
	}
	defer clear(p[:])
	t := transcript(j.code)
	if j.hard {
		var seed targon.Secret
		defer clear(seed[:])
		t.AppendMessage("secret-key", p[:32])
		t.ExtractBytes(seed[:], "HDKD-hard")
		return sign.FromSeed(seed)
	}
	return deriveSoft(k.Hotkey(), p, t)
}

// deriveSoft adds to the scalar what everybody can add to the public key. The
// nonce seed is ours to choose; schnorrkel draws it, here equal steps give equal
// keys, so that a path names one private key.
func deriveSoft(public targon.Hotkey, p sign.Private, t *merlin.Transcript) (*sign.Key, error) {
	t.AppendMessage("public-key", public[:])
	var wide [64]byte
	t.ExtractBytes(wide[:], "HDKD-scalar")
	add, err := scalar.NewFromBytesModOrderWide(wide[:])
	if err != nil {
		return nil, fmt.Errorf("derive scalar: %w", err)
	}
	own, err := scalar.NewFromCanonicalBytes(p[:32])
	if err != nil {
		return nil, fmt.Errorf("derive scalar: %w", err)
	}
	var out sign.Private
	defer clear(out[:])
	if err := scalar.New().Add(own, add).ToBytes(out[:32]); err != nil {
		return nil, fmt.Errorf("derive scalar: %w", err)
	}
	t.AppendMessage("secret-key", p[:])
	t.ExtractBytes(out[32:], "HDKD-nonce")
	return sign.FromPrivate(out)
}

// Dev returns a development key by its path, such as //Alice. Its secret is known
// to everybody, so what has a phrase before the path is refused: it came from a
// command line, where secrets do not belong.
func Dev(path string) (*Key, error) {
	if !strings.HasPrefix(path, "/") {
		return nil, fmt.Errorf("%w: a development key is a path such as //Alice", ErrURI)
	}
	return FromURI(path)
}
