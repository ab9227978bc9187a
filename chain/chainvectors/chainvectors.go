// Package chainvectors finds the recordings of a real Subtensor runtime that the
// chain packages are held to: epochs, storage, extrinsics, refusals, runtime APIs.
//
// It finds files and names each one that a test runs; it does not read them. The
// folder is the one named by TARGON_CHAIN_VECTORS, else shared/data/chain in the
// module's root or in any folder above it. Whoever sets the variable means it: a
// folder without any recording is a failure, while a kind of recording that is
// absent is not. Without the variable and without the default folder the test is
// skipped, aloud. Its invariant: no path that it returns is missing.
package chainvectors

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// Variable names the folder of recordings to use in place of the default one.
const Variable = "TARGON_CHAIN_VECTORS"

// defaultFolder is looked for in the module's root and in each folder above it.
const defaultFolder = "shared/data/chain"

// errAbsent is returned when no folder above the module has the recordings.
var errAbsent = errors.New("no folder " + defaultFolder + " in the module or above it")

// kinds are the patterns of which a folder must match one to count as recordings.
func kinds() []string { return []string{"epoch-*.json", "wire-*.json", "commit-reveal.json"} }

// Files returns the recordings that match pattern, sorted, and names each one in
// the test's log. It skips the test when there are none of this kind.
func Files(t testing.TB, pattern string) []string {
	t.Helper()
	folder, err := find()
	switch {
	case errors.Is(err, errAbsent):
		t.Skip(howTo(err))
	case err != nil:
		t.Fatal(err)
	}
	out, err := match(folder, pattern)
	if err != nil {
		t.Fatal(err)
	}
	if len(out) == 0 {
		if pattern == "wire-rpc.json" {
			return []string{Default(t, pattern)}
		}
		t.Skipf("no recording %s in %s", pattern, folder)
	}
	for _, f := range out {
		t.Logf("vector file %s", f)
	}
	return out
}

// Default returns the file of that name from the folder of the variable or, if it
// is not there, from the default folder, and names it in the test's log. It is for
// what a set of recordings may share: metadata and wire-rpc.json.
func Default(t testing.TB, name string) string {
	t.Helper()
	var tried []string
	if folder := os.Getenv(Variable); folder != "" {
		tried = append(tried, folder)
	}
	if folder, err := above(); err == nil {
		tried = append(tried, folder)
	}
	for _, folder := range tried {
		path := filepath.Join(folder, name)
		if _, err := os.Stat(path); err == nil {
			t.Logf("vector file %s", path)
			return path
		}
	}
	t.Skip(howTo(fmt.Errorf("no %s: %w", name, errAbsent)))
	return ""
}

// Metadata returns the metadata of a runtime by its spec version. For 0, a recording
// that does not say, it is the only one in the folder of the variable, else that of
// spec 293, of which the default recordings are.
func Metadata(t testing.TB, spec int) string {
	t.Helper()
	var tried []string
	if folder := os.Getenv(Variable); folder != "" {
		tried = append(tried, folder)
		if spec == 0 {
			if all, err := match(folder, "metadata-*.scale.gz"); err == nil && len(all) == 1 {
				return Default(t, filepath.Base(all[0]))
			}
		}
	}
	if spec == 0 {
		spec = 293
	}
	if folder, err := above(); err == nil {
		tried = append(tried, folder)
	}
	for _, folder := range tried { // metadata-424-v14.scale.gz is of spec 424 too
		for _, pattern := range []string{"metadata-%d.scale.gz", "metadata-%d-*.scale.gz"} {
			if all, err := match(folder, fmt.Sprintf(pattern, spec)); err == nil && len(all) > 0 {
				return Default(t, filepath.Base(all[0]))
			}
		}
	}
	return Default(t, fmt.Sprintf("metadata-%d.scale.gz", spec))
}

func howTo(err error) string {
	return fmt.Sprintf("%v: put the recordings there, or set %s to the folder that holds them (docs/decisions/0011)", err, Variable)
}

// find returns the folder to use. A folder that somebody named and that holds no
// recording is an error; it would pass every test.
func find() (string, error) {
	folder := os.Getenv(Variable)
	if folder == "" {
		return above()
	}
	for _, kind := range kinds() {
		files, err := match(folder, kind)
		if err != nil {
			return "", err
		}
		if len(files) > 0 {
			return folder, nil
		}
	}
	return "", fmt.Errorf("%s=%s holds none of %v", Variable, folder, kinds())
}

// above walks up from the module's root, which is found from the working folder of
// the test, that is the folder of its package.
func above() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the module: %w", err)
	}
	inModule := true
	for ; ; dir = filepath.Dir(dir) {
		if inModule {
			_, err := os.Stat(filepath.Join(dir, "go.mod"))
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return "", fmt.Errorf("find the module: %w", err)
			}
			inModule = err != nil
		}
		if !inModule {
			folder := filepath.Join(dir, filepath.FromSlash(defaultFolder))
			if info, err := os.Stat(folder); err == nil && info.IsDir() {
				return folder, nil
			}
		}
		if dir == filepath.Dir(dir) {
			return "", errAbsent
		}
	}
}

// match lists files by pattern; filepath.Glob would read the folder's own name as
// a pattern too.
func match(folder, pattern string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("read recordings: %w", err)
	}
	var out []string
	for _, e := range entries {
		ok, err := filepath.Match(pattern, e.Name())
		if err != nil {
			return nil, fmt.Errorf("pattern %q: %w", pattern, err)
		}
		if ok && !e.IsDir() {
			out = append(out, filepath.Join(folder, e.Name()))
		}
	}
	return out, nil
}
