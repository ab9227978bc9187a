package trial

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"targon/engine/redteam"
)

// TestCompare: the reference's twin passes everything but the rank rules, which no answer
// at temperature 1 needs to; half of a model passes nothing that looks at ids.
func TestCompare(t *testing.T) {
	d := desk(t)
	m, err := d.Compare(t.Context(), Comparison{Answers: 2, Temperature: 1, Engines: []string{sameEngine, "smaller-model", redteam.Foreign}, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(m.Names, " "); got != "replay sha256 cosine overlap-0.6 overlap-0.75 regenerate ranks-v4 ranks-v5" {
		t.Errorf("methods %s", got)
	}
	for _, name := range []string{"replay", "sha256", "cosine", "overlap-0.6", "overlap-0.75", "regenerate"} {
		if n := m.Of(sameEngine, name); n != 2 {
			t.Errorf("%s passes %d of 2 answers of the honest", name, n)
		}
		if n := m.Of("smaller-model", name); n != 0 && name != "cosine" {
			t.Errorf("%s passes %d answers of half a model", name, n)
		}
	}
	if !m.Rows[0].Honest || m.Rows[1].Honest || !m.Rows[2].Honest || m.Of("nobody", "replay") != -1 || m.Of(sameEngine, "none") != -1 {
		t.Errorf("rows: %+v", m.Rows)
	}
	cold, err := d.Compare(t.Context(), Comparison{Answers: 1, Engines: []string{sameEngine}})
	if err != nil || cold.Of(sameEngine, "replay") != -1 || cold.Of(sameEngine, "ranks-v4") != 1 || cold.Of(sameEngine, "cosine") != 1 {
		t.Errorf("at temperature 0: %+v, %v", cold, err)
	}
	if _, err := d.Compare(t.Context(), Comparison{Answers: 1, Temperature: 1, Engines: []string{"no such"}}); err == nil {
		t.Error("an unknown engine answers")
	}
	testMethodsPage(t, m, cold)
}

func testMethodsPage(t *testing.T, all ...Methods) {
	t.Helper()
	dir := t.TempDir()
	if err := WriteMethods(dir, "somewhere", all); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(dir, "comparators.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"## At temperature 1\n", "## At temperature 0\n", "\n| `honest` (honest) | 100 % | 100 % |", "\n| `smaller-model` | 0 % |", "\nsomewhere\n"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page has no %q:\n%s", want, page)
		}
	}
	var out bytes.Buffer
	if err := all[0].Write(&out); err != nil || strings.Count(out.String(), "\n") != 2+len(all[0].Rows) {
		t.Errorf("%v:\n%s", err, out.String())
	}
}
