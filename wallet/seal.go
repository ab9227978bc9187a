package wallet

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/nacl/secretbox"
)

var (
	// ErrPassword is returned for a password that does not open a file. A damaged
	// file looks the same.
	ErrPassword = errors.New("wrong password")
	// ErrLegacy is returned for a file in the form of Bittensor before version 4.
	ErrLegacy = errors.New("encrypted in Bittensor's oldest form (Fernet), which is not opened here")
)

// Encryption names how a key file is encrypted.
type Encryption string

// The forms that Bittensor has used; Plain is none.
const (
	Plain   Encryption = "none"
	NaCl    Encryption = "nacl"
	Ansible Encryption = "ansible"
	Legacy  Encryption = "legacy"
)

const (
	naclPrefix    = "$NACL"
	ansiblePrefix = "$ANSIBLE_VAULT"
	legacyPrefix  = "gAAAAA"
)

// EncryptionOf looks at a file's first bytes, as Bittensor does.
func EncryptionOf(data []byte) Encryption {
	for prefix, e := range map[string]Encryption{naclPrefix: NaCl, ansiblePrefix: Ansible, legacyPrefix: Legacy} {
		if bytes.HasPrefix(data, []byte(prefix)) {
			return e
		}
	}
	return Plain
}

// KDF turns a password into the key of a secret box.
type KDF func(password []byte) [32]byte

// naclSalt is one for all files (btwallet, src/constants.rs), so that equal
// passwords have equal keys: a weakness of the format, not a choice of ours.
const naclSalt = "\x13q\x83\xdf\xf1Z\t\xbc\x9c\x90\xb5Q\x879\xe9\xb1"

// BittensorKDF is libsodium's pwhash with argon2i13 and the SENSITIVE limits:
// 8 passes over 512 MiB, one lane. Callers should not run several at once.
func BittensorKDF(password []byte) (key [32]byte) {
	derived := argon2.Key(password, []byte(naclSalt), 8, 512<<10, 1, 32)
	copy(key[:], derived)
	clear(derived)
	return key
}

// Seal encrypts a key file in the $NACL form.
func Seal(plain, password []byte, kdf KDF) ([]byte, error) {
	var nonce [24]byte
	if _, err := rand.Read(nonce[:]); err != nil {
		return nil, fmt.Errorf("read randomness: %w", err)
	}
	key := kdf(password)
	defer clear(key[:])
	out := append([]byte(naclPrefix), nonce[:]...)
	return secretbox.Seal(out, plain, &nonce, &key), nil
}

// Unseal decrypts a key file of the $NACL or Ansible Vault form; one that is not
// encrypted is returned as it is. The caller clears the result.
func Unseal(data, password []byte, kdf KDF) ([]byte, error) {
	switch EncryptionOf(data) {
	case NaCl:
		return openNaCl(data[len(naclPrefix):], password, kdf)
	case Ansible:
		return openAnsible(data, password)
	case Legacy:
		return nil, ErrLegacy
	default: // Plain
		return bytes.Clone(data), nil
	}
}

func openNaCl(data, password []byte, kdf KDF) ([]byte, error) {
	var nonce [24]byte
	if len(data) < len(nonce)+secretbox.Overhead {
		return nil, fmt.Errorf("%w: encrypted, but cut off", ErrFormat)
	}
	copy(nonce[:], data)
	key := kdf(password)
	defer clear(key[:])
	plain, ok := secretbox.Open(nil, data[len(nonce):], &nonce, &key)
	if !ok {
		return nil, ErrPassword
	}
	return plain, nil
}

// vaultRounds is fixed by the format (Ansible, parsing/vault, _gen_key).
const vaultRounds = 10_000

// openAnsible reads Ansible Vault 1.1 and 1.2: AES-256-CTR over padded text, HMAC-SHA256
// over that, 80 bytes from PBKDF2-HMAC-SHA256 as cipher key, MAC key and first counter.
func openAnsible(data, password []byte) ([]byte, error) {
	salt, mac, sealed, err := parseVault(data)
	if err != nil {
		return nil, err
	}
	keys, err := pbkdf2.Key(sha256.New, string(password), salt, vaultRounds, 32+32+aes.BlockSize)
	if err != nil {
		return nil, fmt.Errorf("stretch password: %w", err)
	}
	defer clear(keys)
	h := hmac.New(sha256.New, keys[32:64])
	h.Write(sealed)
	if !hmac.Equal(h.Sum(nil), mac) {
		return nil, ErrPassword
	}
	block, err := aes.NewCipher(keys[:32])
	if err != nil {
		return nil, fmt.Errorf("prepare cipher: %w", err)
	}
	plain := make([]byte, len(sealed))
	cipher.NewCTR(block, keys[64:]).XORKeyStream(plain, sealed)
	pad := int(plain[len(plain)-1]) // not empty: parseVault looks
	if pad == 0 || pad > aes.BlockSize || pad > len(plain) ||
		!bytes.Equal(plain[len(plain)-pad:], bytes.Repeat([]byte{byte(pad)}, pad)) {
		return nil, fmt.Errorf("%w: Ansible Vault with wrong padding", ErrFormat)
	}
	return plain[:len(plain)-pad], nil
}

// parseVault takes the lines of a vault apart: its body is the hex of three lines
// that are hex themselves.
func parseVault(data []byte) (salt, mac, sealed []byte, err error) {
	broken := fmt.Errorf("%w: malformed Ansible Vault", ErrFormat)
	header, body, _ := strings.Cut(string(data), "\n")
	fields := strings.Split(strings.TrimSpace(header), ";")
	if len(fields) < 3 || fields[0] != ansiblePrefix || fields[2] != "AES256" || fields[1] != "1.1" && fields[1] != "1.2" {
		return nil, nil, nil, fmt.Errorf("%w: Ansible Vault of another version than 1.1 or 1.2 with AES256", ErrFormat)
	}
	inner, err := hex.DecodeString(strings.Join(strings.Fields(body), ""))
	if err != nil {
		return nil, nil, nil, broken
	}
	parts := bytes.SplitN(inner, []byte("\n"), 3)
	if len(parts) != 3 {
		return nil, nil, nil, broken
	}
	for i, dst := range []*[]byte{&salt, &mac, &sealed} {
		if *dst, err = hex.DecodeString(string(parts[i])); err != nil {
			return nil, nil, nil, broken
		}
	}
	if len(salt) == 0 || len(mac) != sha256.Size || len(sealed) == 0 {
		return nil, nil, nil, broken
	}
	return salt, mac, sealed, nil
}
