package wallet_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// TestNoDaemonUnlocksAColdkey: outside this package, only commands that a person
// runs call UnlockColdkey; in cmd/targon those are the files wallet*.go and
// chain*.go.
func TestNoDaemonUnlocksAColdkey(t *testing.T) {
	found := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && (name == "testdata" || name == "node_modules" || len(name) > 2 && name[0] == '.') {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		if !calls(file, "UnlockColdkey") {
			return nil
		}
		found++
		command := filepath.ToSlash(filepath.Dir(path)) == "../cmd/targon" && (strings.HasPrefix(name, "wallet") || strings.HasPrefix(name, "chain"))
		if !command {
			t.Errorf("%s opens a coldkey: no daemon does", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found == 0 {
		t.Log("nothing opens a coldkey at all")
	}
}

func calls(file *ast.File, method string) bool {
	found := false
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == method {
			found = true
		}
		return true
	})
	return found
}
