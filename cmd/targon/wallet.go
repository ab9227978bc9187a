package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"targon/sign"
	"targon/wallet"
)

// walletOutside is what the wallet commands need besides files, so that tests can
// type passwords and need not pay for Bittensor's key derivation.
type walletOutside struct {
	kdf    wallet.KDF
	lookup func(name string) (string, bool)                         // environment
	secret func(ctx context.Context, prompt string) ([]byte, error) // a line typed without echo
}

// walletFlags are Bittensor's.
type walletFlags struct {
	name, hotkey, path string
	passwordFile       string
	json               bool
	flags              *pflag.FlagSet
}

// newWalletCommand returns the tools that make, list and use keys.
func newWalletCommand() *cobra.Command { return newWalletCommandWith(realWalletOutside()) }

func realWalletOutside() walletOutside {
	return walletOutside{kdf: wallet.BittensorKDF, lookup: os.LookupEnv, secret: typeSecret}
}

// password asks for the password of a key file.
func (o walletOutside) password(ctx context.Context, prompt, file string) (wallet.Password, error) {
	p, err := o.secret(ctx, prompt+" "+file+": ")
	if errors.Is(err, errNoTerminal) {
		names := wallet.Variables(file)
		return nil, fmt.Errorf("%s needs a password and there is no terminal to ask at: use --password-file or the variable %s", file, names[len(names)-1])
	}
	return p, err
}

func newWalletCommandWith(o walletOutside) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "wallet",
		Short: "make, list and use keys in Bittensor's wallets",
		Long: "Wallets lie where Bittensor has them and are the same files, so either program reads the other's.\n" +
			"A coldkey owns, a hotkey works: a machine that serves needs the hotkey and coldkeypub.txt only.\n\n" +
			"A password is read from --password-file, else from the variable BT_PW_ and the key file's path in\n" +
			"capitals with / and . replaced by _, else it is asked for. It is never an argument.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newWalletCreateCommand(o), newWalletImportCommand(o), newWalletListCommand(o),
		newWalletShowCommand(o), newWalletSignCommand(o), newWalletVerifyCommand())
	for _, sub := range cmd.Commands() {
		run := sub.RunE
		sub.RunE = func(cmd *cobra.Command, args []string) error { return walletFault(run(cmd, args)) }
	}
	return cmd
}

// walletFault marks what only other flags, files or passwords can mend, which is all but
// a signature that is not one and what the machine refuses.
func walletFault(err error) error {
	_, refused := errors.AsType[*fs.PathError](err)
	if errors.Is(err, sign.ErrSignature) || refused {
		return err
	}
	return usage(err)
}

// bindWallet adds the flags that say which wallet is meant.
func bindWallet(cmd *cobra.Command) *walletFlags {
	f := cmd.Flags()
	w := &walletFlags{flags: f}
	f.StringVar(&w.name, "wallet.name", "", "the coldkey's `name` (default $BT_WALLET_NAME or default)")
	f.StringVar(&w.hotkey, "wallet.hotkey", "", "the hotkey's `name` (default $BT_WALLET_HOTKEY or default)")
	f.StringVar(&w.path, "wallet.path", "", "`folder` of wallets (default $BT_WALLET_PATH or "+wallet.DefaultRoot+")")
	return w
}

func (w *walletFlags) bindJSON(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&w.json, "json", false, "print one JSON object")
}

func (w *walletFlags) bindPassword(cmd *cobra.Command) {
	cmd.Flags().StringVar(&w.passwordFile, "password-file", "", "`file` of mode 0600 with the password on one line")
}

// at finds the wallet that the flags, else the environment, else the defaults name. A
// flag that is given and empty, as from a script's variable that is not set, means
// none: the default wallet is somebody else's money.
func (w *walletFlags) at(o walletOutside) (wallet.Wallet, error) {
	for _, name := range []string{"wallet.name", "wallet.hotkey", "wallet.path"} {
		if f := w.flags.Lookup(name); f != nil && f.Changed && f.Value.String() == "" {
			return wallet.Wallet{}, fmt.Errorf("--%s is empty: name one, or leave the flag out", name)
		}
	}
	or := func(flag, variable string) string {
		if flag != "" {
			return flag
		}
		value, _ := o.lookup(variable)
		return value
	}
	out, err := wallet.At(or(w.path, "BT_WALLET_PATH"), or(w.name, "BT_WALLET_NAME"), or(w.hotkey, "BT_WALLET_HOTKEY"))
	out.KDF = o.kdf
	return out, err
}

// passwords are those that the user gives for keys that exist: file, environment,
// prompt, in this order.
func (w *walletFlags) passwords(ctx context.Context, o walletOutside) wallet.Passwords {
	typed := func(file string) ([]wallet.Password, error) {
		p, err := o.password(ctx, "Password of", file)
		return []wallet.Password{p}, err
	}
	if w.passwordFile != "" {
		return wallet.FromFile(w.passwordFile)
	}
	return wallet.FirstOf(wallet.FromEnvironment(o.lookup), typed)
}

// minPassword is for passwords that a person makes up at a prompt.
const minPassword = 8

// newPassword is the one to encrypt a new key with.
func (w *walletFlags) newPassword(cmd *cobra.Command, o walletOutside, file string) (wallet.Password, error) {
	given := wallet.FromEnvironment(o.lookup)
	if w.passwordFile != "" {
		given = wallet.FromFile(w.passwordFile)
	}
	if found, err := given(file); err != nil || len(found) > 0 {
		if len(found) > 1 {
			fmt.Fprintf(cmd.ErrOrStderr(), "targon: the password in %s is read in Bittensor's disguise\n", wallet.Variables(file)[0])
		}
		if err != nil {
			return nil, err
		}
		return found[0], nil
	}
	p, err := o.password(cmd.Context(), "New password for", file)
	if err != nil {
		return nil, err
	}
	if len([]rune(string(p))) < minPassword {
		return nil, fmt.Errorf("a new password has at least %d characters", minPassword)
	}
	again, err := o.secret(cmd.Context(), "Once more: ")
	if err != nil {
		return nil, err
	}
	defer clear(again)
	if string(again) != string(p) {
		return nil, errors.New("the two passwords differ, nothing was written")
	}
	return p, nil
}

// whichKey reads --key.
func whichKey(value string, also ...string) (string, error) {
	if slices.Contains(append([]string{"hotkey", "coldkey"}, also...), value) {
		return value, nil
	}
	return "", fmt.Errorf("--key %q, want hotkey or coldkey", value)
}

// unlockKey opens one of a wallet's keys. The caller wipes it.
func unlockKey(w wallet.Wallet, which string, p wallet.Passwords) (*wallet.Key, error) {
	if which == "coldkey" {
		return w.UnlockColdkey(p)
	}
	return w.UnlockHotkey(p)
}

// printJSON writes one line.
func printJSON(out io.Writer, v any) error {
	if err := json.NewEncoder(out).Encode(v); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}
