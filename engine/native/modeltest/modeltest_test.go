package modeltest

import (
	"os"
	"path/filepath"
	"testing"
)

func TestSearchWalksUp(t *testing.T) {
	root := t.TempDir()
	models := filepath.Join(root, "shared", "data", "models")
	deep := filepath.Join(root, "module", "engine", "native")
	for _, dir := range []string{models, deep} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if dir, ok := search(deep); ok && dir == models {
		t.Fatal("an empty folder was taken for the models")
	}
	if err := os.WriteFile(filepath.Join(models, Probe), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if dir, ok := search(deep); !ok || dir != models {
		t.Fatalf("search = %q, %v; want %q", dir, ok, models)
	}
}

// failing records how a test would have ended without ending this one.
type failing struct {
	testing.TB
	fatal, skipped bool
}

func (f *failing) Helper()               {}
func (f *failing) Fatalf(string, ...any) { f.fatal = true }
func (f *failing) Skipf(string, ...any)  { f.skipped = true }

func TestNamedFolderMustExist(t *testing.T) {
	t.Setenv(Env, t.TempDir())
	f := &failing{TB: t}
	Dir(f)
	if !f.fatal || f.skipped {
		t.Errorf("a named folder without models: fatal %v, skipped %v; want a failure", f.fatal, f.skipped)
	}
}
