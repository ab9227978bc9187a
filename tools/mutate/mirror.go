package main

import (
	"os"
	"path/filepath"
	"strings"
)

// mirror makes, in dir, a picture of the module in which the folders on the way to a
// package are folders and all else is links, and returns the package's. Tests run there:
// a mutant may write a file wherever it happens to be.
func mirror(root, folder, dir string) (string, error) {
	at, from := dir, root
	for _, part := range append(strings.Split(filepath.ToSlash(folder), "/"), "") {
		if err := os.MkdirAll(at, 0o700); err != nil {
			return "", err
		}
		entries, err := os.ReadDir(from)
		if err != nil {
			return "", err
		}
		for _, e := range entries {
			if e.Name() == part {
				continue // the next folder
			}
			if err := os.Symlink(filepath.Join(from, e.Name()), filepath.Join(at, e.Name())); err != nil {
				return "", err
			}
		}
		at, from = filepath.Join(at, part), filepath.Join(from, part)
	}
	return at, nil
}
