package ledger_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"targon"
	"targon/ledger"
)

// TestRead: a ledger is read beside its writer, up to what is whole, and not touched.
func TestRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger")
	f, err := ledger.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	read := func() (n int, err error) {
		for e, bad := range ledger.Read(t.Context(), path) {
			if bad != nil {
				return n, bad
			}
			if e != (targon.WeightsSet{Epoch: targon.Epoch(n), Block: 1}) {
				t.Errorf("entry %d is %+v", n, e)
			}
			n++
		}
		return n, nil
	}
	for i := range targon.Epoch(3) {
		if n, err := read(); err != nil || n != int(i) {
			t.Errorf("%d entries, %v, want %d", n, err, i)
		}
		if err := f.Append(t.Context(), targon.WeightsSet{Epoch: i, Block: 1}); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	write := func(b []byte) {
		t.Helper()
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	size := (len(whole) - 16) / 3 // of a frame
	for cut := 1; cut <= size; cut++ {
		write(whole[:len(whole)-cut])
		if n, err := read(); err != nil || n != 2 {
			t.Fatalf("%d bytes short: %d entries, %v, want 2", cut, n, err)
		}
		if now, _ := os.ReadFile(path); !bytes.Equal(now, whole[:len(whole)-cut]) {
			t.Fatal("reading changed the file")
		}
	}
	damaged := bytes.Clone(whole)
	damaged[16+size+20] ^= 1 // in the second frame
	write(damaged)
	if n, err := read(); !errors.Is(err, ledger.ErrDamaged) || n != 1 {
		t.Errorf("damage in the middle: %d entries, %v", n, err)
	}
	for name, b := range map[string][]byte{"empty": nil, "short": whole[:10], "something else": bytes.Repeat([]byte("x"), 100)} {
		write(b)
		if _, err := read(); !errors.Is(err, ledger.ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := read(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("reading made a file")
	}
	path = t.TempDir()
	if _, err := read(); err == nil {
		t.Error("a folder is read")
	}
}

// TestReadStops: whoever has seen enough, or was told to end, does not read on.
func TestReadStops(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger")
	f, err := ledger.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if err := f.Append(t.Context(), targon.WeightsSet{}, targon.WeightsSet{Epoch: 1}); err != nil {
		t.Fatal(err)
	}
	n := 0
	for range ledger.Read(t.Context(), path) {
		n++
		break
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range ledger.Read(ctx, path) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
		n++
	}
	if n != 2 {
		t.Errorf("%d turns, want 2", n)
	}
}
