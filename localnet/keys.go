package localnet

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"targon"
	"targon/sign"
)

// secrets derives every secret of a demonstration from one root, so that a seed
// fixes all keys, draws and seeds. Without a seed the root is random.
type secrets struct{ root targon.Secret }

func newSecrets(seed *uint64) (secrets, error) {
	var s secrets
	if seed == nil {
		if _, err := rand.Read(s.root[:]); err != nil {
			return s, fmt.Errorf("read randomness: %w", err)
		}
		return s, nil
	}
	s.root = sha256.Sum256(binary.LittleEndian.AppendUint64([]byte("targon/localnet/seed/v1"), *seed))
	return s, nil
}

// derive returns the secret of a given purpose.
func (s secrets) derive(purpose string) targon.Secret {
	return sha256.Sum256(append(append([]byte("targon/localnet/secret/v1"), s.root[:]...), purpose...))
}

// key returns the signing key of a named participant.
func (s secrets) key(name string) (*sign.Key, error) {
	k, err := sign.FromSeed(s.derive("key/" + name))
	if err != nil {
		return nil, fmt.Errorf("key of %s: %w", name, err)
	}
	return k, nil
}

// keepSecrets returns the root that a folder holds; an empty folder is given the one
// at hand. A seed that contradicts the folder is refused: the ledger in it was
// written under another.
func keepSecrets(dir string, fresh secrets, seeded bool) (secrets, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return secrets{}, fmt.Errorf("make folder: %w", err)
	}
	path := filepath.Join(dir, "root")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fresh, writeOnce(path, hex.EncodeToString(fresh.root[:])+"\n")
	}
	if err != nil {
		return secrets{}, fmt.Errorf("read the folder's root secret: %w", err)
	}
	raw, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(raw) != len(fresh.root) {
		return secrets{}, fmt.Errorf("%s holds no root secret: restore it, or use an empty folder", path)
	}
	kept := secrets{root: targon.Secret(raw)}
	if seeded && kept != fresh {
		return secrets{}, fmt.Errorf("folder %s belongs to another seed: leave --seed out, or use an empty folder", dir)
	}
	return kept, nil
}

// writeOnce writes a file whole or not at all.
func writeOnce(path, text string) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".root-") // mode 0600
	if err != nil {
		return fmt.Errorf("write the folder's root secret: %w", err)
	}
	_, err = f.WriteString(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("write the folder's root secret: %w", err)
	}
	return nil
}
