package trial

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"targon"
	"targon/engine/native"
	"targon/engine/redteam"
	"targon/evidence"
	"targon/model"
	"targon/node"
)

// desk has the built-in model and a pack whose bounds are made up: no honest answer of
// the built-in stacks comes near them.
func desk(t *testing.T) *Desk {
	t.Helper()
	m, err := native.Load(model.GGUF())
	if err != nil {
		t.Fatal(err)
	}
	p := evidence.NewPack()
	p.Model, p.Weights, p.Sampler = m.Name(), m.Digest(), "targon"
	p.Prover, p.Verifier = node.StackForeign, node.StackNative
	for _, filtered := range []bool{false, true} {
		s := evidence.Stratum{MinTemperature: 0.3, MaxTemperature: 2.01, MaxLength: uint32(m.Context()), Filtered: filtered}
		for c := range targon.GapClass(targon.GapClasses) {
			d := evidence.Draws{Class: c, Draws: 10_000_000}
			if edge := targon.GapClassOf(1e-2); c < edge {
				d.Flips = 3_000_000 / (1 + uint64(c))
			}
			s.Counts = append(s.Counts, d)
		}
		p.Strata = append(p.Strata, s)
	}
	d, err := NewDesk(m, p)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestJudge: an honest answer has no flip, a broken receipt no verdict worth evidence.
func TestJudge(t *testing.T) {
	d := desk(t)
	r := d.Request(targon.Draft{Prompt: d.Model.Encode("Once upon a time", true), Temperature: 1, MaxTokens: 24}, 1)
	honest, err := d.Answer(t.Context(), d.honest, r)
	if err != nil {
		t.Fatal(err)
	}
	a, err := d.Judge(t.Context(), honest)
	if _, flips := a.Tally.Total(); err != nil || flips != 0 || a.Denied || a.Undecided || a.Uncalibrated || a.Tokens != 24 || a.Bets == nil {
		t.Errorf("honest: %+v, %v", a, err)
	}
	broken := honest
	broken.Receipt.Signature[3] ^= 1
	if a, err := d.Judge(t.Context(), broken); err != nil || !a.Denied || a.Reason != targon.ReasonSignature || a.Bets != nil {
		t.Errorf("broken receipt: %+v, %v", a, err)
	}
	cold := r
	cold.Sampling.Temperature = 0
	greedy, err := d.Answer(t.Context(), d.honest, cold)
	if err != nil {
		t.Fatal(err)
	}
	if a, err := d.Judge(t.Context(), greedy); err != nil || !a.Uncalibrated || !a.Undecided || a.Bet.Rises() {
		t.Errorf("greedy: %+v, %v", a, err)
	}
	other := d.pack
	other.Weights[0]++
	if _, err := NewDesk(d.Model, other); err == nil {
		t.Error("a pack of another model is taken")
	}
}

// TestRegimes: each cheat has a way to be tried.
func TestRegimes(t *testing.T) {
	bars := map[bar]int{}
	for _, name := range redteam.Names() {
		bars[regimeOf(name).bar]++
	}
	want := map[bar]int{byEight: 3, atOnce: 9, byLaw: 4, byMany: 5, byAnswer: 3, published: 4}
	for b, n := range want {
		if bars[b] != n {
			t.Errorf("%d cheats have bar %d, want %d", bars[b], b, n)
		}
	}
}

// small is a trial that says little and takes seconds.
func small(cheats ...string) Options {
	return Options{
		Tokens: 500, Cheats: cheats, Requests: 40, Texts: 4, Months: 20, WorstMonths: 20, Candidates: 16, Turns: 1, Seed: 3,
	}
}

func TestRun(t *testing.T) {
	if testing.Short() {
		t.Skip("generates some thousand ids")
	}
	d := desk(t)
	var notes []string
	o := small("replay", "wrong-seed")
	o.Note = func(s string) { notes = append(notes, s) }
	r, err := d.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Cheats) != 2 || r.Control == nil || len(notes) < 8 {
		t.Fatalf("%d cheats, %d notes", len(r.Cheats), len(notes))
	}
	for _, c := range r.Cheats {
		if c.Met == nil || !*c.Met || c.AUC300 < 0.99 || c.Tokens < o.Tokens || c.FlipRate < 0.3 || *c.Share < 0.99 || c.Mean == nil || *c.Mean > 200 {
			t.Errorf("%+v", c)
		}
	}
	if c := r.Control; c.FlipRate > 0.01 || c.Mean != nil || *c.Share != 0 {
		t.Errorf("the honest control: %+v", c)
	}
	h := r.Honest
	if h.FalseConvictions != 0 || h.AdversarialConvictions != 0 || h.Requests != 40 || len(h.Searches) != 4 || h.Upper95 < 1e-3 || h.UndecidedShare != 0 {
		t.Errorf("%+v", h)
	}
	if r.Cost.Batch1 <= 0 || r.Cost.Batch16 <= 0 || r.Alpha != 1e-3 {
		t.Errorf("%+v, alpha %v", r.Cost, r.Alpha)
	}
	checkKeys(t, encode(t, r))
	checkPage(t, r)
}

// TestSameSeedSameFigures: costs excepted, which are not looked at here.
func TestSameSeedSameFigures(t *testing.T) {
	d := desk(t)
	var got [2]Row
	for i := range got {
		texts, err := d.write(t.Context(), d.traffic(), 3, 1)
		if err != nil {
			t.Fatal(err)
		}
		honest, err := d.redrawn(t.Context(), texts, 5, 1, func(int) {})
		if err != nil {
			t.Fatal(err)
		}
		o := small()
		if got[i], err = d.row(t.Context(), "temp-0.9", honest, o); err != nil {
			t.Fatal(err)
		}
		got[i].pool = nil
	}
	if diff := cmp.Diff(got[0], got[1], cmp.AllowUnexported(Row{}, Answer{})); diff != "" {
		t.Error(diff)
	}
}

func encode(t *testing.T, r Report) string {
	t.Helper()
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// checkKeys holds the names that others read.
func checkKeys(t *testing.T, text string) {
	t.Helper()
	var v struct {
		Alpha  *float64
		Cheats []map[string]any
		Honest map[string]any
		Cost   map[string]any
	}
	if err := json.Unmarshal([]byte(text), &v); err != nil || v.Alpha == nil || len(v.Cheats) == 0 {
		t.Fatal(err)
	}
	for where, keys := range map[*map[string]any]string{
		&v.Cheats[0]: "name tokens requests flip_rate auc_300 auc_500 tokens_to_conviction_mean tokens_to_conviction_p95 convicted_share",
		&v.Honest: "requests prover_months requests_per_month false_convictions upper95 undecided_share worst_null_share " +
			"adversarial_user_convictions",
		&v.Cost: "score_to_generate_batch1 score_to_generate_batch16",
	} {
		for key := range strings.FieldsSeq(keys) {
			if _, ok := (*where)[key]; !ok {
				t.Errorf("no %s in %s", key, text)
			}
		}
	}
}

func checkPage(t *testing.T, r Report) {
	t.Helper()
	folder := t.TempDir()
	if err := r.WritePage(folder, "Made here."); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(folder, "proof.md"))
	if err != nil || !strings.Contains(string(page), "| `replay` |") || !strings.Contains(string(page), "Made here.") {
		t.Errorf("%s, %v", page, err)
	}
	for _, name := range []string{"proof-roc.svg", "proof-time.svg"} {
		if b, err := os.ReadFile(filepath.Join(folder, name)); err != nil || strings.Count(string(b), "<polyline") != len(r.Cheats) {
			t.Errorf("%s: %d bytes, %v", name, len(b), err)
		}
	}
	var table strings.Builder
	if err := r.WriteTable(&table); err != nil || strings.Count(table.String(), "\n") < 5 {
		t.Errorf("%s, %v", table.String(), err)
	}
	if missed := strings.Join(r.Missed(), "; "); !strings.Contains(missed, "upper bound") || !strings.Contains(missed, "worst null") {
		t.Errorf("20 months are taken for enough: %s", missed)
	}
}

// TestBarsNeedIds: a share within more ids than were generated is nobody's.
func TestBarsNeedIds(t *testing.T) {
	yes, no := new(0.99), new(0.5)
	for _, c := range []struct {
		name string
		row  Row
		want *bool
	}{
		{"one-in-ten", Row{Name: "one-in-ten"}, nil},
		{"one-in-ten", Row{Name: "one-in-ten", Share: yes}, new(true)},
		{"one-in-ten", Row{Name: "one-in-ten", Share: no}, new(false)},
		{"wrong-seed", Row{Share: yes}, new(true)},
		{"wrong-seed", Row{Share: no}, new(false)},
		{"q4_0", Row{FlipRate: 0.05}, nil},
		{"q4_0", Row{FlipRate: 0.05, AUC8: new(1.0), AUC300: 1, Mean: new(120.0)}, new(true)},
		{"q4_0", Row{FlipRate: 0.05, AUC8: new(1.0), AUC300: 1, Mean: new(220.0)}, new(false)},
		{"q4_0", Row{FlipRate: 0.05, AUC8: new(1.0), AUC300: 0.9, Mean: new(120.0)}, new(false)},
		{"q4_0", Row{FlipRate: 0.01, AUC8: new(0.9995), AUC300: 0.9}, new(true)},
		{"q4_0", Row{FlipRate: 0.01, AUC8: new(0.99)}, new(false)},
		{"top-k", Row{AUC500: 0.98}, new(false)},
		{"top-k", Row{AUC500: 0.995}, new(true)},
		{"pad", Row{Power: 0.995}, new(true)},
		{"pad", Row{Power: 0.98}, new(false)},
		{"finetuned", Row{}, nil},
	} {
		c.row.judge(regimeOf(c.name))
		if (c.row.Met == nil) != (c.want == nil) || c.want != nil && *c.row.Met != *c.want {
			t.Errorf("%s %+v: met %v", c.name, c.row, c.row.Met)
		}
	}
}
