package targon_test

import (
	"go/ast"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestNoInit: a package does nothing until it is asked to, so that a test or a
// second network in one process starts from nothing.
func TestNoInit(t *testing.T) {
	for _, s := range sources(t) {
		for _, d := range s.syntax.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s: func init is not used here: build what you need in New", s.fset.Position(f.Pos()))
			}
		}
	}
}

// TestPackageComments: every package says what it does, and commands too.
func TestPackageComments(t *testing.T) {
	docs := map[string]string{}
	for _, s := range sources(t) {
		doc, name := s.syntax.Doc.Text(), s.syntax.Name.Name
		docs[s.folder] += doc
		if want := "Package " + name + " "; doc != "" && name != "main" && !strings.HasPrefix(doc, want) {
			t.Errorf("%s: package comment begins %.40q, want %q", s.file, doc, want)
		}
	}
	for folder, doc := range docs {
		if len(strings.Fields(doc)) < 8 {
			t.Errorf("package %s: the package comment says too little: what it does, what it leaves to others, its invariant", folder)
		}
	}
}

// TestFoldersAreNotDrawers: a package is named for what it is about.
func TestFoldersAreNotDrawers(t *testing.T) {
	drawers := []string{"internal", "pkg", "util", "utils", "common", "helper", "helpers", "shared", "misc", "base", "types", "testutil"}
	for _, s := range sources(t) {
		for part := range strings.SplitSeq(s.folder, "/") {
			if slices.Contains(drawers, part) {
				t.Errorf("%s: folder %q says nothing about what is in it", s.file, part)
			}
		}
	}
}

// TestOneWordPerIdea: the chain's own words stay behind the chain's client.
func TestOneWordPerIdea(t *testing.T) {
	for _, s := range sources(t) {
		if strings.HasPrefix(s.folder, "chain/") || strings.HasPrefix(s.folder, "wire/synapse") {
			continue
		}
		ast.Inspect(s.syntax, func(n ast.Node) bool {
			id, ok := n.(*ast.Ident)
			if ok && chainWord.MatchString(id.Name) {
				t.Errorf("%s: %s: say prover or verifier (GLOSSARY.md)", s.fset.Position(id.Pos()), id.Name)
			}
			return true
		})
	}
}

var chainWord = regexp.MustCompile(`^(m|M)iner|Miner|^(v|V)alidator|Validator`)

// words are those that the design speaks in. Each is one line of GLOSSARY.md.
var words = []string{
	"alarm", "axon", "bet", "block", "block space", "bundle", "calibration pack", "challenge", "clearance", "codec", "coldkey", "desk", "draft", "engine", "epistula", "epoch", "evidence",
	"exchange", "flip", "gap", "gateway", "hotkey", "ledger", "margin", "mark", "metagraph", "month", "netuid", "neuron", "noise profile", "noun", "null", "policy", "pool", "private input",
	"prover", "receipt", "reference", "reputation", "request", "score", "spool", "stack", "stratum", "surprise", "synapse", "tally", "tempo", "transcript", "UID",
	"verdict", "verifier", "weights",
}

func TestGlossary(t *testing.T) {
	text, err := os.ReadFile("GLOSSARY.md")
	if err != nil {
		t.Fatal(err)
	}
	defined := map[string]int{}
	last := ""
	for _, m := range regexp.MustCompile(`(?m)^\* \*\*([^*]+)\*\*: (.*)$`).FindAllStringSubmatch(string(text), -1) {
		defined[m[1]]++
		if strings.ToLower(m[1]) < last {
			t.Errorf("GLOSSARY.md: %q comes after %q", m[1], last)
		}
		last = strings.ToLower(m[1])
		if !strings.HasSuffix(m[2], ".") || len(m[2]) > 240 {
			t.Errorf("GLOSSARY.md: %q is not one sentence on one line", m[1])
		}
	}
	for _, w := range words {
		if defined[w] != 1 {
			t.Errorf("GLOSSARY.md defines %q %d times, want once", w, defined[w])
		}
		delete(defined, w)
	}
	for w := range defined {
		t.Errorf("GLOSSARY.md defines %q, which structure_test.go does not list", w)
	}
}

// TestDependenciesAreAccountedFor: each module that we require directly has its
// line in the decision about dependencies.
func TestDependenciesAreAccountedFor(t *testing.T) {
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("docs/decisions/0009-dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, s := range sources(t) {
		for _, p := range s.imports() {
			used[p] = true
		}
	}
	for line := range strings.Lines(string(mod)) {
		f := strings.Fields(line)
		if len(f) < 2 || !strings.Contains(f[0], ".") || !imports(used, f[0]) {
			continue
		}
		if !strings.Contains(string(page), "`"+f[0]+"`") {
			t.Errorf("go.mod requires %s: give it a line in docs/decisions/0009-dependencies.md", f[0])
		}
	}
}

func imports(used map[string]bool, module string) bool {
	for p := range used {
		if p == module || strings.HasPrefix(p, module+"/") {
			return true
		}
	}
	return false
}

// TestProtocolNamesEveryLabel: what the code signs, hashes or stores under a label is
// described, and what is described exists.
func TestProtocolNamesEveryLabel(t *testing.T) {
	page, err := os.ReadFile("docs/PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	label := regexp.MustCompile(`targon/[a-z0-9/-]+/v[0-9]+`)
	described, used := map[string]bool{}, map[string]bool{}
	for _, l := range label.FindAllString(string(page), -1) {
		described[l] = true
	}
	for _, s := range sources(t) {
		ast.Inspect(s.syntax, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || !label.MatchString(lit.Value) || label.FindString(lit.Value) != strings.Trim(lit.Value, "\"`") {
				return true
			}
			l := label.FindString(lit.Value)
			used[l] = true
			development := top(s.folder) == "localnet" || s.folder == "chain/local" // speak to nobody else
			if !described[l] && !development {
				t.Errorf("%s: docs/PROTOCOL.md does not describe %s", s.fset.Position(lit.Pos()), l)
			}
			return true
		})
	}
	for l := range described {
		if !used[l] {
			t.Errorf("docs/PROTOCOL.md describes %s, which nothing uses", l)
		}
	}
}
