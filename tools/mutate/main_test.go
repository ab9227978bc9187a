package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const sample = "testdata/sample"

// reported runs the command and returns its report.
func reported(t *testing.T, want error, args ...string) report {
	t.Helper()
	var out bytes.Buffer
	err := run(t.Context(), append([]string{"-root", sample, "-json", "-jobs", "2", "-wait", "3s"}, args...), &out, io.Discard)
	if !errors.Is(err, want) {
		t.Fatalf("%v: %v, want %v\n%s", args, err, want, out.Bytes())
	}
	var r report
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// planted are the conditions of the sample that its own tests do not hold, and whether
// they get there.
var planted = map[string]bool{
	"grade/grade.go Deep: n <= 1 into n < 1":      true,
	"grade/grade.go Cap: n > most into n >= most": false,
	"grade/grade.go Equal: a == b inverted":       true,
	"grade/grade.go Odd: n%2 != 0 inverted":       false,
	"grade/grade.go Odd: odd inverted":            false,
	"grade/grade.go Limit: n < 10 into n <= 10":   true,
}

const limitReason = "grade/grade.go Limit: n < 10 into n <= 10\n\tten is ten either way\n"

func written(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "equivalent.txt")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestSurvivors: of a package with six untested conditions exactly those are reported;
// loops without end and tests that stand still are caught.
func TestSurvivors(t *testing.T) {
	r := reported(t, errSurvivors, "grade")
	p := r.Packages[0]
	left := map[string]bool{}
	for _, s := range p.Survivors {
		left[s.key()] = s.Reached
	}
	for k, reached := range planted {
		if got, ok := left[k]; !ok || got != reached {
			t.Errorf("%s: survives %v, reached %v, want %v", k, ok, got, reached)
		}
		delete(left, k)
	}
	for k := range left {
		t.Errorf("%s: is tested", k)
	}
	if _, err := os.Stat(filepath.Join(sample, "grade", "left.behind")); err == nil {
		t.Error("a test wrote into the tree")
	}
	if p.Mutants != 22 || p.Caught != 16 || p.Late != 2 {
		t.Errorf("%d mutants, %d caught, %d by time; want 22, 16, 2 (Sum and Wait)", p.Mutants, p.Caught, p.Late)
	}
}

// TestOthersTests: a condition that another package's tests hold is caught when these
// are named, and a known equivalent is no survivor.
func TestOthersTests(t *testing.T) {
	known := written(t, "# comment\n"+limitReason)
	for _, c := range []struct {
		args   []string
		caught int
		want   error
	}{
		{[]string{"-match", "in Cap"}, 1, errSurvivors},
		{[]string{"-match", "in Cap", "-with", "user"}, 2, nil},
		{[]string{"-match", "in Cap", "-with", "grade"}, 1, errSurvivors},
		{[]string{"-match", "in Cap", "-kinds", "inversion"}, 1, nil},
		{[]string{"-match", "in Limit"}, 1, nil},
	} {
		if r := reported(t, c.want, append(c.args, "-equivalent", known, "grade")...); r.Packages[0].Caught != c.caught {
			t.Errorf("%v: %d caught, want %d", c.args, r.Packages[0].Caught, c.caught)
		}
	}
}

// TestSlices: the slices of a package are its mutants, each once.
func TestSlices(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the sample three times")
	}
	mutants := 0
	for _, part := range []string{"1/3", "2/3", "3/3"} {
		for _, p := range reported(t, errSurvivors, "-run", part, "-match", "into", "-kinds", "boundary", "grade").Packages {
			mutants += p.Mutants
		}
	}
	if mutants != 7 {
		t.Errorf("%d mutants in three slices, want 7", mutants)
	}
}

// TestStaleEntries: the list of equivalents holds nothing that is not so.
func TestStaleEntries(t *testing.T) {
	mutants := []mutant{
		{ID: 0, File: "a/a.go", Function: "F", Change: "x inverted"},
		{ID: 1, File: "a/a.go", Function: "F", Change: "y inverted"},
		{ID: 2, File: "a/a.go", Function: "F", Change: "y inverted"},
	}
	fates := map[int]fate{0: {by: "TestX", reached: true}, 1: {reached: true}, 2: {by: "TestY", reached: true}}
	for _, c := range []struct {
		name      string
		known     equivalents
		whole     bool
		survivors int
		stale     []string
	}{
		{"none known", nil, true, 1, nil},
		{"one of two alike survives", equivalents{"a/a.go F: y inverted": "why"}, true, 0, nil},
		{"caught", equivalents{"a/a.go F: x inverted": "why"}, true, 1, []string{"x inverted: listed as equivalent, and a test catches it"}},
		{"caught, in a slice", equivalents{"a/a.go F: x inverted": "why"}, false, 1, nil},
		{"gone", equivalents{"a/a.go F: z inverted": "why"}, false, 1, []string{"z inverted: listed as equivalent, and not in the code"}},
		{"of another package", equivalents{"a/b/a.go F: z inverted": "why", "b/a.go F: z inverted": "why"}, true, 1, nil},
	} {
		r := packageReport{Package: "a"}
		r.count(mutants, fates)
		r.excuse(mutants, fates, c.known, c.whole)
		var stale []string
		for _, s := range r.Stale {
			stale = append(stale, strings.TrimPrefix(s, "a/a.go F: "))
		}
		if len(r.Survivors) != c.survivors || !slices.Equal(stale, c.stale) {
			t.Errorf("%s: %d survivors, stale %q, want %d, %q", c.name, len(r.Survivors), stale, c.survivors, c.stale)
		}
		if want := c.survivors == 0 && c.stale == nil; (report{Packages: []packageReport{r}}).clean() != want {
			t.Errorf("%s: clean is not %v", c.name, want)
		}
	}
}

func TestReadEquivalents(t *testing.T) {
	for text, ok := range map[string]bool{
		limitReason:                true,
		limitReason + "  for ever": true,
		"":                         true,
		"a.go F: x inverted\n":     false,
		"\ta reason\n":             false,
		limitReason + limitReason:  false,
	} {
		if _, err := readEquivalents(written(t, text)); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
	if known, err := readEquivalents(filepath.Join(t.TempDir(), "none")); err != nil || len(known) != 0 {
		t.Errorf("no list: %v, %v", known, err)
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{
		{},
		{"-run", "0/2", "grade"},
		{"-run", "3/2", "grade"},
		{"-run", "x", "grade"},
		{"-jobs", "0", "grade"},
		{"-kinds", "other", "grade"},
		{"-root", sample, "nothing"},
		{"-root", sample, "-with", "nothing", "-match", "Equal", "grade"},
	} {
		if err := run(t.Context(), args, io.Discard, io.Discard); err == nil || errors.Is(err, errSurvivors) {
			t.Errorf("%q: %v", args, err)
		}
	}
}

// TestPrinted: a survivor is a line that an editor can jump to.
func TestPrinted(t *testing.T) {
	r := packageReport{Package: "a"}
	r.count([]mutant{
		{ID: 0, File: "a/a.go", Line: 7, Function: "F", Change: "x < y inverted"},
		{ID: 1, File: "a/a.go", Line: 9, Function: "T.F", Change: "x < y into x <= y"},
	}, map[int]fate{0: {reached: true}})
	var out bytes.Buffer
	if err := (report{Packages: []packageReport{r}}).print(&out, false); err != nil {
		t.Fatal(err)
	}
	want := `a/a.go:7 in F: x < y inverted: no test failed
a/a.go:9 in T.F: x < y into x <= y: no test gets there
a                   2 mutants, 0 caught (0 by time), 0 equivalent, 2 survive
`
	if out.String() != want {
		t.Errorf("printed\n%swant\n%s", out.String(), want)
	}
}
