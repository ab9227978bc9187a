package targon_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// policy says who may import whom, outside tests. It is the architecture as text;
// moving a line is an architectural decision and needs a page in docs/decisions.
//
//	NAME = a b c      names a group of folders
//	a, NAME: b OTHER  folders left of the colon may import those right of it
//
// A folder's rule holds for everything below it, unless a longer path has a rule
// of its own. Whatever lies in one top-level folder may import the rest of that
// folder. EARLIER stands for the folders that come before in the same group.
// A package that no rule covers is a failure, and so is a rule read twice.
// Test files may import anything, if they are in an external _test package.
const policy = `
	# In the order in which data flows.
	NOUNS       = targon
	FOUNDATIONS = sign noise scale merkle
	FILES       = filelock
	STEPS       = challenge proof evidence score weights yuma market bundle
	WIRE        = wire
	ROLES       = prover verifier gateway inputs pool dashboard calibrate
	ADAPTERS    = engine chain ledger wallet
	BYTES       = model

	NOUNS:       -
	FOUNDATIONS: NOUNS
	FILES:       -
	STEPS:       NOUNS FOUNDATIONS EARLIER
	WIRE:        NOUNS FOUNDATIONS

	# A role never imports a role or an adapter: node joins them.
	ROLES:       NOUNS FOUNDATIONS FILES STEPS WIRE
	ADAPTERS:    NOUNS FOUNDATIONS FILES WIRE yuma
	BYTES:       -

	# Conformance suites speak of the interface that a role declares.
	engine/enginetest: NOUNS FOUNDATIONS STEPS WIRE prover verifier
	chain/chaintest:   NOUNS FOUNDATIONS STEPS WIRE verifier
	ledger/ledgertest: NOUNS FOUNDATIONS STEPS WIRE verifier

	# The whole.
	node:        NOUNS FOUNDATIONS FILES STEPS WIRE ROLES ADAPTERS BYTES
	localnet:    NOUNS FOUNDATIONS FILES STEPS WIRE ROLES ADAPTERS BYTES node
	sim:         NOUNS FOUNDATIONS STEPS WIRE ROLES ADAPTERS BYTES node
	audit:       NOUNS FOUNDATIONS STEPS WIRE ROLES ADAPTERS BYTES
	bench:       NOUNS FOUNDATIONS STEPS WIRE ROLES ADAPTERS BYTES node localnet sim audit
	cmd:         NOUNS FOUNDATIONS FILES STEPS WIRE ROLES ADAPTERS BYTES node localnet sim audit bench

	# The built-in model's own tools measure it with the engine that runs it.
	model/make:  model engine NOUNS FOUNDATIONS
`

// outside says which packages beyond the standard library the pure layers may
// import. Everybody else may import what go.mod names.
const outside = `
	targon:      golang.org/x/crypto/blake2b
	sign:        github.com/oasisprotocol/curve25519-voi/primitives/sr25519
	noise scale merkle: -
	challenge proof evidence score weights yuma market bundle: -
`

// impure lists what the layers of outside may not import even from the standard
// library, because it does I/O or hides randomness. They may name a Duration and
// a slog.Value; that they read no clock is checked call by call.
var impure = []string{
	"database/sql", "embed", "io/ioutil", "log", "math/rand", "net", "net/http", "net/rpc",
	"os", "os/exec", "os/signal", "os/user", "plugin", "runtime/debug", "syscall", "testing",
}

// clock lists the functions of package time that look at a clock or wait on one.
var clock = []string{"After", "AfterFunc", "NewTicker", "NewTimer", "Now", "Since", "Sleep", "Tick", "Until"}

// rules is policy (or outside), parsed: folder → what it may import, "targon"
// being the root.
type rules map[string][]string

func parseRules(text string) (rules, error) {
	groups, out := map[string][]string{}, rules{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if name, members, ok := strings.Cut(line, " = "); ok {
			groups[strings.TrimSpace(name)] = strings.Fields(members)
			continue
		}
		left, right, ok := strings.Cut(line, ":")
		if !ok {
			return nil, fmt.Errorf("policy line %q has no colon", line)
		}
		for subject := range strings.FieldsSeq(strings.ReplaceAll(left, ",", " ")) {
			members := groups[subject]
			if members == nil {
				members = []string{subject}
			}
			for i, folder := range members {
				if out[folder] != nil {
					return nil, fmt.Errorf("policy has two rules for %s", folder)
				}
				out[folder] = expand(strings.Fields(right), groups, members[:i])
			}
		}
	}
	return out, nil
}

func expand(words []string, groups map[string][]string, earlier []string) []string {
	out := []string{}
	for _, w := range words {
		switch {
		case w == "-":
		case w == "EARLIER":
			out = append(out, earlier...)
		case groups[w] != nil:
			out = append(out, groups[w]...)
		default:
			out = append(out, w)
		}
	}
	return out
}

// covering returns the rule for a package: that of its longest listed folder.
func (r rules) covering(folder string) (allowed []string, ok bool) {
	for f := folder; f != "." && f != "/"; f = path.Dir(f) {
		if allowed, ok = r[f]; ok {
			return allowed, true
		}
	}
	return nil, false
}

// breach returns a sentence about what is wrong with folder importing target,
// or "". Both are relative to the module, "targon" being the root.
func (r rules) breach(folder, target string) string {
	allowed, ok := r.covering(folder)
	if !ok {
		return fmt.Sprintf("package %s is not in the import policy: add it to deps_test.go and docs/ARCHITECTURE.md", folder)
	}
	if target == "" || top(folder) == top(target) {
		return ""
	}
	for _, a := range allowed {
		if target == a || strings.HasPrefix(target, a+"/") {
			return ""
		}
	}
	return fmt.Sprintf("%s may not import %s: its layer may import only [%s] (deps_test.go, docs/decisions/0002)",
		folder, target, strings.Join(allowed, " "))
}

func top(folder string) string { return strings.SplitN(folder, "/", 2)[0] }

// source is one Go file of the module that is not a test.
type source struct {
	file   string // relative, slash-separated
	folder string // "targon" for the root
	syntax *ast.File
	fset   *token.FileSet
}

func (s source) imports() []string {
	var out []string
	for _, i := range s.syntax.Imports {
		out = append(out, strings.Trim(i.Path.Value, `"`))
	}
	return out
}

// sources parses every file of the module outside tests, for all platforms:
// build tags are not looked at, so that a rule cannot be broken on arm64 only.
func sources(t *testing.T) []source {
	t.Helper()
	var out []source
	fset := token.NewFileSet()
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skipFolder(name)
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(fset, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		folder := filepath.ToSlash(filepath.Dir(name))
		if folder == "." {
			folder = "targon"
		}
		out = append(out, source{filepath.ToSlash(name), folder, f, fset})
		return nil
	})
	if err != nil {
		t.Fatalf("read module: %v", err)
	}
	return out
}

// skipFolder leaves out what the go command leaves out: hidden folders, testdata
// and other modules.
func skipFolder(name string) error {
	base := filepath.Base(name)
	if name == "." {
		return nil
	}
	if strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || base == "testdata" {
		return fs.SkipDir
	}
	if _, err := os.Stat(filepath.Join(name, "go.mod")); !errors.Is(err, fs.ErrNotExist) {
		return fs.SkipDir
	}
	return nil
}

// inModule returns an import path relative to the module, or "" for others'.
func inModule(p string) string {
	if p == "targon" {
		return p
	}
	rest, ok := strings.CutPrefix(p, "targon/")
	if !ok {
		return ""
	}
	return rest
}

func TestImports(t *testing.T) {
	r, err := parseRules(policy)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, s := range sources(t) {
		targets := append(s.imports(), "") // "" asks only whether the package is listed
		for _, p := range targets {
			if msg := r.breach(s.folder, inModule(p)); msg != "" && !seen[msg] {
				seen[msg] = true
				t.Errorf("%s: %s", s.file, msg)
			}
		}
	}
}

func TestPureLayersStayPure(t *testing.T) {
	r, err := parseRules(outside)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sources(t) {
		allowed, pure := r.covering(s.folder)
		if !pure {
			continue
		}
		for _, p := range s.imports() {
			foreign := strings.Contains(top(p), ".") && !slices.Contains(allowed, p)
			if foreign || slices.Contains(impure, p) {
				t.Errorf("%s: %s is a pure layer and may not import %s", s.file, s.folder, p)
			}
		}
		for _, found := range clockReads(s) {
			t.Errorf("%s: a pure layer is told the time, it does not look", found)
		}
	}
}

// clockReads finds uses of the clock and go statements.
func clockReads(s source) []string {
	var out []string
	ast.Inspect(s.syntax, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			out = append(out, fmt.Sprintf("%s: go statement", s.fset.Position(n.Pos())))
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains(clock, n.Sel.Name) {
				out = append(out, fmt.Sprintf("%s: time.%s", s.fset.Position(n.Pos()), n.Sel.Name))
			}
		}
		return true
	})
	return out
}

// TestPolicyBites holds the checker itself to invented imports.
func TestPolicyBites(t *testing.T) {
	r, err := parseRules(policy)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		folder, target string
		ok             bool
	}{
		{"targon", "", true},
		{"targon", "sign", false},
		{"sign", "targon", true},
		{"sign", "proof", false},
		{"proof", "challenge", true},
		{"challenge", "proof", false},
		{"proof", "wire/ask", false},
		{"wire/ask", "wire/sse", true},
		{"wire/ask", "proof", false},
		{"prover", "wire/epistula", true},
		{"prover", "engine/native", false},
		{"verifier", "gateway", false},
		{"gateway", "chain/local", false},
		{"gateway/sub", "ledger", false},
		{"engine/native", "noise", true},
		{"engine/native", "engine/native/gguf", true},
		{"engine/native", "proof", false},
		{"engine/vllm", "verifier", false},
		{"engine/enginetest", "prover", true},
		{"chain/local", "yuma", true},
		{"chain/local", "weights", false},
		{"localnet", "node", true},
		{"node", "localnet", false},
		{"cmd/targon", "localnet", true},
		{"model", "targon", false},
		{"helpers", "", false},
		{"helpers", "targon", false},
	} {
		msg := r.breach(c.folder, c.target)
		if (msg == "") != c.ok {
			t.Errorf("%s imports %q: ok %v, want %v (%s)", c.folder, c.target, msg == "", c.ok, msg)
		}
	}
	for _, bad := range []string{"a b c", "a: b\na: c"} {
		if _, err := parseRules(bad); err == nil {
			t.Errorf("policy %q was accepted", bad)
		}
	}
}
