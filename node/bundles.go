package node

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"targon"
	"targon/bundle"
)

// A bundle folder holds at most so much, of all runs together.
const (
	mostBundles     = 1000
	mostBundleBytes = 256 << 20
)

// bundleFolder seals bundles and writes each into a file of its own. When it is full, the
// oldest that passed gives way, and to one that did not pass the oldest of all.
//
// It is used by one goroutine. Names sort by age: OUTCOME-EPOCH-UID-REQUEST.json.
type bundleFolder struct {
	dir   string
	key   bundle.Signer
	log   *slog.Logger
	files map[string]int64 // sizes by name
	used  int64
	most  int
	bytes int64
}

const (
	bundleSuffix = ".json"
	bundlePart   = ".targon-bundle-" // begins the names of files that are not whole yet
)

// openBundles makes the folder and counts what earlier runs left there.
func openBundles(dir string, key bundle.Signer, log *slog.Logger) (*bundleFolder, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make bundle folder: %w", err)
	}
	f := &bundleFolder{dir: dir, key: key, log: log, files: map[string]int64{}, most: mostBundles, bytes: mostBundleBytes}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read bundle folder: %w", err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), bundlePart) { // a crash came while it was written
			_ = os.Remove(filepath.Join(dir, e.Name())) // it is in nobody's way but the disk's
			continue
		}
		if !ours(e.Name()) {
			continue // somebody else's file is not counted, and never removed
		}
		if info, err := e.Info(); err == nil {
			f.files[e.Name()] = info.Size()
			f.used += info.Size()
		}
	}
	return f, nil
}

// ours reports whether a file's name is one that this folder gives.
func ours(name string) bool {
	outcome, _, _ := strings.Cut(name, "-")
	return strings.HasSuffix(name, bundleSuffix) && strings.Count(name, "-") == 3 &&
		slices.Contains([]string{targon.Passed.String(), targon.Failed.String(), targon.Undecided.String()}, outcome)
}

func bundleName(b bundle.Bundle) string {
	return fmt.Sprintf("%s-%08d-%03d-%.8s%s", b.Judged.Verdict.Outcome, b.Judged.Epoch, b.Judged.UID, b.Arrived.Request, bundleSuffix)
}

// put writes a bundle if there is room for it, and says in the log what went wrong: a
// verifier goes on without.
func (f *bundleFolder) put(b bundle.Bundle) {
	if err := f.write(b); err != nil {
		f.log.Warn("bundle is not written", "request", b.Arrived.Request.String(), "err", err)
	}
}

func (f *bundleFolder) write(b bundle.Bundle) error {
	if err := b.Sign(f.key); err != nil {
		return err
	}
	text, err := json.Marshal(b)
	if err != nil {
		return fmt.Errorf("encode bundle: %w", err)
	}
	name, size := bundleName(b), int64(len(text))
	if !f.room(name, size, b.Judged.Verdict.Outcome == targon.Passed) {
		return nil
	}
	file, err := os.CreateTemp(f.dir, bundlePart)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err = errors.Join(err, file.Chmod(0o644), file.Close()); err == nil {
		err = os.Rename(file.Name(), filepath.Join(f.dir, name))
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	f.used += size - f.files[name]
	f.files[name] = size
	return nil
}

// room makes room for a file, and reports whether there is.
func (f *bundleFolder) room(name string, size int64, passed bool) bool {
	if _, there := f.files[name]; there {
		return true
	}
	for len(f.files) >= f.most || f.used+size > f.bytes {
		old := f.oldest(targon.Passed)
		if old == "" && !passed {
			if old = f.oldest(targon.Undecided); old == "" {
				old = f.oldest(targon.Failed)
			}
		}
		if old == "" || size > f.bytes {
			return false
		}
		if err := os.Remove(filepath.Join(f.dir, old)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return false
		}
		f.used -= f.files[old]
		delete(f.files, old)
	}
	return true
}

// oldest returns the file of an outcome that has been there longest, "" if there is none.
func (f *bundleFolder) oldest(o targon.Outcome) string {
	out := ""
	for name := range f.files {
		if strings.HasPrefix(name, o.String()+"-") && (out == "" || name < out) {
			out = name
		}
	}
	return out
}
