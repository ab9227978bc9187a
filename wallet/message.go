package wallet

import (
	"slices"
	"unicode"
	"unicode/utf8"

	"targon"
	"targon/sign"
)

// Wrapped returns message between <Bytes> and </Bytes>: what wallets of the
// Polkadot world sign, so that no message can be a transaction.
func Wrapped(message []byte) []byte {
	return slices.Concat([]byte("<Bytes>"), message, []byte("</Bytes>"))
}

// NeedsWrapping reports whether a message, signed as it is, could be something
// else: a transaction (which is not text), or the hash of a long one (32 bytes
// that may have been searched until they look like text).
func NeedsWrapping(message []byte) bool {
	if len(message) == 32 || !utf8.Valid(message) {
		return true
	}
	return slices.ContainsFunc([]rune(string(message)), func(r rune) bool {
		return !unicode.IsPrint(r) && !unicode.IsSpace(r)
	})
}

// Verify returns nil if sig is h's signature of message, wrapped or not.
func Verify(h targon.Hotkey, message []byte, sig targon.Signature) error {
	if err := sign.Verify(h, message, sig); err != nil {
		return sign.Verify(h, Wrapped(message), sig)
	}
	return nil
}
