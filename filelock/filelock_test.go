package filelock_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"targon/filelock"
)

// TestTake: one opening of a file has the lock until it is closed.
func TestTake(t *testing.T) {
	path := filepath.Join(t.TempDir(), "locked")
	open := func() *os.File {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Close() }) // of some a second time
		return f
	}
	first, second := open(), open()
	if err := filelock.Take(first); errors.Is(err, errors.ErrUnsupported) {
		t.Skip("this system has no locks: nothing to hold the lock to")
	} else if err != nil {
		t.Fatal(err)
	}
	if err := filelock.Take(second); !errors.Is(err, filelock.ErrHeld) {
		t.Fatalf("the second: %v, want ErrHeld", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := filelock.Take(second); err != nil {
		t.Fatalf("the second, when the first is closed: %v", err)
	}
}
