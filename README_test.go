package targon_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// pages are held to what exists: their commands, their make targets, their links.
func pages(t *testing.T) map[string]string {
	t.Helper()
	names := []string{"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "GLOSSARY.md"}
	for _, pattern := range []string{"docs/*.md", "docs/decisions/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, found...)
	}
	out := map[string]string{}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = string(text)
	}
	return out
}

var shellBlock = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")

// commands returns the logical lines of a page's sh blocks.
func commands(page string) []string {
	var out []string
	for _, m := range shellBlock.FindAllStringSubmatch(page, -1) {
		block := strings.ReplaceAll(m[1], "\\\n", " ")
		for line := range strings.Lines(block) {
			line, _, _ = strings.Cut(strings.TrimSpace(line), " #")
			if line != "" && !strings.HasPrefix(line, "#") {
				out = append(out, strings.TrimSpace(line))
			}
		}
	}
	return out
}

// TestReadmeCommands parses each command of our papers against the real command
// tree, by asking it for help with the same flags.
func TestReadmeCommands(t *testing.T) {
	bin := buildTargon(t)
	makefile, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for name, page := range pages(t) {
		for _, line := range commands(page) {
			f := strings.Fields(line)
			switch {
			case strings.HasPrefix(line, "go run ./cmd/targon"):
				checkHelp(t, bin, name, f[3:])
			case f[0] == "targon":
				checkHelp(t, bin, name, f[1:])
			case f[0] == "make":
				if !regexp.MustCompile(`(?m)^` + f[1] + `:`).Match(makefile) {
					t.Errorf("%s: %q is not a target of the Makefile", name, line)
				}
			case !slices.Contains([]string{"go", "git", "cd", "curl", "export"}, f[0]):
				t.Errorf("%s: %q is neither ours nor a tool that everybody has", name, line)
			}
		}
	}
}

// checkHelp runs a command with --help at the end: unknown commands and flags, and
// values of the wrong type, are refused before help is printed.
func checkHelp(t *testing.T, bin, page string, args []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for i := range args {
		args[i] = strings.Trim(args[i], `'"`)
	}
	out, err := exec.CommandContext(ctx, bin, append(slices.Clone(args), "--help")...).CombinedOutput()
	path := []string{"targon"}
	for _, a := range args {
		if strings.HasPrefix(a, "-") {
			break
		}
		path = append(path, a)
	}
	if err != nil || !bytes.Contains(out, []byte(strings.Join(path, " ")+" ")) {
		t.Errorf("%s: targon %s: %v: %.300s", page, strings.Join(args, " "), err, out)
	}
}

func buildTargon(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("builds the binary")
	}
	bin := filepath.Join(t.TempDir(), "targon")
	if runtime.GOOS == "windows" {
		bin += ".exe"
	}
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "./cmd/targon").CombinedOutput()
	if err != nil {
		t.Fatalf("build targon: %v: %s", err, out)
	}
	return bin
}

var link = regexp.MustCompile(`\]\(([^)#]+)(#[^)]*)?\)`)

func TestLinksLeadSomewhere(t *testing.T) {
	for name, page := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(page, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(name), m[1])); err != nil {
				t.Errorf("%s: link to %s: %v", name, m[1], err)
			}
		}
	}
}

// TestReadmeSaysTheTwoCommands: a newcomer needs no more.
func TestReadmeSaysTheTwoCommands(t *testing.T) {
	want := []string{"go run ./cmd/targon up", "go test ./..."}
	got := commands(pages(t)["README.md"])
	if len(got) < 2 || !slices.Equal(got[:2], want) {
		t.Errorf("README begins with the commands %q, want %q", got, want)
	}
}

func TestMakefileHelpsItself(t *testing.T) {
	text, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(text, []byte("\n")); n > 50 {
		t.Errorf("Makefile has %d lines, want at most 50", n)
	}
	for target := range strings.FieldsSeq("help run check test race fuzz lint bench soak docs model") {
		if !regexp.MustCompile(`(?m)^` + target + `:.*## \S`).Match(text) {
			t.Errorf("Makefile: target %s is missing or has no ## help", target)
		}
	}
}

// TestDecisionsKeepTheirForm: a decision is a page with four parts.
func TestDecisionsKeepTheirForm(t *testing.T) {
	seen := map[string]string{}
	for name, page := range pages(t) {
		number, ok := strings.CutPrefix(filepath.ToSlash(name), "docs/decisions/")
		if !ok {
			continue
		}
		number = number[:min(4, len(number))]
		if other := seen[number]; other != "" {
			t.Errorf("%s and %s have the same number", name, other)
		}
		seen[number] = name
		if !strings.HasPrefix(page, "# "+number+" ") {
			t.Errorf("%s: the title does not begin with its number", name)
		}
		for _, part := range []string{"Context", "Decision", "Consequences", "What would make us change it"} {
			if !strings.Contains(page, "\n## "+part+"\n") {
				t.Errorf("%s: no part %q", name, part)
			}
		}
		if n := strings.Count(page, "\n"); n > 60 {
			t.Errorf("%s: %d lines are more than a page", name, n)
		}
	}
}
