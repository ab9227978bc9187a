package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"targon"
	"targon/wallet"
)

func newWalletImportCommand(o walletOutside) *cobra.Command {
	var which, from, uri, address string
	var plain bool
	cmd := &cobra.Command{
		Use:   "import",
		Short: "bring a key into a wallet from its phrase, seed or file",
		Long: "Import writes one key of a wallet from a phrase of 12 to 24 words, a seed of 64 or a private key of\n" +
			"128 hex digits, a URI such as PHRASE//path, or an unencrypted Bittensor key file. It is asked for, or\n" +
			"read from a file of mode 0600. --address brings the public half of a coldkey only, which is all that a\n" +
			"machine that serves needs. Nothing is overwritten.",
		Example: "targon wallet import --key coldkey --from phrase.txt\n" +
			"targon wallet import --key hotkey --uri //Alice\n" +
			"targon wallet import --key coldkey --address 5DfhGyQdFobKM8NsWvEeAKk5EQQgYe9AydgJ7rMB6E1EqRzV",
		Args: cobra.NoArgs,
	}
	f := bindWallet(cmd)
	f.bindPassword(cmd)
	f.bindJSON(cmd)
	cmd.Flags().StringVar(&which, "key", "", "which key it is to be: coldkey or hotkey")
	cmd.Flags().StringVar(&from, "from", "", "`file` of mode 0600 with the secret, - for standard input")
	cmd.Flags().StringVar(&uri, "uri", "", "`path` of a development key such as //Alice")
	cmd.Flags().StringVar(&address, "address", "", "SS58 `address` of a coldkey, to be known without its secret")
	cmd.Flags().BoolVar(&plain, "no-password", false, "do not encrypt the coldkey")
	require(cmd, "key")
	cmd.MarkFlagsMutuallyExclusive("from", "uri", "address")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		w, err := f.at(o)
		if err != nil {
			return err
		}
		if _, err := whichKey(which); err != nil {
			return err
		}
		if address != "" {
			return importAddress(cmd, w, f, which, address)
		}
		k, err := readKey(cmd, o, from, uri)
		if err != nil {
			return err
		}
		defer k.Wipe()
		if err := saveImported(cmd, w, f, creation{cold: which == "coldkey", plain: plain, outside: o}, k); err != nil {
			return err
		}
		return printImported(cmd.OutOrStdout(), w, f, which)
	}
	return cmd
}

// readKey gets the secret from where the flags say.
func readKey(cmd *cobra.Command, o walletOutside, from, uri string) (*wallet.Key, error) {
	var text []byte
	var err error
	switch {
	case uri != "":
		return wallet.Dev(uri)
	case from == "-":
		text, err = io.ReadAll(io.LimitReader(cmd.InOrStdin(), 64<<10))
	case from != "":
		text, err = wallet.ReadSecretFile(from)
	default:
		text, err = o.secret(cmd.Context(), "Phrase, seed or private key: ")
	}
	defer clear(text)
	if err != nil {
		return nil, err
	}
	return wallet.ParseSecret(text)
}

func saveImported(cmd *cobra.Command, w wallet.Wallet, f *walletFlags, c creation, k *wallet.Key) error {
	if !c.cold {
		return w.SaveHotkey(k, nil)
	}
	if there, err := anyFile(w.ColdkeyFile()); err != nil {
		return err
	} else if there { // before a password is asked for
		return fmt.Errorf("%s %w", w.ColdkeyFile(), wallet.ErrExists)
	}
	return saveColdkey(cmd, w, f, c, k)
}

func importAddress(cmd *cobra.Command, w wallet.Wallet, f *walletFlags, which, address string) error {
	if which != "coldkey" {
		return errors.New("--address is for --key coldkey: a hotkey is of no use without its secret")
	}
	h, err := targon.ParseHotkey(address)
	if err != nil {
		return err
	}
	if there, err := anyFile(w.ColdkeyFile()); err != nil {
		return err
	} else if there {
		return fmt.Errorf("%s %w", w.ColdkeyFile(), wallet.ErrExists)
	}
	if err := w.SaveColdkeypub(h); err != nil {
		return err
	}
	return printImported(cmd.OutOrStdout(), w, f, "coldkeypub")
}

func printImported(out io.Writer, w wallet.Wallet, f *walletFlags, kind string) error {
	made := walletMade{Name: w.Name, Path: w.Folder(), Created: []string{kind}}
	made.addresses(w)
	if f.json {
		return printJSON(out, made)
	}
	return made.print(out, nil)
}

// readMessage returns the text of --message, or the bytes of --message-file.
func readMessage(cmd *cobra.Command, text, file string) ([]byte, error) {
	const most = 16 << 20
	switch file {
	case "":
		return []byte(text), nil
	case "-":
		return atMost(cmd.InOrStdin(), most)
	}
	in, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("read message: %w", err)
	}
	defer func() { _ = in.Close() }()
	return atMost(in, most)
}

func atMost(in io.Reader, most int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(in, most+1))
	if err != nil {
		return nil, fmt.Errorf("read message: %w", err)
	}
	if int64(len(data)) > most {
		return nil, fmt.Errorf("read message: longer than %d bytes", most)
	}
	return data, nil
}
