package node

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"targon"
	"targon/chain/subtensor"
	"targon/wallet"
)

// What lies in a verifier's folder.
const (
	ledgerName = "ledger"
	rootName   = "root"
	pledgeName = "commit"
	chainName  = "chain"
	ownerName  = "verifier"
)

// ErrFolder says that a verifier's folder cannot be used as it is.
var ErrFolder = errors.New("folder cannot be used as it is")

// folderError is an ErrFolder that says all there is to say by itself.
type folderError string

func (e folderError) Error() string { return string(e) }

// Is makes it one.
func (folderError) Is(target error) bool { return target == ErrFolder }

// keepRoot returns the root secret of a verifier's folder, and makes one when the
// folder is new. A folder whose ledger is there and whose secret is gone is refused:
// what the ledger committed to could not be shown.
func keepRoot(dir string) (targon.Secret, error) {
	var root targon.Secret
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return root, fmt.Errorf("make the verifier's folder: %w", err)
	}
	path := filepath.Join(dir, rootName)
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(filepath.Join(dir, ledgerName)); err == nil {
			return root, folderError(fmt.Sprintf("%s is gone and the ledger beside it was written under it: restore it, or begin with an empty folder", path))
		}
		if _, err := rand.Read(root[:]); err != nil {
			return root, fmt.Errorf("read randomness: %w", err)
		}
		return root, writeOnce(path, hex.EncodeToString(root[:])+"\n")
	}
	text, err := wallet.ReadSecretFile(path)
	if err != nil {
		return root, fmt.Errorf("read the root secret: %w", err)
	}
	defer clear(text)
	raw, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(raw) != len(root) {
		return root, folderError(fmt.Sprintf("%s holds no root secret: restore it, or begin with an empty folder", path))
	}
	copy(root[:], raw)
	return root, nil
}

// keepChain refuses a folder that was used on another chain: its ledger speaks of
// blocks that this one does not have.
func keepChain(dir string, genesis targon.Digest) error {
	path := filepath.Join(dir, chainName)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return writeOnce(path, genesis.String()+"\n")
	}
	if err != nil {
		return fmt.Errorf("read which chain the folder belongs to: %w", err)
	}
	if got := strings.TrimSpace(string(text)); got != genesis.String() {
		return folderError(fmt.Sprintf("folder %s belongs to the chain with genesis %.16s…, this one has %.16s…: use another --data", dir, got, genesis))
	}
	return nil
}

// keepOwner refuses a folder that another hotkey, or a verifier of another subnet, used:
// its ledger's UIDs, verdicts and weights are theirs. One from before there was this
// file belongs to who uses it first.
func keepOwner(dir string, netuid targon.NetUID, hotkey targon.Hotkey) error {
	path, own := filepath.Join(dir, ownerName), fmt.Sprintf("%d-%s", netuid, hotkey)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return writeOnce(path, own+"\n")
	}
	if err != nil {
		return fmt.Errorf("read whose folder it is: %w", err)
	}
	if got := strings.TrimSpace(string(text)); got != own {
		return folderError(fmt.Sprintf("folder %s belongs to verifier %.64s (subnet and hotkey), this one is %s: use another --data", dir, got, own))
	}
	return nil
}

// writeOnce writes a file of mode 0600 whole or not at all.
func writeOnce(path, text string) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-") // mode 0600
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = f.WriteString(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err == nil {
		err = syncFolder(filepath.Dir(path))
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// syncFolder makes names in a folder durable.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// PledgeFile keeps the salt of committed weights in a verifier's folder, mode 0600,
// until they are revealed. It is no secret of the verifier's beyond that.
func PledgeFile(dir string) subtensor.Keeper { return pledgeFile(filepath.Join(dir, pledgeName)) }

type pledgeFile string

// Keep replaces the file, or removes it when there is nothing to keep.
func (p pledgeFile) Keep(b []byte) error {
	path := string(p)
	if b != nil {
		return writeOnce(path, hex.EncodeToString(b)+"\n")
	}
	if err := os.Remove(path); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// Kept returns what is in the file, nothing if there is none.
func (p pledgeFile) Kept() ([]byte, error) {
	text, err := os.ReadFile(string(p))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	b, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		return text, nil //nolint:nilerr // what it is not, the pledge's own decoder says
	}
	return b, nil
}
