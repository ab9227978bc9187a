package wallet_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"targon"
	"targon/wallet"
)

// cheap stands in for Bittensor's key derivation.
func cheap(password []byte) [32]byte { return sha256.Sum256(password) }

func at(t testing.TB, root, hotkey string) wallet.Wallet {
	t.Helper()
	w, err := wallet.At(root, "w", hotkey)
	if err != nil {
		t.Fatal(err)
	}
	w.KDF = cheap
	return w
}

func generate(t testing.TB) *wallet.Key {
	t.Helper()
	k, err := wallet.Generate(12)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestSaveAndUnlock(t *testing.T) {
	w := at(t, filepath.Join(t.TempDir(), "new"), "h")
	cold, hot := generate(t), generate(t)
	if err := errors.Join(w.SaveColdkey(cold, wallet.Password("pw")), w.SaveHotkey(hot, nil)); err != nil {
		t.Fatal(err)
	}
	got, err := w.UnlockColdkey(one("pw"))
	if err != nil || got.Address() != cold.Address() || got.Phrase() != cold.Phrase() {
		t.Errorf("coldkey: %v", err)
	}
	signer, err := w.LoadHotkey(nil)
	if err != nil || signer.Hotkey() != hot.Address() {
		t.Errorf("hotkey: %v", err)
	}
	if _, err := signer.Sign([]byte("m")); err != nil {
		t.Errorf("the hotkey does not sign after its source was wiped: %v", err)
	}
	if data, _ := os.ReadFile(w.ColdkeyFile()); !bytes.HasPrefix(data, []byte("$NACL")) || bytes.Contains(data, []byte("secret")) {
		t.Error("the coldkey is not encrypted")
	}
	for file, mode := range map[string]os.FileMode{
		w.ColdkeyFile(): 0o600, w.ColdkeypubFile(): 0o600, w.HotkeyFile(): 0o600, w.HotkeypubFile(): 0o600, w.Folder(): 0o700,
	} {
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: mode %v, want %v (%v)", file, info.Mode().Perm(), mode, err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(w.Folder(), "*", ".new*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestNeverOverwrites: whatever is in the way stays as it is.
func TestNeverOverwrites(t *testing.T) {
	w := at(t, t.TempDir(), "h")
	k := generate(t)
	if err := errors.Join(w.SaveColdkey(k, nil), w.SaveHotkey(k, nil)); err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(w.ColdkeyFile())
	for name, err := range map[string]error{
		"coldkey": w.SaveColdkey(generate(t), nil), "same coldkey": w.SaveColdkey(k, nil), "hotkey": w.SaveHotkey(generate(t), nil),
		"public half": w.SaveColdkeypub(targon.Hotkey{1}),
	} {
		if !errors.Is(err, wallet.ErrExists) {
			t.Errorf("%s: %v, want ErrExists", name, err)
		}
	}
	if after, _ := os.ReadFile(w.ColdkeyFile()); !bytes.Equal(before, after) {
		t.Error("the coldkey's file changed")
	}
	// The public half of another key is in the way too; of this key it is not.
	if err := os.Remove(w.ColdkeyFile()); err != nil {
		t.Fatal(err)
	}
	if err := w.SaveColdkey(generate(t), nil); !errors.Is(err, wallet.ErrExists) {
		t.Errorf("beside another's public half: %v, want ErrExists", err)
	}
	if err := w.SaveColdkey(k, nil); err != nil {
		t.Errorf("beside its own public half: %v", err)
	}
	// A dangling link is somebody's as well.
	other := at(t, w.Root, "linked")
	if err := os.Symlink("nowhere", other.HotkeyFile()); err != nil {
		t.Fatal(err)
	}
	if err := other.SaveHotkey(k, nil); !errors.Is(err, wallet.ErrExists) {
		t.Errorf("over a dangling link: %v, want ErrExists", err)
	}
}

func TestOpenPermissions(t *testing.T) {
	w := at(t, t.TempDir(), "h")
	if err := errors.Join(w.SaveColdkey(generate(t), wallet.Password("pw")), w.SaveHotkey(generate(t), nil)); err != nil {
		t.Fatal(err)
	}
	asked := func(string) ([]wallet.Password, error) { t.Error("asked for a password"); return nil, nil }
	for mode, refused := range map[os.FileMode]bool{
		0o600: false, 0o400: false, 0o700: false, 0o640: true, 0o604: true, 0o620: true, 0o602: true, 0o610: true, 0o644: true, 0o777: true,
	} {
		if err := errors.Join(os.Chmod(w.HotkeyFile(), mode), os.Chmod(w.ColdkeyFile(), mode)); err != nil {
			t.Fatal(err)
		}
		_, err := w.LoadHotkey(nil)
		if errors.Is(err, wallet.ErrOpenFile) != refused || refused && !strings.Contains(err.Error(), "chmod 600 "+w.HotkeyFile()) {
			t.Errorf("hotkey, mode %o: %v", mode, err)
		}
		if !refused {
			continue
		}
		if _, err := w.UnlockColdkey(asked); !errors.Is(err, wallet.ErrOpenFile) {
			t.Errorf("coldkey, mode %o: %v", mode, err)
		}
	}
	// Public halves are for everybody.
	if err := os.Chmod(w.HotkeypubFile(), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := w.HotkeyAddress(); err != nil {
		t.Error(err)
	}
}

// TestUnlockRefuses: each fault has its own sentence, of one line, with the file.
// TestReadSecretFile: what is no key file is not called one.
func TestReadSecretFile(t *testing.T) {
	dir := t.TempDir()
	long := filepath.Join(dir, "long")
	if err := os.WriteFile(long, make([]byte, 64<<10+1), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "none"): "none is not there", dir: "a pipe, a folder or a device", os.DevNull: "a pipe, a folder or a device", long: "more than 65536 bytes",
	} {
		for name, err := range map[string]error{
			"file":     func() error { _, err := wallet.ReadSecretFile(path); return err }(),
			"password": func() error { _, err := wallet.FromFile(path)("coldkey"); return err }(),
		} {
			if !errors.Is(err, wallet.ErrNoFile) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "key") {
				t.Errorf("%s %s: %v, want %q", name, path, err, want)
			}
		}
	}
}

func TestUnlockRefuses(t *testing.T) {
	sealed, err := wallet.Seal([]byte("{}"), []byte("pw"), cheap)
	if err != nil {
		t.Fatal(err)
	}
	k := generate(t)
	data, err := k.Encode()
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Fields(dev)
	words[11] = words[0] // with which the checksum happens to be wrong
	for name, c := range map[string]struct {
		content string
		want    error
		says    string
	}{
		"empty":           {"", wallet.ErrFormat, "JSON"},
		"no JSON":         {"hello", wallet.ErrFormat, "byte 1"},
		"cut off":         {string(data[:len(data)-9]), wallet.ErrFormat, "JSON"},
		"more after it":   {string(data) + "{}", wallet.ErrFormat, "JSON"},
		"an array":        {"[]", wallet.ErrFormat, "object"},
		"a number":        {`{"secretSeed":5}`, wallet.ErrFormat, "secretSeed"},
		"nothing in it":   {`{}`, wallet.ErrPublic, "public"},
		"public only":     {`{"ss58Address":"` + alice + `"}`, wallet.ErrPublic, "public"},
		"short seed":      {`{"secretSeed":"0x1234"}`, wallet.ErrFormat, "64 hex"},
		"no hex":          {`{"secretSeed":"0x` + strings.Repeat("zz", 32) + `"}`, wallet.ErrFormat, "not hex"},
		"private key":     {`{"privateKey":"0x` + strings.Repeat("ff", 64) + `"}`, wallet.ErrFormat, "scalar"},
		"unknown word":    {`{"secretPhrase":"` + strings.Replace(dev, "lake", "lakes", 1) + `"}`, wallet.ErrPhrase, "word 4"},
		"wrong checksum":  {`{"secretPhrase":"` + strings.Join(words, " ") + `"}`, wallet.ErrPhrase, "checksum"},
		"eleven words":    {`{"secretPhrase":"` + strings.Join(words[:11], " ") + `"}`, wallet.ErrPhrase, "11 words"},
		"address":         {`{"secretPhrase":"` + dev + `","ss58Address":"5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQX"}`, targon.ErrHotkey, "checksum"},
		"another address": {`{"secretPhrase":"` + dev + `","ss58Address":"` + alice + `"}`, wallet.ErrMismatch, alice},
		"another seed":    {`{"secretPhrase":"` + dev + `","secretSeed":"` + strings.Repeat("11", 32) + `"}`, wallet.ErrMismatch, devAddress},
		"another private": {`{"secretPhrase":"` + dev + `","privateKey":"` + fields(t, k)["privateKey"] + `"}`, wallet.ErrMismatch, devAddress},
		"another account": {`{"secretPhrase":"` + dev + `","accountId":"` + fields(t, k)["accountId"] + `"}`, wallet.ErrMismatch, devAddress},
		"ed25519":         {`{"secretPhrase":"` + dev + `","cryptoType":0}`, wallet.ErrFormat, "ed25519"},
		"cryptoType":      {`{"secretPhrase":"` + dev + `","cryptoType":{}}`, wallet.ErrFormat, "cryptoType"},
		"wrong password":  {string(sealed[:len(sealed)-1]) + "x", wallet.ErrPassword, "wrong password"},
		"sealed, cut off": {"$NACL123", wallet.ErrFormat, "cut off"},
		"sealed nonsense": {string(sealed), wallet.ErrPublic, "public"},
		"vault":           {"$ANSIBLE_VAULT;1.1;AES256\n00", wallet.ErrFormat, "Ansible"},
		"vault's version": {"$ANSIBLE_VAULT;2.0;AES256\n00", wallet.ErrFormat, "version"},
		"Fernet":          {"gAAAAABh", wallet.ErrLegacy, "phrase"},
		"much too long":   {strings.Repeat(" ", 64<<10+1), wallet.ErrFormat, "65536"},
	} {
		w := at(t, t.TempDir(), "h")
		put(t, w.ColdkeyFile(), []byte(c.content))
		_, err := w.UnlockColdkey(one("pw"))
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), w.ColdkeyFile()) {
			t.Errorf("%s: %v, want %q and the file's name", name, err, c.says)
			continue
		}
		for _, secret := range []string{"lakes", strings.Join(words, " "), strings.Repeat("zz", 3), "\n"} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%s: the message repeats the file's content: %v", name, err)
			}
		}
	}
}

func TestUnlockSources(t *testing.T) {
	w := at(t, t.TempDir(), "h")
	if err := w.SaveColdkey(generate(t), wallet.Password("pw")); err != nil {
		t.Fatal(err)
	}
	if _, err := w.UnlockColdkey(nil); !errors.Is(err, wallet.ErrNoPassword) {
		t.Errorf("no source: %v", err)
	}
	if _, err := w.UnlockColdkey(one("PW")); !errors.Is(err, wallet.ErrPassword) {
		t.Errorf("wrong password: %v", err)
	}
	fault := errors.New("terminal gone")
	if _, err := w.UnlockColdkey(func(string) ([]wallet.Password, error) { return nil, fault }); !errors.Is(err, fault) {
		t.Errorf("source fails: %v", err)
	}
	names := wallet.Variables(w.ColdkeyFile())
	for _, name := range names {
		for _, value := range []string{"pw", disguise(name, "pw")} {
			p := wallet.FirstOf(wallet.FromEnvironment(lookup(map[string]string{name: value})), one("not this one"))
			if _, err := w.UnlockColdkey(p); err != nil {
				t.Errorf("%s=%q: %v", name, value, err)
			}
		}
	}
	if last := names[len(names)-1]; strings.ContainsAny(last, "-. /") {
		t.Errorf("no shell can export %q", last)
	}
	dir := t.TempDir()
	for content, ok := range map[string]bool{"pw": true, "pw\n": true, "pw\r\n": true, "": false, "\n": false, "pw\nmore\n": false, "wrong": false} {
		file := filepath.Join(dir, "password")
		put(t, file, []byte(content))
		if _, err := w.UnlockColdkey(wallet.FromFile(file)); (err == nil) != ok {
			t.Errorf("password file %q: %v", content, err)
		}
	}
	if err := os.Chmod(filepath.Join(dir, "password"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := w.UnlockColdkey(wallet.FromFile(filepath.Join(dir, "password"))); !errors.Is(err, wallet.ErrOpenFile) {
		t.Errorf("password file that others may read: %v", err)
	}
}

// TestPublicHalfMustMatch: a public file that was swapped does not go unnoticed.
func TestPublicHalfMustMatch(t *testing.T) {
	w := at(t, t.TempDir(), "h")
	if err := w.SaveHotkey(generate(t), nil); err != nil {
		t.Fatal(err)
	}
	other, err := wallet.EncodeAddress(generate(t).Address())
	if err != nil {
		t.Fatal(err)
	}
	put(t, w.HotkeypubFile(), other)
	if _, err := w.LoadHotkey(nil); !errors.Is(err, wallet.ErrMismatch) {
		t.Errorf("%v, want ErrMismatch", err)
	}
	if err := os.Remove(w.HotkeypubFile()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.LoadHotkey(nil); err != nil {
		t.Errorf("wallets before Bittensor 3 have no public half: %v", err)
	}
}

func TestNames(t *testing.T) {
	for _, bad := range []string{"a/b", "..", ".", "../x", ".hidden", "a\x00", `a\b`, "a\nb", "xpub.txt", strings.Repeat("x", 201)} {
		if w, err := wallet.At("/r", bad, ""); !errors.Is(err, wallet.ErrName) {
			t.Errorf("wallet %q: %v, %v", bad, w.Name, err)
		}
		if w, err := wallet.At("/r", "", bad); !errors.Is(err, wallet.ErrName) {
			t.Errorf("hotkey %q: %v, %v", bad, w.Hotkey, err)
		}
	}
	t.Setenv("HOME", "/home/me")
	for root, want := range map[string]string{
		"": "/home/me/.bittensor/wallets/default/hotkeys/default", "~/w": "/home/me/w/default/hotkeys/default", "/r/": "/r/default/hotkeys/default",
	} {
		if w, err := wallet.At(root, "", ""); err != nil || w.HotkeyFile() != want {
			t.Errorf("%q: %s, %v", root, w.HotkeyFile(), err)
		}
	}
}

// A wallet whose hotkeys cannot be listed does not hide the others.
func TestListGoesOn(t *testing.T) {
	w := at(t, t.TempDir(), "b")
	if err := w.SaveHotkey(generate(t), nil); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(w.Root, "a", "hotkeys"), []byte("no folder"))
	entries, err := wallet.List(w.Root)
	if err != nil || len(entries) != 2 || entries[0].Coldkey.Err == nil || len(entries[1].Hotkeys) != 1 {
		t.Errorf("%+v, %v", entries, err)
	}
}

func TestList(t *testing.T) {
	if entries, err := wallet.List(filepath.Join(t.TempDir(), "none")); err != nil || len(entries) != 0 {
		t.Errorf("no folder: %v, %v", entries, err)
	}
	w := at(t, t.TempDir(), "b")
	k := generate(t)
	if err := errors.Join(w.SaveColdkey(k, wallet.Password("pw")), w.SaveHotkey(k, nil)); err != nil {
		t.Fatal(err)
	}
	old := at(t, w.Root, "a") // without its public half
	if err := errors.Join(old.SaveHotkey(k, nil), os.Remove(old.HotkeypubFile())); err != nil {
		t.Fatal(err)
	}
	put(t, at(t, w.Root, "damaged").HotkeyFile(), []byte("{"))
	put(t, filepath.Join(w.Root, "stray file"), []byte("x"))
	put(t, filepath.Join(w.Root, "unrelated", "file"), []byte("x"))
	served, err := wallet.At(w.Root, "served", "")
	if err := errors.Join(err, served.SaveColdkeypub(k.Address())); err != nil {
		t.Fatal(err)
	}
	entries, err := wallet.List(w.Root)
	if err != nil || len(entries) != 2 {
		t.Fatalf("%d wallets, %v", len(entries), err)
	}
	var got []string
	for _, e := range entries {
		for _, l := range append([]wallet.Listed{e.Coldkey}, e.Hotkeys...) {
			got = append(got, fmt.Sprintf("%s %s %v", l.Name, l.Private, l.Err == nil && l.Address == k.Address()))
		}
	}
	want := "served  true, w nacl true, a none true, b none true, damaged none false"
	if s := strings.Join(got, ", "); s != want {
		t.Errorf("listed %s\nwant   %s", s, want)
	}
}

func TestParseSecret(t *testing.T) {
	k, err := wallet.FromPhrase(dev)
	if err != nil {
		t.Fatal(err)
	}
	f, _ := k.Encode()
	got := fields(t, k)
	for name, text := range map[string]string{
		"phrase": dev, "shouted": " " + strings.ToUpper(strings.ReplaceAll(dev, " ", " \t")) + "\n", "seed": got["secretSeed"], "seed without 0x": got["secretSeed"][2:],
		"private key": got["privateKey"], "file": string(f), "URI": dev + "///",
	} {
		k, err := wallet.ParseSecret([]byte(text))
		if err != nil || k.Address().String() != devAddress {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, text := range map[string]string{
		"nothing": " ", "a word": "bottom", "hex of 31 bytes": strings.Repeat("11", 31), "no hex": strings.Repeat("zz", 32), "no hex, long": strings.Repeat("zz", 64),
		"empty step": "//Alice/", "step after nothing": "//", "public file": `{"ss58Address":"` + alice + `"}`, "seed in URI": "0x11//x", "phrase in URI": "a b//x",
	} {
		if k, err := wallet.ParseSecret([]byte(text)); err == nil || strings.Contains(err.Error(), "zz") {
			t.Errorf("%s: %v, %v", name, k, err)
		}
	}
	if _, err := wallet.Dev(dev + "//Alice"); err == nil {
		t.Error("a phrase was taken for a development key")
	}
	for _, words := range []int{0, 11, 13, 25} {
		if _, err := wallet.Generate(words); !errors.Is(err, wallet.ErrPhrase) {
			t.Errorf("%d words: %v", words, err)
		}
	}
}

// TestRoundTrip: what is written is read back, in every encryption and size.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k, err := wallet.Generate(rapid.SampledFrom([]int{12, 15, 18, 21, 24}).Draw(t, "words"))
		if err != nil {
			t.Fatal(err)
		}
		data, err := k.Encode()
		if err != nil {
			t.Fatal(err)
		}
		password := []byte(rapid.String().Draw(t, "password"))
		sealed, err := wallet.Seal(data, password, cheap)
		if err != nil {
			t.Fatal(err)
		}
		plain, err := wallet.Unseal(sealed, password, cheap)
		if err != nil || !bytes.Equal(plain, data) {
			t.Fatalf("unseal: %v", err)
		}
		back, err := wallet.Decode(plain)
		if err != nil || back.Address() != k.Address() || back.Phrase() != k.Phrase() {
			t.Fatalf("decode: %v", err)
		}
		i := rapid.IntRange(5, len(sealed)-1).Draw(t, "damaged byte")
		sealed[i] ^= 1
		if _, err := wallet.Unseal(sealed, password, cheap); !errors.Is(err, wallet.ErrPassword) {
			t.Fatalf("damaged: %v", err)
		}
	})
}

func TestPrintingHidesSecrets(t *testing.T) {
	k, err := wallet.FromPhrase(dev) // none of whose words a logger says by itself
	if err != nil {
		t.Fatal(err)
	}
	p := wallet.Password("hunter22")
	var b strings.Builder
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", "k", k, "p", p)
	slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "k", k, "p", p)
	fmt.Fprintf(&b, "%v %+v %#v %s %x %d", k, k, k, k, k, k)
	fmt.Fprintf(&b, "%v %+v %#v %s %x %d", p, p, p, p, p, p)
	j, err := json.Marshal([]any{k, p, map[string]any{"k": k}})
	if err != nil {
		t.Fatal(err)
	}
	b.Write(j)
	for _, secret := range append(strings.Fields(k.Phrase()), "hunter22", "104 117", fmt.Sprintf("%x", "hunter22"), fields(t, k)["secretSeed"]) {
		if strings.Contains(b.String(), secret) {
			t.Errorf("%q was printed", secret)
		}
	}
	k.Wipe()
	if k.Phrase() != "" || k.Signer() != nil {
		t.Error("wiped, and still there")
	}
}

func TestNeedsWrapping(t *testing.T) {
	for message, want := range map[string]bool{
		"hello": false, "": false, "Grüße\n": false, strings.Repeat("x", 31): false, strings.Repeat("x", 32): true, strings.Repeat("x", 33): false,
		"\x00": true, "a\x7f": true, "\xff\xfe": true,
	} {
		if wallet.NeedsWrapping([]byte(message)) != want {
			t.Errorf("%q: want %v", message, want)
		}
	}
}
