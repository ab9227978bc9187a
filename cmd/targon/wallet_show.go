package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"targon"
	"targon/wallet"
)

// walletListed is one key in the output of `list` and `show`.
type walletListed struct {
	Name       string `json:"name"`
	Address    string `json:"address,omitempty"`
	PublicKey  string `json:"public_key,omitempty"`
	Encryption string `json:"encryption,omitempty"` // of the private file; left out if there is none
	Error      string `json:"error,omitempty"`
}

// walletEntry is one wallet in the output of `list` and `show`.
type walletEntry struct {
	Name    string         `json:"name"`
	Path    string         `json:"path"`
	Coldkey *walletListed  `json:"coldkey,omitempty"`
	Hotkeys []walletListed `json:"hotkeys"`
}

func listed(l wallet.Listed) walletListed {
	out := walletListed{Name: l.Name, Encryption: string(l.Private)}
	if l.Err != nil {
		out.Error = l.Err.Error()
		return out
	}
	out.Address, out.PublicKey = l.Address.String(), "0x"+hex.EncodeToString(l.Address[:])
	return out
}

func entryOf(root string, e wallet.Entry) (walletEntry, error) {
	w, err := wallet.At(root, e.Coldkey.Name, "")
	out := walletEntry{Name: w.Name, Path: w.Folder(), Hotkeys: []walletListed{}}
	if e.Coldkey.Private != "" || !errors.Is(e.Coldkey.Err, wallet.ErrNoKey) {
		c := listed(e.Coldkey)
		out.Coldkey = &c
	}
	for _, h := range e.Hotkeys {
		out.Hotkeys = append(out.Hotkeys, listed(h))
	}
	return out, err
}

func newWalletListCommand(o walletOutside) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "list wallets and their addresses",
		Example: "targon wallet list --json",
		Args:    cobra.NoArgs,
	}
	f := bindWallet(cmd)
	f.bindJSON(cmd)
	for _, unused := range []string{"wallet.name", "wallet.hotkey"} { // accepted, for copied commands
		cmd.Flags().Lookup(unused).Hidden = true
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		w, err := f.at(o)
		if err != nil {
			return err
		}
		entries, err := wallet.List(w.Root)
		if err != nil {
			return err
		}
		out := struct {
			Path    string        `json:"path"`
			Wallets []walletEntry `json:"wallets"`
		}{w.Root, []walletEntry{}}
		for _, e := range entries {
			one, err := entryOf(w.Root, e)
			if err != nil {
				return err
			}
			out.Wallets = append(out.Wallets, one)
		}
		if f.json {
			return printJSON(cmd.OutOrStdout(), out)
		}
		if len(out.Wallets) == 0 {
			fmt.Fprintf(cmd.ErrOrStderr(), "targon: no wallets in %s\n", w.Root)
		}
		return printEntries(cmd.OutOrStdout(), out.Wallets)
	}
	return cmd
}

func printEntries(out io.Writer, entries []walletEntry) error {
	var b strings.Builder
	line := func(indent string, l walletListed) {
		what := l.Address
		if what == "" {
			what = "! " + l.Error
		}
		if l.Encryption == "" {
			what += " (public half only)"
		} else if l.Encryption != string(wallet.Plain) {
			what += " (encrypted)"
		}
		fmt.Fprintf(&b, "%-24s %s\n", indent+l.Name, what)
	}
	for _, e := range entries {
		if e.Coldkey != nil {
			line("", *e.Coldkey)
		} else {
			fmt.Fprintf(&b, "%-24s no coldkey\n", e.Name)
		}
		for _, h := range e.Hotkeys {
			line("  ", h)
		}
	}
	if _, err := io.WriteString(out, b.String()); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

func newWalletShowCommand(o walletOutside) *cobra.Command {
	var which string
	var phrase bool
	cmd := &cobra.Command{
		Use:   "show",
		Short: "show one wallet's addresses, or a key's phrase",
		Example: "targon wallet show --wallet.name default\n" +
			"targon wallet show --key coldkey --phrase",
		Args: cobra.NoArgs,
	}
	f := bindWallet(cmd)
	f.bindPassword(cmd)
	f.bindJSON(cmd)
	cmd.Flags().StringVar(&which, "key", "coldkey", "which key --phrase is about: coldkey or hotkey")
	cmd.Flags().BoolVar(&phrase, "phrase", false, "print the phrase that restores the key")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		w, err := f.at(o)
		if err != nil {
			return err
		}
		if _, err := whichKey(which); err != nil {
			return err
		}
		if phrase {
			return showPhrase(cmd, w, f, which, o)
		}
		return showWallet(cmd, w, f)
	}
	return cmd
}

func showWallet(cmd *cobra.Command, w wallet.Wallet, f *walletFlags) error {
	e, err := w.Entry()
	if err != nil {
		return err
	}
	one, err := entryOf(w.Root, e)
	if err != nil {
		return err
	}
	if one.Coldkey == nil && len(one.Hotkeys) == 0 {
		return fmt.Errorf("no wallet %s in %s: targon wallet list shows what is there", w.Name, w.Root)
	}
	if f.json {
		return printJSON(cmd.OutOrStdout(), one)
	}
	return printEntries(cmd.OutOrStdout(), []walletEntry{one})
}

func showPhrase(cmd *cobra.Command, w wallet.Wallet, f *walletFlags, which string, o walletOutside) error {
	k, err := unlockKey(w, which, f.passwords(cmd.Context(), o))
	if err != nil {
		return err
	}
	defer k.Wipe()
	if k.Phrase() == "" {
		return fmt.Errorf("the %s was made from a seed or private key, no phrase is known", which)
	}
	if f.json {
		return printJSON(cmd.OutOrStdout(), struct {
			Address targon.Hotkey `json:"address"`
			Phrase  string        `json:"phrase"`
		}{k.Address(), k.Phrase()})
	}
	if _, err := fmt.Fprintln(cmd.OutOrStdout(), k.Phrase()); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}
