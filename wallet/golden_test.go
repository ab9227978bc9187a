package wallet_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"targon"
	"targon/sign"
	"targon/wallet"
)

// golden is where files lie that Bittensor's own wallet wrote; see the README there.
const (
	golden         = "testdata/bittensor-wallet-4.1.1"
	goldenPassword = "correct horse é"
	alice          = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
	dev            = "bottom drive obey lake curtain smoke basket hold race lonely fit walk"
	devAddress     = "5DfhGyQdFobKM8NsWvEeAKk5EQQgYe9AydgJ7rMB6E1EqRzV"
)

type vectors struct {
	URIs       []struct{ URI, PublicKey, PrivateKey, SS58Address string }
	Phrases    []struct{ Phrase, SecretSeed, PublicKey, PrivateKey string }
	Signatures []struct{ Message, Signed, Signature string }
	Passwords  []struct{ Path, Name, Value, Password string }
}

func goldenFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(golden, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func goldenVectors(t testing.TB) (v vectors) {
	t.Helper()
	if err := json.Unmarshal(goldenFile(t, "keys.json"), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// fields decodes what Encode wrote.
func fields(t testing.TB, k *wallet.Key) map[string]string {
	t.Helper()
	data, err := k.Encode()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestGoldenURIs(t *testing.T) {
	v := goldenVectors(t)
	if len(v.URIs) < 30 {
		t.Fatalf("%d URIs", len(v.URIs))
	}
	for _, u := range v.URIs {
		k, err := wallet.FromURI(u.URI)
		if err != nil {
			t.Errorf("%q: %v", u.URI, err)
			continue
		}
		got := fields(t, k)
		if got["publicKey"] != u.PublicKey || got["accountId"] != u.PublicKey || got["ss58Address"] != u.SS58Address {
			t.Errorf("%q: %s, want %s", u.URI, got["ss58Address"], u.SS58Address)
		}
		// The nonce seed after a soft step is random there.
		n := 2 + 128
		if soft := strings.Contains(strings.ReplaceAll(u.URI, "//", ""), "/"); soft {
			n = 2 + 64
		}
		if got["privateKey"][:n] != u.PrivateKey[:n] {
			t.Errorf("%q: private key differs", u.URI)
		}
	}
}

func TestGoldenPhrases(t *testing.T) {
	for _, p := range goldenVectors(t).Phrases {
		k, err := wallet.FromPhrase(p.Phrase)
		if err != nil {
			t.Errorf("%d words: %v", len(strings.Fields(p.Phrase)), err)
			continue
		}
		got := fields(t, k)
		if got["publicKey"] != p.PublicKey || got["privateKey"] != p.PrivateKey || got["secretPhrase"] != p.Phrase {
			t.Errorf("%q differs", p.Phrase)
		}
		if p.SecretSeed != "" && got["secretSeed"] != p.SecretSeed {
			t.Errorf("%q: seed %s, want %s", p.Phrase, got["secretSeed"], p.SecretSeed)
		}
	}
}

func TestGoldenSignatures(t *testing.T) {
	h, err := targon.ParseHotkey(alice)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range goldenVectors(t).Signatures {
		var sig targon.Signature
		raw, err := hex.DecodeString(s.Signature)
		if err != nil || copy(sig[:], raw) != len(sig) {
			t.Fatal(err)
		}
		if err := wallet.Verify(h, []byte(s.Message), sig); err != nil {
			t.Errorf("%q signed as %q: %v", s.Message, s.Signed, err)
		}
		if err := wallet.Verify(h, []byte(s.Message+"."), sig); !errors.Is(err, sign.ErrSignature) {
			t.Errorf("another message: %v", err)
		}
	}
}

func TestGoldenEnvironment(t *testing.T) {
	for _, p := range goldenVectors(t).Passwords {
		names := wallet.Variables(p.Path)
		if names[0] != p.Name {
			t.Errorf("variable %s, want %s", names[0], p.Name)
		}
		env := map[string]string{p.Name: p.Value}
		got, err := wallet.FromEnvironment(lookup(env))(p.Path)
		if err != nil || len(got) != 2 || string(got[0]) != p.Password || string(got[1]) != p.Value {
			t.Errorf("%s: %d passwords, %v", p.Name, len(got), err)
		}
	}
}

func lookup(env map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { v, ok := env[name]; return v, ok }
}

// goldenWallet copies the golden files into a wallet with the modes that a
// repository does not keep.
func goldenWallet(t testing.TB) wallet.Wallet {
	t.Helper()
	w, err := wallet.At(t.TempDir(), "gold", "h1")
	if err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{
		"coldkey": "coldkey", "coldkeypub.txt": "coldkeypub.txt",
		"h1": "hotkeys/h1", "h1pub.txt": "hotkeys/h1pub.txt", "h2": "hotkeys/h2", "h2pub.txt": "hotkeys/h2pub.txt",
	} {
		put(t, filepath.Join(w.Folder(), to), goldenFile(t, name))
	}
	return w
}

func put(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestGoldenColdkey is the one test that pays for Bittensor's key derivation
// (512 MiB), and so it does not run beside others.
func TestGoldenColdkey(t *testing.T) {
	if testing.Short() {
		t.Skip("needs 512 MiB and a second or two")
	}
	w := goldenWallet(t)
	derived := 0
	w.KDF = func(password []byte) [32]byte { derived++; return wallet.BittensorKDF(password) }
	k, err := w.UnlockColdkey(one(goldenPassword))
	if err != nil {
		t.Fatal(err)
	}
	if k.Address().String() != devAddress || k.Phrase() != dev || derived != 1 {
		t.Errorf("%s after %d derivations", k.Address(), derived)
	}
}

// one is a source that knows one password.
func one(password string) wallet.Passwords {
	return func(string) ([]wallet.Password, error) { return []wallet.Password{wallet.Password(password)}, nil }
}

func TestGoldenHotkeys(t *testing.T) {
	w := goldenWallet(t)
	for name, want := range map[string]string{"h1": "5DSSS3e4HKexFhGpwZqJKaRMxyeFjqkxQWrg2q1sP3bQRoLA", "h2": alice} {
		w.Hotkey = name
		k, err := w.LoadHotkey(nil)
		if err != nil || k.String() != want {
			t.Errorf("%s: %v, %v", name, k, err)
		}
		if h, err := w.HotkeyAddress(); err != nil || h.String() != want {
			t.Errorf("%s: %v, %v", name, h, err)
		}
	}
	if h, err := w.ColdkeyAddress(); err != nil || h.String() != devAddress {
		t.Errorf("%v, %v", h, err)
	}
}

func TestGoldenVaults(t *testing.T) {
	want := goldenFile(t, "h1")
	for _, name := range []string{"ansible.vault", "ansible-core-1.1.vault", "ansible-core-1.2.vault"} {
		data := goldenFile(t, name)
		plain, err := wallet.Unseal(data, []byte(goldenPassword), nil)
		if err != nil || !bytes.Equal(plain, want) {
			t.Errorf("%s: %d bytes, %v", name, len(plain), err)
		}
		if _, err := wallet.Unseal(data, []byte("wrong"), nil); !errors.Is(err, wallet.ErrPassword) {
			t.Errorf("%s: %v, want ErrPassword", name, err)
		}
		// Without its line breaks, and cut off.
		if _, err := wallet.Unseal(bytes.ReplaceAll(data, []byte("\n"), []byte("\r\n")), []byte(goldenPassword), nil); err != nil {
			t.Errorf("%s with CRLF: %v", name, err)
		}
		if _, err := wallet.Unseal(data[:len(data)/2], []byte(goldenPassword), nil); err == nil {
			t.Errorf("%s cut off was accepted", name)
		}
	}
}
