package wallet_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"targon/wallet"
)

// disguise is what Bittensor does to a password before it puts it into a variable.
func disguise(name, password string) string {
	raw := []byte(password)
	for i := range raw {
		raw[i] ^= name[i%len(name)]
	}
	return base64.StdEncoding.EncodeToString(raw)
}

// FuzzDecode: a key file is refused, or is a key that is written and read back as
// the same key.
func FuzzDecode(f *testing.F) {
	for _, name := range []string{"coldkeypub.txt", "h1", "h2"} {
		f.Add(goldenFile(f, name))
	}
	f.Add([]byte(`{"secretPhrase":null,"secretSeed":"` + strings.Repeat("f1", 32) + `","cryptoType":"1"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		address, aerr := wallet.DecodeAddress(data)
		k, err := wallet.Decode(data)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than a line: %q", err)
			}
			return
		}
		if aerr != nil || address != k.Address() {
			t.Fatalf("address %v (%v), key of %v", address, aerr, k.Address())
		}
		again, err := k.Encode()
		if err != nil {
			t.Fatal(err)
		}
		back, err := wallet.Decode(again)
		if err != nil || back.Address() != k.Address() || back.Phrase() != k.Phrase() {
			t.Fatalf("written as %d bytes, read back: %v", len(again), err)
		}
	})
}

// FuzzUnseal: nothing but what was sealed opens; the plain passes as it is.
func FuzzUnseal(f *testing.F) {
	sealed, err := wallet.Seal([]byte("{}"), []byte("pw"), cheap)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed)
	f.Add([]byte("$NACL"))
	f.Add([]byte("gAAAAAB"))
	f.Add([]byte("$ANSIBLE_VAULT;1.1;AES256\n3030\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		// A vault's own derivation is slow and fixed: its parser is tried without a chance to match.
		plain, err := wallet.Unseal(data, []byte("no"), cheap)
		switch wallet.EncryptionOf(data) {
		case wallet.Plain:
			if err != nil || !bytes.Equal(plain, data) {
				t.Errorf("plain: %v", err)
			}
		case wallet.Legacy:
			if !errors.Is(err, wallet.ErrLegacy) {
				t.Errorf("legacy: %v", err)
			}
		default:
			if err == nil {
				t.Errorf("opened %x", data)
			}
		}
	})
}

// FuzzPhrase: a phrase is refused, or gives the same key however it is spaced.
func FuzzPhrase(f *testing.F) {
	f.Add(dev)
	f.Add(dev + "//Alice")
	f.Add("//Alice/soft///pw")
	f.Add(strings.Repeat("abandon ", 23) + "art")
	f.Add("0x" + strings.Repeat("11", 32) + "/1")
	f.Fuzz(func(t *testing.T, s string) {
		k, err := wallet.ParseSecret([]byte(s))
		if err != nil {
			return
		}
		again, err := wallet.ParseSecret([]byte(" " + s + "\n"))
		if err != nil || again.Address() != k.Address() {
			t.Fatalf("%q: %v", s, err)
		}
		if p := k.Phrase(); p != "" {
			back, err := wallet.FromPhrase(p)
			if err != nil || back.Address() != k.Address() {
				t.Fatalf("%q: phrase kept of another key (%v)", s, err)
			}
		}
	})
}

func hexOf(b []byte) string { return hex.EncodeToString(b) }
