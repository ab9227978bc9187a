package wallet

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"targon"
	"targon/sign"
)

// Bittensor's defaults (btwallet, src/constants.rs).
const (
	DefaultRoot   = "~/.bittensor/wallets"
	DefaultName   = "default"
	DefaultHotkey = "default"
)

// ErrName is returned for a name that cannot be a file's.
var ErrName = errors.New("not a wallet's or hotkey's name")

// Wallet is a coldkey and one of its hotkeys in a folder of wallets:
//
//	ROOT/NAME/coldkey          private, encrypted as a rule
//	ROOT/NAME/coldkeypub.txt   public
//	ROOT/NAME/hotkeys/HOTKEY          private, plain as a rule
//	ROOT/NAME/hotkeys/HOTKEYpub.txt   public
//
// The fields are set by [At]. KDF may be replaced in tests by a cheap one.
type Wallet struct {
	Root, Name, Hotkey string
	KDF                KDF
}

// At names a wallet; empty strings are Bittensor's defaults, and a root may begin
// with ~. Nothing is read.
func At(root, name, hotkey string) (Wallet, error) {
	w := Wallet{Root: or(root, DefaultRoot), Name: or(name, DefaultName), Hotkey: or(hotkey, DefaultHotkey), KDF: BittensorKDF}
	for _, n := range []string{w.Name, w.Hotkey} {
		if strings.ContainsAny(n, "/\\\x00\n") || strings.HasPrefix(n, ".") || strings.HasSuffix(n, "pub.txt") || len(n) > 200 {
			return Wallet{}, fmt.Errorf("%w: %q", ErrName, n)
		}
	}
	root, err := expand(w.Root)
	w.Root = root
	return w, err
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// expand replaces a leading ~ by the home folder.
func expand(path string) (string, error) {
	if path != "~" && !strings.HasPrefix(path, "~/") {
		return path, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find wallets: %w", err)
	}
	return filepath.Join(home, path[1:]), nil
}

// Folder is where the wallet lies.
func (w Wallet) Folder() string { return filepath.Join(w.Root, w.Name) }

// ColdkeyFile is the coldkey's private file.
func (w Wallet) ColdkeyFile() string { return filepath.Join(w.Folder(), "coldkey") }

// ColdkeypubFile is the coldkey's public file.
func (w Wallet) ColdkeypubFile() string { return filepath.Join(w.Folder(), "coldkeypub.txt") }

// HotkeyFile is the hotkey's private file.
func (w Wallet) HotkeyFile() string { return filepath.Join(w.Folder(), "hotkeys", w.Hotkey) }

// HotkeypubFile is the hotkey's public file.
func (w Wallet) HotkeypubFile() string { return w.HotkeyFile() + "pub.txt" }

// LoadHotkey opens the hotkey. Passwords is asked only if it is encrypted, which
// is rare, and may be nil.
func (w Wallet) LoadHotkey(p Passwords) (*sign.Key, error) {
	k, err := w.UnlockHotkey(p)
	if err != nil {
		return nil, err
	}
	defer k.Wipe()
	return k.Signer(), nil
}

// UnlockHotkey opens the hotkey with what it was made from; it is for tools that
// show or back up keys.
func (w Wallet) UnlockHotkey(p Passwords) (*Key, error) {
	return w.unlock(w.HotkeyFile(), w.HotkeypubFile(), p)
}

// UnlockColdkey opens the coldkey. It is for commands that a person runs, never
// for a daemon: a coldkey owns the stake. The caller wipes it.
func (w Wallet) UnlockColdkey(p Passwords) (*Key, error) {
	return w.unlock(w.ColdkeyFile(), w.ColdkeypubFile(), p)
}

// unlock opens a private file, and holds it to the public one beside it, if there
// is one.
func (w Wallet) unlock(file, public string, p Passwords) (*Key, error) {
	data, err := readPrivate(file)
	if err != nil {
		return nil, err
	}
	defer clear(data)
	plain, err := w.decrypt(file, data, p)
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	k, err := Decode(plain)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	h, err := readAddress(public)
	if err == nil && h != k.Address() {
		err = fmt.Errorf("%s: %w: %s and %s", public, ErrMismatch, h, k.Address())
	}
	if err != nil && !errors.Is(err, ErrNoKey) {
		k.Wipe()
		return nil, err
	}
	return k, nil
}

func (w Wallet) decrypt(file string, data []byte, p Passwords) ([]byte, error) {
	switch EncryptionOf(data) {
	case Plain:
		return Unseal(data, nil, nil)
	case Legacy:
		return nil, fmt.Errorf("%s: %w: import it from its phrase", file, ErrLegacy)
	default: // needs a password
	}
	var passwords []Password
	if p != nil {
		var err error
		if passwords, err = p(file); err != nil {
			return nil, err
		}
	}
	err := ErrNoPassword
	for _, password := range passwords {
		var plain []byte
		if plain, err = Unseal(data, password, w.KDF); err == nil || !errors.Is(err, ErrPassword) {
			clearAll(passwords)
			return plain, named(file, err)
		}
	}
	clearAll(passwords)
	return nil, named(file, err)
}

func named(file string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", file, err)
}

func clearAll(passwords []Password) {
	for _, p := range passwords {
		clear(p)
	}
}

func readAddress(file string) (targon.Hotkey, error) {
	data, err := readPublic(file)
	if err != nil {
		return targon.Hotkey{}, err
	}
	defer clear(data)
	h, err := DecodeAddress(data)
	return h, named(file, err)
}

// HotkeyAddress returns the hotkey's public key without a password: from its
// public file or, wallets before Bittensor 3 having none, from a plain private one.
func (w Wallet) HotkeyAddress() (targon.Hotkey, error) {
	return addressOf(w.HotkeyFile(), w.HotkeypubFile())
}

// ColdkeyAddress returns the coldkey's public key without a password.
func (w Wallet) ColdkeyAddress() (targon.Hotkey, error) {
	return addressOf(w.ColdkeyFile(), w.ColdkeypubFile())
}

func addressOf(file, public string) (targon.Hotkey, error) {
	h, err := readAddress(public)
	if !errors.Is(err, ErrNoKey) {
		return h, err
	}
	data, err := readPrivate(file)
	if err != nil {
		return h, err
	}
	defer clear(data)
	if EncryptionOf(data) != Plain {
		return h, fmt.Errorf("%w: %s, and %s is encrypted", ErrNoKey, public, file)
	}
	h, err = DecodeAddress(data)
	return h, named(file, err)
}

// SaveHotkey writes the hotkey, encrypted if there is a password.
func (w Wallet) SaveHotkey(k *Key, password Password) error {
	return w.save(k, password, w.HotkeyFile(), w.HotkeypubFile())
}

// SaveColdkey writes the coldkey, encrypted if there is a password.
func (w Wallet) SaveColdkey(k *Key, password Password) error {
	return w.save(k, password, w.ColdkeyFile(), w.ColdkeypubFile())
}

// SaveColdkeypub writes the coldkey's public file alone, as serving machines have it.
func (w Wallet) SaveColdkeypub(h targon.Hotkey) error { return savePublic(w.ColdkeypubFile(), h) }

// save writes the private file first: were it to fail in between, the key is there.
func (w Wallet) save(k *Key, password Password, file, public string) error {
	if there, err := exists(file); err != nil {
		return err
	} else if there {
		return fmt.Errorf("%s %w", file, ErrExists)
	}
	// A public file of another key is somebody's; of this key, welcome.
	if h, err := readAddress(public); err == nil && h != k.Address() {
		return fmt.Errorf("%s %w: it names %s", public, ErrExists, h)
	} else if err != nil && !errors.Is(err, ErrNoKey) {
		return err
	}
	data, err := k.Encode()
	if err != nil {
		return err
	}
	defer func() { clear(data) }()
	if len(password) > 0 {
		plain := data
		data, err = Seal(plain, password, w.KDF)
		clear(plain)
		if err != nil {
			return err
		}
	}
	if err := writeNew(file, data); err != nil {
		return err
	}
	if err := savePublic(public, k.Address()); err != nil && !errors.Is(err, ErrExists) {
		return err
	}
	return nil
}

func savePublic(file string, h targon.Hotkey) error {
	data, err := EncodeAddress(h)
	if err != nil {
		return err
	}
	return writeNew(file, data)
}
