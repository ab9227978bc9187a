package node

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"targon"
	"targon/bundle"
)

// seal signs anything; or fails.
type seal struct{ err error }

func (s seal) Sign([]byte) (targon.Signature, error) { return targon.Signature{1}, s.err }

func small(o targon.Outcome, reason targon.Reason, e targon.Epoch, request byte) bundle.Bundle {
	d := targon.Digest{request}
	return bundle.Bundle{
		Transcript: targon.Transcript{Request: targon.Request{
			Verifier: targon.Hotkey{1}, Prover: targon.Hotkey{2}, Model: "m", Prompt: []targon.TokenID{1}, MaxTokens: 1,
		}},
		Arrived: targon.Arrived{Epoch: e, UID: 3, Request: d, Status: targon.StatusComplete},
		Judged:  targon.Judged{Epoch: e, UID: 3, Verdict: targon.Verdict{Request: d, Outcome: o, Reason: reason}},
	}
}

func passed(e targon.Epoch, request byte) bundle.Bundle {
	return small(targon.Passed, targon.ReasonEqual, e, request)
}

func failed(e targon.Epoch, request byte) bundle.Bundle {
	return small(targon.Failed, targon.ReasonMismatch, e, request)
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range found {
		found[i] = filepath.Base(found[i])
	}
	slices.Sort(found)
	return found
}

// A full folder keeps the failed and the new, also of earlier runs, and leaves what is not
// its own alone.
func TestBundleFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "folder")
	open := func() *bundleFolder {
		f, err := openBundles(dir, seal{}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		f.most = 3
		return f
	}
	f := open()
	if err := os.WriteFile(filepath.Join(dir, "notes.json"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f.put(passed(1, 1))
	f.put(passed(1, 2))
	f.put(failed(1, 3))
	f.put(passed(2, 4)) // the first gives way
	f = open()
	f.put(failed(2, 5)) // and the second
	f.put(failed(2, 6))
	f.put(passed(3, 7)) // nobody gives way to it
	want := []string{"failed-00000001-003-03000000.json", "failed-00000002-003-05000000.json", "failed-00000002-003-06000000.json", "notes.json"}
	if diff := cmp.Diff(want, names(t, dir)); diff != "" {
		t.Error(diff)
	}
	f.put(failed(3, 8)) // the oldest does
	if diff := cmp.Diff(append(want[1:3:3], "failed-00000003-003-08000000.json", "notes.json"), names(t, dir)); diff != "" {
		t.Error(diff)
	}
	text, err := os.Open(filepath.Join(dir, want[1]))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = text.Close() }()
	if b, err := bundle.Decode(text); err != nil || b.Seal.Signature != (targon.Signature{1}) {
		t.Errorf("%v, seal %v", err, b.Seal)
	}
	f.bytes = f.used + 10
	f.put(passed(9, 9))
	f.key = seal{errors.New("no key")}
	f.put(failed(9, 9))
	if len(names(t, dir)) != 4 {
		t.Errorf("beyond the limit, and without a key: %v", names(t, dir))
	}
}

// TestBundleFolderAfterACrash: what a crash left half-written counts for nothing, so it
// must not stay.
func TestBundleFolderAfterACrash(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{bundlePart + "123", ".another"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := openBundles(dir, seal{}, nil); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 || left[0].Name() != ".another" {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestBundleFolderThatIsNone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openBundles(path, seal{}, nil); err == nil {
		t.Error("a file is a folder")
	}
}
