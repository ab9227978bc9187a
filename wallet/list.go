package wallet

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"targon"
)

// Listed is one key of a listing. Err says why it has no address.
type Listed struct {
	Name    string
	Address targon.Hotkey
	Private Encryption // of the private file; empty if there is none
	Err     error
}

// Entry is one wallet of a listing; the coldkey's Name is the wallet's.
type Entry struct {
	Coldkey Listed
	Hotkeys []Listed
}

// List returns the wallets below a root, by name. It needs no password, and a
// damaged key does not hide the others. A root that is not there is empty.
func List(root string) ([]Entry, error) {
	w, err := At(root, "", "")
	if err != nil {
		return nil, err
	}
	folders, err := os.ReadDir(w.Root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list wallets: %w", err)
	}
	var out []Entry
	for _, f := range folders {
		w, err := At(w.Root, f.Name(), "")
		if info, serr := os.Stat(filepath.Join(w.Root, f.Name())); err != nil || serr != nil || !info.IsDir() {
			continue
		}
		e, err := w.Entry()
		if err != nil { // of this wallet; the others are shown
			e.Coldkey.Err = err
		}
		if e.Coldkey.Private != "" || e.Coldkey.Err == nil || len(e.Hotkeys) > 0 || err != nil {
			out = append(out, e)
		}
	}
	return out, nil
}

// Entry lists the wallet's keys.
func (w Wallet) Entry() (Entry, error) {
	e := Entry{Coldkey: list(w.Name, w.ColdkeyFile(), w.ColdkeypubFile())}
	files, err := os.ReadDir(filepath.Dir(w.HotkeyFile()))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return e, fmt.Errorf("list hotkeys: %w", err)
	}
	seen := map[string]bool{}
	for _, f := range files {
		name := strings.TrimSuffix(f.Name(), "pub.txt")
		one, err := At(w.Root, w.Name, name)
		if err != nil || name == "" || f.IsDir() || seen[name] {
			continue
		}
		seen[name] = true
		e.Hotkeys = append(e.Hotkeys, list(name, one.HotkeyFile(), one.HotkeypubFile()))
	}
	return e, nil
}

func list(name, file, public string) Listed {
	l := Listed{Name: name}
	l.Address, l.Err = addressOf(file, public)
	head := make([]byte, len(ansiblePrefix))
	if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() {
		return l
	}
	f, err := os.Open(file)
	if err != nil {
		return l // addressOf said so, unless the public half is enough
	}
	defer func() { _ = f.Close() }()
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		l.Err = fmt.Errorf("read key: %w", err)
	}
	l.Private = EncryptionOf(head[:n])
	return l
}
