package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"targon"
	"targon/wallet"
)

// walletMade is what `create` and `import` print with --json.
type walletMade struct {
	Name       string   `json:"name"`
	Path       string   `json:"path"`
	Coldkey    string   `json:"coldkey,omitempty"`
	HotkeyName string   `json:"hotkey_name,omitempty"`
	Hotkey     string   `json:"hotkey,omitempty"`
	Created    []string `json:"created"`
}

func newWalletCreateCommand(o walletOutside) *cobra.Command {
	var which string
	var words int
	var plain bool
	cmd := &cobra.Command{
		Use:   "create",
		Short: "make a wallet: an encrypted coldkey and a hotkey",
		Long: "Create makes the keys of a wallet that are not there yet: a wallet that has its coldkey, or only\n" +
			"coldkeypub.txt, gets another hotkey. Nothing is overwritten. The phrases, which restore the keys, are\n" +
			"printed once; with --json they are not, and `targon wallet show --phrase` prints them.",
		Example: "targon wallet create --wallet.name default --wallet.hotkey default",
		Args:    cobra.NoArgs,
	}
	f := bindWallet(cmd)
	f.bindPassword(cmd)
	f.bindJSON(cmd)
	cmd.Flags().StringVar(&which, "key", "both", "what to make: coldkey, hotkey or both")
	cmd.Flags().IntVar(&words, "words", 12, "length of the phrase: 12, 15, 18, 21 or 24")
	cmd.Flags().BoolVar(&plain, "no-password", false, "do not encrypt the coldkey")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		w, err := f.at(o)
		if err != nil {
			return err
		}
		if _, err := whichKey(which, "both"); err != nil {
			return err
		}
		cold, hot, err := missing(w, which)
		if err != nil {
			return err
		}
		return createKeys(cmd, w, f, creation{cold: cold, hot: hot, words: words, plain: plain, outside: o})
	}
	return cmd
}

// missing says which of the wanted keys are to be made. A key is there if either of
// its files is.
func missing(w wallet.Wallet, which string) (cold, hot bool, err error) {
	haveCold, err := anyFile(w.ColdkeyFile(), w.ColdkeypubFile())
	if err != nil {
		return false, false, err
	}
	haveHot, err := anyFile(w.HotkeyFile(), w.HotkeypubFile())
	if err != nil {
		return false, false, err
	}
	cold, hot = which != "hotkey" && !haveCold, which != "coldkey" && !haveHot
	if cold || hot {
		return cold, hot, nil
	}
	return false, false, fmt.Errorf("%s of wallet %s (hotkey %s) in %s: %w; choose another --wallet.name or --wallet.hotkey, or move the files away",
		map[string]string{"both": "both keys", "coldkey": "the coldkey", "hotkey": "the hotkey"}[which], w.Name, w.Hotkey, w.Root, wallet.ErrExists)
}

func anyFile(paths ...string) (bool, error) {
	for _, p := range paths {
		if _, err := os.Lstat(p); err == nil {
			return true, nil
		} else if !errors.Is(err, os.ErrNotExist) {
			return false, fmt.Errorf("look for key: %w", err)
		}
	}
	return false, nil
}

// creation says which keys to make and how.
type creation struct {
	cold, hot bool
	words     int
	plain     bool
	outside   walletOutside
}

func createKeys(cmd *cobra.Command, w wallet.Wallet, f *walletFlags, c creation) error {
	made := walletMade{Name: w.Name, Path: w.Folder()}
	var phrases []string
	one := func(kind string, save func(*wallet.Key) error) error {
		k, err := wallet.Generate(c.words)
		if err != nil {
			return err
		}
		defer k.Wipe()
		if err := save(k); err != nil {
			return err
		}
		made.Created = append(made.Created, kind)
		phrases = append(phrases, k.Phrase())
		return nil
	}
	if c.cold {
		if err := one("coldkey", func(k *wallet.Key) error { return saveColdkey(cmd, w, f, c, k) }); err != nil {
			return err
		}
	}
	if c.hot {
		if err := one("hotkey", func(k *wallet.Key) error { return w.SaveHotkey(k, nil) }); err != nil {
			return err
		}
	}
	made.addresses(w)
	if f.json {
		return printJSON(cmd.OutOrStdout(), made)
	}
	return made.print(cmd.OutOrStdout(), phrases)
}

func saveColdkey(cmd *cobra.Command, w wallet.Wallet, f *walletFlags, c creation, k *wallet.Key) error {
	if c.plain {
		return w.SaveColdkey(k, nil)
	}
	p, err := f.newPassword(cmd, c.outside, w.ColdkeyFile())
	if err != nil {
		return err
	}
	defer clear(p)
	return w.SaveColdkey(k, p)
}

// addresses fills in what the wallet has now.
func (m *walletMade) addresses(w wallet.Wallet) {
	m.Coldkey, m.Hotkey = addressOr(w.ColdkeyAddress()), addressOr(w.HotkeyAddress())
	if m.Hotkey != "" {
		m.HotkeyName = w.Hotkey
	}
}

// addressOr is for output: a key without an address is left out.
func addressOr(h targon.Hotkey, err error) string {
	if err != nil {
		return ""
	}
	return h.String()
}

// print shows what was made, and each new key's phrase.
func (m walletMade) print(out io.Writer, phrases []string) error {
	var text strings.Builder
	fmt.Fprintf(&text, "wallet   %s\ncoldkey  %s\nhotkey   %s\n", m.Path, orNone(m.Coldkey), orNone(strings.TrimSpace(m.Hotkey+" "+m.HotkeyName)))
	for i, kind := range m.Created {
		if i < len(phrases) && phrases[i] != "" {
			fmt.Fprintf(&text, "\nThe %s's phrase. Whoever has it has the key; write it down, it is the only backup:\n\n  %s\n", kind, phrases[i])
		}
	}
	if _, err := io.WriteString(out, text.String()); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
