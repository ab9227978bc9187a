package mapped_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"targon/engine/native/mapped"
)

// listed tells whether a file is mapped into this process, by the system's own list.
func listed(t *testing.T, path string) bool {
	t.Helper()
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Skipf("this system does not list mappings: %v", err)
	}
	return strings.Contains(string(maps), path)
}

func file(t *testing.T, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOpen(t *testing.T) {
	for _, content := range [][]byte{nil, []byte("a"), bytes.Repeat([]byte("0123456789"), 2000)} {
		f, err := mapped.Open(file(t, content))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(f.Data(), content) {
			t.Errorf("%d bytes come out of a file of %d", len(f.Data()), len(content))
		}
		if want := runtime.GOOS == "linux" && len(content) > 0; want && !f.Mapped() {
			t.Errorf("a file of %d bytes was not mapped", len(content))
		}
		if err := errors.Join(f.Close(), f.Close()); err != nil || f.Data() != nil {
			t.Errorf("close: %v", err)
		}
	}
	if _, err := mapped.Open(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent file: %v", err)
	}
	if _, err := mapped.Open(t.TempDir()); err == nil {
		t.Error("a folder was opened")
	}
	if _, err := mapped.Open(os.DevNull); runtime.GOOS == "linux" && (err == nil || !strings.Contains(err.Error(), "a device is no file")) {
		t.Errorf("a device: %v", err)
	}
}

// TestPipe: what cannot be mapped is read.
func TestPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	path := fmt.Sprintf("/dev/fd/%d", r.Fd())
	if _, err := os.Stat(path); err != nil {
		t.Skipf("no %s: %v", path, err)
	}
	if _, err := w.WriteString("hello"); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := mapped.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(f.Data()) != "hello" || f.Mapped() {
		t.Errorf("read %q, mapped %v", f.Data(), f.Mapped())
	}
	if err := errors.Join(f.Close(), r.Close()); err != nil {
		t.Error(err)
	}
}

// TestUnmaps: a mapping goes by Close, and by being forgotten.
func TestUnmaps(t *testing.T) {
	path := file(t, bytes.Repeat([]byte{7}, 1<<16))
	f, err := mapped.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if !listed(t, path) {
		t.Fatal("the file is not mapped")
	}
	if err := f.Close(); err != nil || listed(t, path) {
		t.Errorf("after Close the file is still mapped (%v)", err)
	}
	if f, err = mapped.Open(path); err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	runtime.GC()
	if !listed(t, path) {
		t.Error("a file in use was unmapped")
	}
	runtime.KeepAlive(f) // the last that refers to it
	for range 1000 {
		if runtime.GC(); !listed(t, path) {
			return
		}
	}
	t.Error("a forgotten file stays mapped")
}

// TestRenamedOver: a file that is replaced by renaming stays what it was.
func TestRenamedOver(t *testing.T) {
	path, next := file(t, []byte("old")), file(t, []byte("new"))
	f, err := mapped.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, path); err != nil {
		t.Fatal(err)
	}
	if string(f.Data()) != "old" {
		t.Errorf("now reads %q", f.Data())
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

func Example() {
	dir, err := os.MkdirTemp("", "mapped")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "hello")
	_ = os.WriteFile(path, []byte("hello"), 0o600)
	f, err := mapped.Open(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s\n", f.Data())
	_ = f.Close()
	// Output: hello
}
