package wallet

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

var (
	// ErrOpenFile is returned for a private file that others may read or write.
	ErrOpenFile = errors.New("others may read or change this private file")
	// ErrExists is returned instead of replacing a key.
	ErrExists = errors.New("exists already, and a key is never overwritten")
	// ErrNoKey is returned for a key that is not there.
	ErrNoKey = errors.New("no such key")
	// ErrNoFile is returned for what holds no secret and is no key either.
	ErrNoFile = errors.New("want a file of mode 0600")
)

// maxFile bounds a key file; real ones have about 600 bytes, vaults 3,000.
const maxFile = 64 << 10

// readPrivate reads a file that only its owner may read and write.
func readPrivate(path string) ([]byte, error) {
	return readFile(path, func(info fs.FileInfo) error {
		if mode := info.Mode().Perm(); mode&0o077 != 0 {
			return fmt.Errorf("%s has mode %04o: %w; run: chmod 600 %s", path, mode, ErrOpenFile, path)
		}
		return nil
	})
}

// readPublic reads a file whoever may read it.
func readPublic(path string) ([]byte, error) {
	return readFile(path, func(fs.FileInfo) error { return nil })
}

func readFile(path string, check func(fs.FileInfo) error) ([]byte, error) {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() { // a pipe would block Open
		return nil, notThere(path, err)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, notThere(path, err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat() // of what was opened, which may not be what was looked at
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	if err := check(info); err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	if len(data) > maxFile {
		clear(data)
		return nil, fmt.Errorf("%s: %w: more than %d bytes", path, ErrFormat, maxFile)
	}
	return data, nil
}

func notThere(path string, err error) error {
	switch {
	case err == nil:
		return fmt.Errorf("%s: %w: not a regular file", path, ErrFormat)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %s", ErrNoKey, path)
	}
	return fmt.Errorf("read key: %w", err)
}

// exists reports whether there is anything at path, even a dangling link.
func exists(path string) (bool, error) {
	_, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for key: %w", err)
	}
	return true, nil
}

// writeNew makes a file of mode 0600 that is whole or not there, and never
// replaces one.
func writeNew(path string, data []byte) (err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	f, err := os.CreateTemp(dir, ".new-*") // mode 0600
	if err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	if _, err = f.Write(data); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	// A link fails where a rename would replace.
	if err := os.Link(f.Name(), path); errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s %w", path, ErrExists)
	} else if err != nil {
		return writeInPlace(path, data) // a file system without links
	}
	return syncDir(dir)
}

func writeInPlace(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s %w", path, ErrExists)
	}
	if err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	if _, err = f.Write(data); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(fmt.Errorf("write key: %w", err), os.Remove(path))
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	return nil
}

// ReadSecretFile reads a file that holds a secret, under the same conditions as a
// private key file. The caller clears it. A pipe is none: it has no mode to trust.
func ReadSecretFile(path string) ([]byte, error) {
	switch info, err := os.Stat(path); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w: %s is not there", ErrNoFile, path)
	case err == nil && !info.Mode().IsRegular():
		return nil, fmt.Errorf("%w: %s is a pipe, a folder or a device", ErrNoFile, path)
	case err == nil && info.Size() > maxFile:
		return nil, fmt.Errorf("%w: %s has more than %d bytes", ErrNoFile, path, maxFile)
	}
	return readPrivate(path)
}
