package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"targon"
	"targon/wallet"
)

func newWalletSignCommand(o walletOutside) *cobra.Command {
	var which, dev, message, file string
	var wrap bool
	cmd := &cobra.Command{
		Use:   "sign",
		Short: "sign a message",
		Long: "Sign signs a message with the hotkey, or with the coldkey. A text is signed as it is. What is not a\n" +
			"text, or has 32 bytes, is signed between <Bytes> and </Bytes>, so that it cannot be a transaction; the\n" +
			"tools of Bittensor and Polkadot verify both.",
		Example: "targon wallet sign --message hello\n" +
			"targon wallet sign --wallet.dev //Alice --message hello --json",
		Args: cobra.NoArgs,
	}
	f := bindWallet(cmd)
	f.bindPassword(cmd)
	f.bindJSON(cmd)
	cmd.Flags().StringVar(&which, "key", "hotkey", "which key signs: hotkey or coldkey")
	cmd.Flags().StringVar(&dev, "wallet.dev", "", "sign with a development key such as //Alice instead")
	cmd.Flags().StringVar(&message, "message", "", "`text` to sign")
	cmd.Flags().StringVar(&file, "message-file", "", "`file` to sign, - for standard input")
	cmd.Flags().BoolVar(&wrap, "wrap", false, "sign a text between <Bytes> and </Bytes> too")
	cmd.MarkFlagsMutuallyExclusive("message", "message-file")
	cmd.MarkFlagsOneRequired("message", "message-file")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		text, err := readMessage(cmd, message, file)
		if err != nil {
			return err
		}
		k, err := signingKey(cmd, f, which, dev, o)
		if err != nil {
			return err
		}
		defer k.Wipe()
		return signMessage(cmd, k, text, wrap || wallet.NeedsWrapping(text), f.json)
	}
	return cmd
}

func signingKey(cmd *cobra.Command, f *walletFlags, which, dev string, o walletOutside) (*wallet.Key, error) {
	if dev != "" {
		return wallet.Dev(dev)
	}
	w, err := f.at(o)
	if err != nil {
		return nil, err
	}
	if which, err = whichKey(which); err != nil {
		return nil, err
	}
	return unlockKey(w, which, f.passwords(cmd.Context(), o))
}

func signMessage(cmd *cobra.Command, k *wallet.Key, text []byte, wrap, asJSON bool) error {
	if wrap {
		text = wallet.Wrapped(text)
	}
	sig, err := k.Signer().Sign(text)
	if err != nil {
		return err
	}
	printed := "0x" + hex.EncodeToString(sig[:])
	if asJSON {
		return printJSON(cmd.OutOrStdout(), struct {
			Address   targon.Hotkey `json:"address"`
			Signature string        `json:"signature"`
			Wrapped   bool          `json:"wrapped"`
		}{k.Address(), printed, wrap})
	}
	if _, err := fmt.Fprintf(cmd.OutOrStdout(), "address    %s\nsignature  %s\n", k.Address(), printed); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

func newWalletVerifyCommand() *cobra.Command {
	var address, signature, message, file string
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "verify",
		Short:   "check a signature of a message",
		Long:    "Verify checks a signature of a message or of the message between <Bytes> and </Bytes>. If it does not\nverify, the exit status is 1.",
		Example: "targon wallet verify --address 5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY --message hello --signature 0x…",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			h, err := targon.ParseHotkey(address)
			if err != nil {
				return fmt.Errorf("--address: %w", err)
			}
			sig, err := parseSignature(signature)
			if err != nil {
				return err
			}
			text, err := readMessage(cmd, message, file)
			if err != nil {
				return err
			}
			return verifyMessage(cmd, h, text, sig, asJSON)
		},
	}
	f := cmd.Flags()
	f.StringVar(&address, "address", "", "the signer's SS58 `address`")
	f.StringVar(&signature, "signature", "", "128 hex `digits`, with or without 0x")
	f.StringVar(&message, "message", "", "`text` that was signed")
	f.StringVar(&file, "message-file", "", "`file` that was signed, - for standard input")
	f.BoolVar(&asJSON, "json", false, "print one JSON object")
	require(cmd, "address", "signature")
	cmd.MarkFlagsMutuallyExclusive("message", "message-file")
	cmd.MarkFlagsOneRequired("message", "message-file")
	return cmd
}

func verifyMessage(cmd *cobra.Command, h targon.Hotkey, text []byte, sig targon.Signature, asJSON bool) error {
	verdict := wallet.Verify(h, text, sig)
	if asJSON {
		err := printJSON(cmd.OutOrStdout(), struct {
			Address targon.Hotkey `json:"address"`
			Valid   bool          `json:"valid"`
		}{h, verdict == nil})
		return errors.Join(verdict, err)
	}
	if verdict != nil {
		return verdict
	}
	if _, err := fmt.Fprintln(cmd.OutOrStdout(), "signature verifies"); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// parseSignature reads an sr25519 signature; polkadot-js puts a byte 01 before it
// that says so.
func parseSignature(s string) (targon.Signature, error) {
	var sig targon.Signature
	raw, err := hex.DecodeString(strings.TrimPrefix(strings.TrimSpace(s), "0x"))
	if err == nil && len(raw) == len(sig)+1 && raw[0] == 1 {
		raw = raw[1:]
	}
	if err != nil || len(raw) != len(sig) {
		return sig, errors.New("--signature: want 128 hex digits")
	}
	copy(sig[:], raw)
	return sig, nil
}
