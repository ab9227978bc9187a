package trial

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"targon"
	"targon/engine/native"
	"targon/engine/redteam"
	"targon/evidence"
	"targon/proof"
)

// Methods says how the checks that Targon used before fare beside the verifier's own: of
// each engine's answers, how many each lets pass.
type Methods struct {
	Temperature float64     `json:"temperature"`
	Answers     int         `json:"answers"` // of each engine, to the same requests
	Names       []string    `json:"methods"`
	Rows        []MethodRow `json:"rows"`
}

// A MethodRow is an engine and how many of its answers pass, by the order of the names.
type MethodRow struct {
	Engine string `json:"engine"`
	Honest bool   `json:"honest"`
	Passed []int  `json:"passed"`
}

// The engines that are compared: the honest first, then what the checks were meant to
// catch.
const sameEngine = "honest"

func compared(temperature float64) []string {
	out := []string{sameEngine, redteam.Foreign, "q8_0", "q4_0", "smaller-model", "other-model", "finetuned", "runner-up-1pct", "truncate"}
	if temperature > 0 { // at 0 there is nothing else to draw
		out = append(out, "temp-1.1", "wrong-seed")
	}
	return out
}

// ownMethod names the verifier's own check: replay of the draws against the pack.
const ownMethod = "replay"

// A Comparison says what is asked of whom.
type Comparison struct {
	Answers     int // of each engine
	Temperature float64
	Engines     []string // nil: the usual ones
	Seed        uint64   // chooses the prompts
}

// Compare has engines answer the same requests, and every comparator of package proof
// judge each answer beside the reference's own answer to the same request. The reference
// draws with the request's seed, which the first versions of Targon could not. Replay is
// compared where its answers are evidence.
func (d *Desk) Compare(ctx context.Context, c Comparison) (Methods, error) {
	m := Methods{Temperature: c.Temperature, Answers: c.Answers}
	if c.Temperature >= evidence.MinTemperature {
		m.Names = append(m.Names, ownMethod)
	}
	if c.Engines == nil {
		c.Engines = compared(c.Temperature)
	}
	for _, c := range proof.Comparators() {
		m.Names = append(m.Names, c.Name)
	}
	draft, rng := d.prompts(regime{}), rand.New(rand.NewPCG(c.Seed, 0x5eed))
	requests, own := make([]targon.Request, c.Answers), make([]proof.Pair, c.Answers)
	for i := range requests {
		one := draft(rng)
		one.Temperature = c.Temperature
		requests[i] = d.Request(one, uint64(i))
	}
	if err := atATime(c.Answers, func(i int) (err error) { own[i], err = d.ownAnswer(ctx, requests[i]); return err }); err != nil {
		return m, fmt.Errorf("reference's answers: %w", err)
	}
	for _, name := range c.Engines {
		e, err := d.engine(name, c.Seed)
		if err != nil {
			return m, err
		}
		row := MethodRow{Engine: name, Honest: name == sameEngine || name == redteam.Foreign, Passed: make([]int, len(m.Names))}
		passes := make([][]bool, c.Answers)
		err = atATime(c.Answers, func(i int) (err error) {
			passes[i], err = d.compare(ctx, e, requests[i], own[i])
			return err
		})
		if err != nil {
			return m, fmt.Errorf("engine %s: %w", name, err)
		}
		for _, of := range passes {
			for j, ok := range of {
				if ok {
					row.Passed[j]++
				}
			}
		}
		m.Rows = append(m.Rows, row)
	}
	return m, nil
}

func (d *Desk) engine(name string, seed uint64) (redteam.Engine, error) {
	if name == sameEngine {
		return d.honest, nil
	}
	return redteam.New(name, d.honest, native.Options{}, seed)
}

// atATime does n things, some at a time.
func atATime(n int, do func(int) error) error {
	errs, places := make([]error, n), make(chan struct{}, together)
	var wg sync.WaitGroup
	for i := range n {
		places <- struct{}{}
		wg.Go(func() {
			errs[i] = do(i)
			<-places
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// ownAnswer is the reference's side of a pair.
func (d *Desk) ownAnswer(ctx context.Context, r targon.Request) (proof.Pair, error) {
	t, err := d.Answer(ctx, d.honest, r)
	if err != nil {
		return proof.Pair{}, err
	}
	p := proof.Pair{Own: t.Tokens, OwnText: d.Model.Text(t.Tokens)}
	p.OwnState, err = d.state(ctx, t)
	return p, err
}

// state is the mean of an answer's last hidden states, by the reference.
func (d *Desk) state(ctx context.Context, t targon.Transcript) ([]float64, error) {
	states, err := d.reference.States(ctx, t.Request, t.Tokens)
	if err != nil {
		return nil, err
	}
	return proof.MeanPool(states)
}

// compare says of one answer what each method makes of it.
func (d *Desk) compare(ctx context.Context, e redteam.Engine, r targon.Request, p proof.Pair) ([]bool, error) {
	t, err := d.Answer(ctx, e, r)
	if err != nil {
		return nil, err
	}
	// Enough of the highest for the rank rules, which look whether an id that ends the
	// answer was among them (Targon asked for 10 or fewer log-probabilities).
	if p.Scores, err = d.reference.Score(ctx, r, t.Tokens, targon.Need{Top: 10}); err != nil {
		return nil, err
	}
	if p.State, err = d.state(ctx, t); err != nil {
		return nil, err
	}
	p.Claimed, p.Text = t, d.Model.Text(t.Tokens)
	pick := rand.New(rand.NewPCG(uint64(len(t.Tokens)), r.Sampling.Seed))
	for range 3 {
		p.Picks = append(p.Picks, pick.IntN(len(t.Tokens)))
	}
	var out []bool
	if r.Sampling.Temperature >= evidence.MinTemperature {
		a, err := d.Judge(ctx, t)
		if err != nil {
			return nil, err
		}
		out = append(out, !a.Denied)
	}
	for _, c := range proof.Comparators() {
		l, err := c.Compare(p)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Name, err)
		}
		out = append(out, l.Pass)
	}
	return out, nil
}

// WriteMethods writes the comparisons as a page.
func WriteMethods(folder, environment string, all []Methods) error {
	var b bytes.Buffer
	b.WriteString(methodsPreface)
	for _, m := range all {
		fmt.Fprintf(&b, "\n## At temperature %g\n\nShare of %d answers that pass.\n\n| engine |", m.Temperature, m.Answers)
		for _, n := range m.Names {
			fmt.Fprintf(&b, " `%s` |", n)
		}
		b.WriteString("\n|---|" + string(bytes.Repeat([]byte("---|"), len(m.Names))) + "\n")
		for _, r := range m.Rows {
			name := "`" + r.Engine + "`"
			if r.Honest {
				name += " (honest)"
			}
			fmt.Fprintf(&b, "| %s |", name)
			for _, n := range r.Passed {
				fmt.Fprintf(&b, " %.0f %% |", 100*float64(n)/float64(max(m.Answers, 1)))
			}
			b.WriteByte('\n')
		}
	}
	b.WriteString("\n" + environment + "\n")
	if err := os.WriteFile(filepath.Join(folder, "comparators.md"), b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	return nil
}

const methodsPreface = `# What the checks of earlier Targon versions let pass

Written by ` + "`targon bench comparators --page docs/benchmarks`" + `; edit bench/trial/methods.go instead.

The same requests, openings of stories with 64 to 96 ids to come, are answered by each engine and by the reference. ` + "`replay`" + ` is this project's check of one answer, by margins
against the built-in model's calibration pack. What it lets pass in one answer is still evidence, which adds up over many
([proof.md](proof.md)); nothing adds up in the others. Below temperature 0.3 replay takes no evidence, and verifiers ask at 1. The others are package proof's
comparators: ` + "`sha256`" + ` of normalised text; ` + "`cosine`" + ` of the mean-pooled last hidden states of the reference engine, above 0.8, where Targon 1.0 embedded the text with
all-MiniLM-L6-v2, so its figures are not Targon's own; ` + "`overlap`" + ` of ids at Targon 1.9's two thresholds; ` + "`regenerate`" + ` and compare ids; and the rank rules of versions 4
and 5, which leave out what needs log-probabilities sent by the prover. ` + "`foreign`" + ` is honest: the same model on numerics that round otherwise, which rarely flips an id; where it does, the
text goes its own way from there. A check is good when both honest rows are near 100 % and the others near 0.
`

// Write writes the comparison for people at a terminal.
func (m Methods) Write(out io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "of %d answers at temperature %g pass\n%-16s", m.Answers, m.Temperature, "engine")
	for _, n := range m.Names {
		fmt.Fprintf(&b, " %12s", n)
	}
	b.WriteByte('\n')
	for _, r := range m.Rows {
		fmt.Fprintf(&b, "%-16s", r.Engine)
		for _, n := range r.Passed {
			fmt.Fprintf(&b, " %12d", n)
		}
		b.WriteByte('\n')
	}
	_, err := out.Write(b.Bytes())
	return err
}

// Of returns how many answers of an engine a method let pass, -1 if there is no such.
func (m Methods) Of(engine, method string) int {
	j := slices.Index(m.Names, method)
	for _, r := range m.Rows {
		if r.Engine == engine && j >= 0 {
			return r.Passed[j]
		}
	}
	return -1
}
