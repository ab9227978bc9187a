package chainvectors_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"targon/chain/chainvectors"
)

// spy notes how a test would have ended.
type spy struct {
	testing.TB
	skipped, failed string
}

func (s *spy) Helper()             {}
func (s *spy) Logf(string, ...any) {}

func (s *spy) Skip(a ...any)            { s.skipped = fmt.Sprint(a...); runtime.Goexit() }
func (s *spy) Skipf(f string, a ...any) { s.Skip(fmt.Sprintf(f, a...)) }
func (s *spy) Fatal(a ...any)           { s.failed = fmt.Sprint(a...); runtime.Goexit() }

// watch runs f as a test would be run.
func watch(f func(t testing.TB) []string) (*spy, []string) {
	s, out, done := &spy{}, []string(nil), make(chan struct{})
	go func() {
		defer close(done)
		out = f(s)
	}()
	<-done
	return s, out
}

func files(pattern string) func(testing.TB) []string {
	return func(t testing.TB) []string { return chainvectors.Files(t, pattern) }
}

func write(t *testing.T, folder string, names ...string) {
	t.Helper()
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		if err := os.WriteFile(filepath.Join(folder, n), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestNamedFolder(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "odd[name]")
	write(t, folder, "README.md")
	t.Setenv(chainvectors.Variable, folder)
	if s, _ := watch(files("epoch-*.json")); s.failed == "" {
		t.Errorf("a named folder without recordings: %+v, want a failure", s)
	}
	write(t, folder, "epoch-b.json", "epoch-a.json")
	s, got := watch(files("epoch-*.json"))
	if want := []string{filepath.Join(folder, "epoch-a.json"), filepath.Join(folder, "epoch-b.json")}; !slices.Equal(got, want) {
		t.Errorf("found %v (%+v), want %v", got, s, want)
	}
	if s, _ := watch(files("commit-reveal.json")); s.skipped == "" || s.failed != "" {
		t.Errorf("a kind that is absent: %+v, want a skip", s)
	}
	t.Setenv(chainvectors.Variable, filepath.Join(folder, "nothing"))
	if s, _ := watch(files("epoch-*.json")); s.failed == "" {
		t.Errorf("a named folder that is not there: %+v, want a failure", s)
	}
}

func TestDefaultFolder(t *testing.T) {
	t.Setenv(chainvectors.Variable, "")
	top := t.TempDir()
	module := filepath.Join(top, "a", "module")
	write(t, module, "go.mod")
	write(t, filepath.Join(module, "deep", "package"))
	t.Chdir(filepath.Join(module, "deep", "package"))
	if s, _ := watch(files("wire-*.json")); s.skipped == "" || s.failed != "" {
		t.Errorf("no folder: %+v, want a skip", s)
	}
	// Below the module's root is not where recordings are looked for.
	write(t, filepath.Join(module, "deep", "shared", "data", "chain"), "wire-x.json")
	if s, _ := watch(files("wire-*.json")); s.skipped == "" {
		t.Error("a folder inside the module was used")
	}
	shared := filepath.Join(top, "shared", "data", "chain")
	write(t, shared, "wire-storage.json", "metadata-1.scale.gz", "wire-rpc.json")
	if _, got := watch(files("wire-storage*.json")); len(got) != 1 {
		t.Errorf("found %v", got)
	}
	// Metadata and wire-rpc.json come from the default folder when the named one has none.
	other := filepath.Join(top, "other")
	write(t, other, "wire-storage.json")
	t.Setenv(chainvectors.Variable, other)
	want := filepath.Join(shared, "metadata-1.scale.gz")
	if _, got := watch(func(t testing.TB) []string { return []string{chainvectors.Default(t, "metadata-1.scale.gz")} }); len(got) != 1 || got[0] != want {
		t.Errorf("metadata at %v, want %s", got, want)
	}
	if _, got := watch(files("wire-rpc.json")); len(got) != 1 || got[0] != filepath.Join(shared, "wire-rpc.json") {
		t.Errorf("wire-rpc.json at %v", got)
	}
	write(t, other, "metadata-1.scale.gz")
	if _, got := watch(func(t testing.TB) []string { return []string{chainvectors.Default(t, "metadata-1.scale.gz")} }); len(got) != 1 || filepath.Dir(got[0]) != other {
		t.Errorf("metadata at %v, want that of %s", got, other)
	}
}

func TestMetadata(t *testing.T) {
	top := t.TempDir()
	shared, other := filepath.Join(top, "shared", "data", "chain"), filepath.Join(top, "other")
	write(t, top, "go.mod")
	write(t, shared, "metadata-293.scale.gz", "metadata-424-v14.scale.gz")
	write(t, other, "wire-storage.json")
	t.Chdir(top)
	find := func(spec int) string {
		_, got := watch(func(t testing.TB) []string { return []string{chainvectors.Metadata(t, spec)} })
		if len(got) == 0 {
			return ""
		}
		rel, err := filepath.Rel(top, got[0])
		if err != nil {
			t.Fatal(err)
		}
		return filepath.ToSlash(rel)
	}
	expect := func(spec int, want string) {
		t.Helper()
		if got := find(spec); got != want {
			t.Errorf("metadata of spec %d is %q, want %q", spec, got, want)
		}
	}
	t.Setenv(chainvectors.Variable, "")
	expect(0, "shared/data/chain/metadata-293.scale.gz")
	expect(424, "shared/data/chain/metadata-424-v14.scale.gz")
	expect(42, "")
	t.Setenv(chainvectors.Variable, other)
	expect(0, "shared/data/chain/metadata-293.scale.gz")
	write(t, other, "metadata-300.scale.gz")
	expect(0, "other/metadata-300.scale.gz")
	expect(300, "other/metadata-300.scale.gz")
	expect(293, "shared/data/chain/metadata-293.scale.gz")
}

func Example() {
	// In a test: for _, file := range chainvectors.Files(t, "epoch-*.json") { … }
	fmt.Println(chainvectors.Variable)
	// Output: TARGON_CHAIN_VECTORS
}
