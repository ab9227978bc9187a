package wallet

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha512"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tyler-smith/go-bip39"

	"targon"
)

// ErrPhrase is the root of every failure to read a mnemonic phrase.
var ErrPhrase = errors.New("not a BIP-39 phrase")

// Of BIP-39's lengths, as Substrate takes them.
var phraseWords = []int{12, 15, 18, 21, 24}

// newPhrase draws a phrase of the given number of words.
func newPhrase(words int) (string, error) {
	if !slices.Contains(phraseWords, words) {
		return "", fmt.Errorf("%w: %d words, want 12, 15, 18, 21 or 24", ErrPhrase, words)
	}
	entropy := make([]byte, words/3*4) // 32 bits in three words, and one of checksum
	defer clear(entropy)
	if _, err := rand.Read(entropy); err != nil {
		return "", fmt.Errorf("read randomness: %w", err)
	}
	return bip39.NewMnemonic(entropy)
}

// canonicalPhrase is the form that is stored: lower case, single spaces.
func canonicalPhrase(s string) string {
	return strings.Join(strings.Fields(strings.ToLower(s)), " ")
}

// phraseSeed turns a phrase and an optional password into a mini secret as
// substrate-bip39 does: PBKDF2 over the entropy, not over the words as BIP-39
// itself has it, and the first half of the result.
func phraseSeed(phrase, password string) (targon.Secret, error) {
	var seed targon.Secret
	words := strings.Fields(phrase)
	if !slices.Contains(phraseWords, len(words)) {
		return seed, fmt.Errorf("%w: %d words, want 12, 15, 18, 21 or 24", ErrPhrase, len(words))
	}
	for i, w := range words {
		if _, ok := bip39.GetWordIndex(w); !ok {
			return seed, fmt.Errorf("%w: word %d is not in the list", ErrPhrase, i+1) // the word stays secret
		}
	}
	entropy, err := bip39.EntropyFromMnemonic(strings.Join(words, " "))
	if err != nil {
		return seed, fmt.Errorf("%w: the checksum is wrong, a word may be another or in another place", ErrPhrase)
	}
	defer clear(entropy)
	long, err := pbkdf2.Key(sha512.New, string(entropy), []byte("mnemonic"+password), 2048, 64)
	if err != nil {
		return seed, fmt.Errorf("stretch phrase: %w", err)
	}
	copy(seed[:], long)
	clear(long)
	return seed, nil
}
