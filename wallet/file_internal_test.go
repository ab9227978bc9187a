package wallet

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestWriteInPlace: where a file system has no links, a key still is written with
// its mode, and never over another.
func TestWriteInPlace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	if err := writeInPlace(path, []byte("one")); err != nil {
		t.Fatal(err)
	}
	if err := writeInPlace(path, []byte("two")); !errors.Is(err, ErrExists) {
		t.Errorf("second write: %v, want ErrExists", err)
	}
	data, err := os.ReadFile(path)
	if err != nil || string(data) != "one" {
		t.Errorf("%q, %v", data, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := writeInPlace(filepath.Join(path, "below a file"), nil); err == nil || errors.Is(err, ErrExists) {
		t.Errorf("below a file: %v", err)
	}
}

// TestCompact holds the lengths of SCALE strings that no path of a person reaches.
func TestCompact(t *testing.T) {
	for n, want := range map[int]string{0: "\x00", 63: "\xfc", 64: "\x01\x01", 16383: "\xfd\xff", 16384: "\x02\x00\x01\x00"} {
		if got := string(compact(n)); got != want {
			t.Errorf("%d: %x, want %x", n, got, want)
		}
	}
}
