package trial

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"targon/bench/chart"
)

// WritePage writes proof.md with its plots into a folder; environment says where and how
// the figures were made.
func (r Report) WritePage(folder, environment string) error {
	for name, l := range map[string]chart.Lines{"proof-roc.svg": r.roc(), "proof-time.svg": r.times()} {
		var b bytes.Buffer
		if err := l.WriteSVG(&b); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, name), b.Bytes(), 0o644); err != nil {
			return fmt.Errorf("write plot: %w", err)
		}
	}
	var b bytes.Buffer
	b.WriteString(preface)
	r.table(&b)
	r.plots(&b)
	r.instructions(&b)
	r.rest(&b)
	b.WriteString("\n" + environment + "\n")
	if err := os.WriteFile(filepath.Join(folder, "proof.md"), b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	return nil
}

const preface = `# What catches a cheat, and how soon

Written by ` + "`make bench-proof`" + `; edit bench/trial/page.go instead.

Each cheat answers challenges of the built-in model: openings of stories at temperature 1, 64 to 96 ids (64 where one answer is to convict; ` + "`pad` and `skip-eos`" + `
answer questions, whose answers end by themselves). The reference is the model in F16; a verifier's own code judges: signature, commitment and structure, one prefill, margins by
replay of the noise, a tally, a bet against the calibration pack's bounds. Streams (2,000 of each) are resampled from whole answers, with replacement.
A cheat's own noise is added to exact arithmetic and not to another stack's rounding, which would only help to catch it.

* **flips**: the share of ids that are not the reference's seeded winner.
* **AUC**: how likely a stream of the cheat has more evidence against it than an honest one, after 300 and 500 ids, and after as many as hold 8 expected flips.
* **to conviction**: ids until the evidence reaches 1250, mean and 95th percentile; – where some stream never was within what was generated.
* **share**: convicted within the ids that the bar names.
* **power**: single answers that a threshold tells from all but one in a thousand of the honest. **refused**: those that earn nothing by the verifier's own rules, for a
  coincidence or for a false end, each of which refuses at most one honest answer in a thousand whatever the prompts are.
* Answers that happen to be the honest ones are not counted for ` + "`retokenized`, `truncate`, `pad` and `skip-eos`" + `: nobody was cheated by them.

`

func number(x *float64, format string) string {
	if x == nil {
		return "–"
	}
	return fmt.Sprintf(format, *x)
}

func (r Report) table(b *bytes.Buffer) {
	b.WriteString("| cheat | ids | answers | flips | AUC 300 | AUC 500 | AUC 8 flips | to conviction | 95th | share | power | refused | bar | met |\n")
	b.WriteString("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	rows := slices.Clone(r.Cheats)
	if r.Control != nil {
		rows = append(rows, *r.Control)
	}
	for _, c := range rows {
		met := ""
		if c.Met != nil {
			met = map[bool]string{true: "yes", false: "**no**"}[*c.Met]
		}
		share := number(c.Share, "%.3f")
		if c.Share != nil {
			share += fmt.Sprintf(" of %d", c.Within)
		}
		fmt.Fprintf(b, "| `%s` | %d | %d | %.3f %% | %.4f | %.4f | %s | %s | %s | %s | %.3f | %.3f | %s | %s |\n", c.Name, c.Tokens, c.Requests, 100*c.FlipRate,
			c.AUC300, c.AUC500, number(c.AUC8, "%.4f"), number(c.Mean, "%.0f"), number(c.P95, "%.0f"), share, c.Power, c.Refused, c.Bar, met)
	}
}

func (Report) plots(b *bytes.Buffer) {
	b.WriteString(`
![ROC curves after 300 ids](proof-roc.svg)

![How many streams are convicted after how many ids](proof-time.svg)
`)
}

// instructions shows what becomes of hidden instructions that the model heeds less.
func (r Report) instructions(b *bytes.Buffer) {
	if len(r.Hidden) == 0 {
		return
	}
	b.WriteString(`
## How much a hidden prompt must change

` + "`hidden-prompt`" + ` is an operator's message of a system in the model's own chat form, the prompt being the user's message. The same instruction and its beginnings,
also as mere text before the prompt, which this small model heeds as little as any text that is some sentences back: where no id of an answer changes, nothing can show it.

| instruction | form | flips | one answer convicts | refused |
|---|---|---|---|---|
`)
	for _, h := range r.Hidden {
		form := "a system's message"
		if h.Plain {
			form = "mere text"
		}
		fmt.Fprintf(b, "| %d ids | %s | %.3f %% | %.3f | %.3f |\n", h.IDs, form, 100*h.FlipRate, h.Share, h.Refused)
	}
}

func (r Report) rest(b *bytes.Buffer) {
	h := r.Honest
	fmt.Fprintf(b, `
## Honest provers

%d answers of %d texts that are not in the pack, on the stacks %s: logits once on each, noise drawn anew for each answer. %.4f %% of ids flip, %.4f %% lie at a
filter's edge, %.3f %% of answers have no verdict, %.4f %% are refused as a coincidence.

| months of %d answers | convicted | bar |
|---|---|---|
| %d, resampled from the pool | %d, at most %.2g (95 %%) | ≤ 1e-3 |
| %d under the worst null: flips exactly as often as the bounds allow | %.2g of them | ≤ 1e-3, not 0 |
`, h.Requests, h.Texts, r.Pack, 100*h.FlipRate, 100*h.UndecidedIDs, 100*h.UndecidedShare, 100*h.RefusedShare,
		h.RequestsPerMonth, h.ProverMonths, h.FalseConvictions, h.Upper95, h.WorstMonths, h.WorstNull)
	for _, s := range h.Searches {
		fmt.Fprintf(b, "| %d of a user who looks for %s: %d prompts tried, %d kept, %.4f %% flips | %d | 0 |\n",
			h.AdversarialMonths/max(len(h.Searches), 1), s.For, s.Candidates, s.Kept, 100*s.FlipRate, s.Convictions)
	}
	fmt.Fprintf(b, `
## Cost

Auditing an answer takes **%.2f** of the CPU time of generating it alone, %.2f of generating it with 15 others: at an audit rate of 10 %%, %.1f %% and %.1f %%.
Prompts of at most 64 ids, medians of %d turns on one thread, signature and noise included.
`, r.Cost.Batch1, r.Cost.Batch16, 10*r.Cost.Batch1, 10*r.Cost.Batch16, r.Cost.Turns)
	if missed := r.Missed(); len(missed) > 0 {
		b.WriteString("\n## Missed\n\n* " + strings.Join(missed, "\n* ") + "\n")
	}
}

// panels puts a curve of each cheat into panels of seven, in the order of the table.
func (r Report) panels(curve func(Row) [][2]float64) (out []chart.Panel) {
	for i, c := range r.Cheats {
		if i%7 == 0 {
			out = append(out, chart.Panel{})
		}
		p := &out[len(out)-1]
		p.Curves = append(p.Curves, chart.Curve{Name: c.Name, Points: curve(c)})
	}
	return out
}

// roc draws the share of cheats' streams that are above a threshold over that of honest
// ones, after 300 ids.
func (r Report) roc() chart.Lines {
	honest := r.calm.evidenceAt(300, 1)
	return chart.Lines{
		Title:  "Caught over falsely accused, after 300 ids, at every threshold",
		X:      chart.Axis{Name: "honest above it", Low: 1.0 / streams, High: 1, Log: true},
		Y:      chart.Axis{Name: "cheats above it", Low: 0, High: 1},
		Panels: r.panels(func(c Row) [][2]float64 { return rocOf(honest, c.pool.evidenceAt(300, 2)) }),
	}
}

// rocOf takes thresholds from the honest evidence, sorted as the cheat's is.
func rocOf(honest, cheat []int64) (out [][2]float64) {
	last := 0
	for x := 0.0; x <= 3.31; x += 0.05 {
		k := min(int(math.Round(math.Pow(10, x))), len(honest)) // honest streams at or above the threshold
		if k == last {
			continue
		}
		last = k
		i, _ := slices.BinarySearch(cheat, honest[len(honest)-k])
		out = append(out, [2]float64{float64(k) / float64(len(honest)), 1 - float64(i)/float64(len(cheat))})
	}
	return out
}

// times draws how many streams are convicted after how many ids.
func (r Report) times() chart.Lines {
	limit := 0.0
	for _, c := range r.Cheats {
		limit = max(limit, float64(c.Tokens))
	}
	return chart.Lines{
		Title:  "Share of provers convicted, by ids that were audited",
		X:      chart.Axis{Name: "ids", Low: few, High: max(limit, 2*few), Log: true},
		Y:      chart.Axis{Name: "convicted", Low: 0, High: 1},
		Panels: r.panels(func(c Row) [][2]float64 { return timesOf(c.pool, limit) }),
	}
}

func timesOf(p Pool, limit float64) (out [][2]float64) {
	took, _ := p.follow(uint64(limit), 3)
	slices.Sort(took)
	for x := float64(few); x <= limit; x *= 1.1 {
		i, _ := slices.BinarySearchFunc(took, x, func(a, b float64) int {
			if a <= b {
				return -1
			}
			return 1
		})
		out = append(out, [2]float64{x, float64(i) / float64(len(took))})
	}
	return out
}

// WriteTable writes the report for people at a terminal.
func (r Report) WriteTable(out io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%-24s %8s %8s %8s %8s %8s %9s %8s %8s %8s %8s  %s\n", "cheat", "ids", "flips", "AUC 300", "AUC 500", "AUC 8f", "convicted", "95th", "share", "power", "refused", "bar")
	rows := slices.Clone(r.Cheats)
	if r.Control != nil {
		rows = append(rows, *r.Control)
	}
	for _, c := range rows {
		met := ""
		if c.Met != nil {
			met = map[bool]string{true: "met: ", false: "MISSED: "}[*c.Met]
		}
		fmt.Fprintf(&b, "%-24s %8d %7.3f%% %8.4f %8.4f %8s %9s %8s %8s %8.3f %8.3f  %s%s\n", c.Name, c.Tokens, 100*c.FlipRate, c.AUC300, c.AUC500,
			number(c.AUC8, "%.4f"), number(c.Mean, "%.0f"), number(c.P95, "%.0f"), number(c.Share, "%.3f"), c.Power, c.Refused, met, c.Bar)
	}
	h := r.Honest
	fmt.Fprintf(&b, "honest: %d answers of %d texts, %d of %d months convicted (at most %.2g), worst null %.2g, undecided %.4f, adversarial users %d of %d months\n",
		h.Requests, h.Texts, h.FalseConvictions, h.ProverMonths, h.Upper95, h.WorstNull, h.UndecidedShare, h.AdversarialConvictions, h.AdversarialMonths)
	fmt.Fprintf(&b, "cost of an audit over generating: %.2f alone, %.2f of sixteen; at an audit rate of 10 %%: %.1f %%\n", r.Cost.Batch1, r.Cost.Batch16, 100*r.Cost.At10)
	for _, m := range r.Missed() {
		fmt.Fprintf(&b, "missed: %s\n", m)
	}
	_, err := out.Write(b.Bytes())
	return err
}
