// Package modeltest finds the model files that the engine's tests measure against.
//
// They are not part of the repository. The folder is named by the environment
// variable [Env], or is shared/data/models in a folder above the module's root.
// Where neither exists a test skips, saying so; when the variable is set, absence
// is a failure, so that a build that means to check against them cannot pass
// without.
package modeltest

import (
	"os"
	"path/filepath"
	"testing"
)

// Env names the environment variable that holds the folder.
const Env = "TARGON_TEST_MODELS"

// Probe is the file by which the folder is recognised.
const Probe = "stories260K.gguf"

// Dir returns the folder of the test models, or skips or fails the test.
func Dir(t testing.TB) string {
	t.Helper()
	if dir := os.Getenv(Env); dir != "" {
		if !holds(dir) {
			t.Fatalf("%s is %s, which holds no %s", Env, dir, Probe)
		}
		return dir
	}
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if dir, ok := search(wd); ok {
		return dir
	}
	t.Skipf("no test models: set %s to a folder with %s (public repository mutablelogic/go-llama, "+
		"testdata/, commit 94a3646) and its golden files, or put it at shared/data/models beside the module", Env, Probe)
	return ""
}

// Open returns the contents of one of the files.
func Open(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(Dir(t), name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// search walks up from a folder to one that has shared/data/models.
func search(from string) (string, bool) {
	for dir := from; ; dir = filepath.Dir(dir) {
		if found := filepath.Join(dir, "shared", "data", "models"); holds(found) {
			return found, true
		}
		if dir == filepath.Dir(dir) {
			return "", false
		}
	}
}

func holds(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, Probe))
	return err == nil && info.Mode().IsRegular()
}
