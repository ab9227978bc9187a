package verifier

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"targon"
)

func transcript(n byte) (targon.Digest, targon.Transcript) {
	r := targon.Request{
		ID: targon.RequestID{n}, Verifier: targon.Hotkey{1}, Prover: targon.Hotkey{2}, Model: "a model to be found on disk",
		Prompt: []targon.TokenID{0x41424344, 0x45464748}, MaxTokens: 4,
	}
	return r.Digest(), targon.Transcript{
		Request: r, Tokens: []targon.TokenID{5, 6}, Receipt: targon.ReceiptFor(r, []targon.TokenID{5, 6}, targon.FinishStop),
	}
}

func TestSpool(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "spool")
	for _, dir := range []string{"", folder} {
		s, err := openSpool(dir, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		for n := range byte(3) {
			d, want := transcript(n)
			if err := s.put(d, want); err != nil {
				t.Fatal(err)
			}
			if err := s.put(d, want); !errors.Is(err, errSpool) {
				t.Errorf("put twice: %v", err)
			}
			got, err := s.get(d)
			if err != nil || !cmp.Equal(got, want) {
				t.Errorf("get: %v, %s", err, cmp.Diff(want, got))
			}
		}
		d, _ := transcript(1)
		s.drop(d)
		s.drop(d)
		if _, err := s.get(d); !errors.Is(err, errSpool) {
			t.Errorf("get what was dropped: %v", err)
		}
		if len(s.held) != 2 || s.used <= 0 {
			t.Errorf("%d texts in %d bytes", len(s.held), s.used)
		}
	}

	files, _ := filepath.Glob(filepath.Join(folder, "*"))
	if len(files) != 2 {
		t.Fatalf("files: %v", files)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte("a model to be found on disk")) || bytes.Contains(b, []byte("DCBA")) {
			t.Error("a text lies on disk unsealed")
		}
		if info, _ := os.Stat(f); info.Mode().Perm() != 0o600 {
			t.Errorf("mode %v", info.Mode())
		}
	}
	if _, err := openSpool(folder, 1<<20); err != nil { // as after a crash
		t.Fatal(err)
	}
	if files, _ := filepath.Glob(filepath.Join(folder, "*")); len(files) != 0 {
		t.Errorf("left behind: %v", files)
	}
}

// TestSpoolTampered: what somebody changed on disk, or swapped, is not read.
func TestSpoolTampered(t *testing.T) {
	s, err := openSpool(t.TempDir(), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	a, ta := transcript(1)
	b, tb := transcript(2)
	if err := errors.Join(s.put(a, ta), s.put(b, tb)); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(s.path(a), s.path(b)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.get(b); err == nil {
		t.Error("another request's text is read")
	}
	if _, err := s.get(a); err == nil {
		t.Error("a text that is gone is read")
	}
}

func TestSpoolLimit(t *testing.T) {
	d, text := transcript(1)
	probe, _ := openSpool("", 1<<20)
	if err := probe.put(d, text); err != nil {
		t.Fatal(err)
	}
	size := probe.used
	for _, c := range []struct {
		limit int64
		fit   int
	}{{size - 1, 0}, {size, 1}, {2*size - 1, 1}, {2 * size, 2}, {3 * size, 3}} {
		s, _ := openSpool("", c.limit)
		fit := 0
		for n := range byte(4) {
			roomy := s.room()
			d, text := transcript(n)
			err := s.put(d, text)
			if err == nil {
				fit++
			} else if !errors.Is(err, errSpool) {
				t.Fatal(err)
			}
			if n > 0 && roomy && err != nil {
				t.Errorf("limit %d: there was room for text %d, it was said", c.limit, n)
			}
		}
		if fit != c.fit || s.used > c.limit {
			t.Errorf("limit %d: %d texts in %d bytes, want %d", c.limit, fit, s.used, c.fit)
		}
		d, _ := transcript(0)
		s.drop(d)
		if c.fit > 0 && s.used != int64(c.fit-1)*size {
			t.Errorf("limit %d: %d bytes after a drop", c.limit, s.used)
		}
	}
}

// TestSpoolUnwritable: a text that cannot be kept takes no room.
func TestSpoolUnwritable(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	s, err := openSpool(dir, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	d, text := transcript(1)
	if err := s.put(d, text); !errors.Is(err, errSpool) {
		t.Errorf("put: %v", err)
	}
	if s.used != 0 || len(s.held) != 0 {
		t.Errorf("%d bytes in use", s.used)
	}
	text.Request.MaxTokens = 0
	if err := s.put(d, text); !errors.Is(err, errSpool) {
		t.Errorf("put of what has no encoding: %v", err)
	}
}
