package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"targon"
	"targon/bundle"
	"targon/engine/native"
	"targon/evidence"
)

// errCheck says that a bundle does not hold.
var errCheck = errors.New("the bundle does not hold")

type checkFlags struct {
	model     string
	packs     []string
	svg       string
	asJSON    bool
	text      bool
	witnesses witnessFlags
}

// newCheckCommand checks an audited answer again, offline. builtin returns the model that
// is used when none is named and it is the one that was asked for.
func newCheckCommand(builtin func() []byte) *cobra.Command {
	var f checkFlags
	cmd := &cobra.Command{
		Use:   "check FILE",
		Short: "check an audited answer again, from a verifier's bundle",
		Long: `Check repeats every step that decided about one answer: the prover's signature, the hash chain over its ids, whether the
answer was to be audited, the path to the root that binds the epoch's receipts, the verdict from the reference's scores, the bet
from the calibration packs. With the model at hand it computes the logits again and compares them to the last bit; the built-in
model is at hand always. It needs no network, and trusts nobody but the bundle's own arithmetic.

What a bundle cannot show by itself is said to be not checked, unless somebody is named who knows: the verifier's ledger, or a
copy of it (--ledger), that the epoch opened and closed like this and the root is over its own receipts; a node of the chain
(--subtensor.chain_endpoint), that the block which drew has this hash, and that the hotkeys had these UIDs at the time.

Exit status: 0 if everything that could be checked holds, whatever the verdict; 1 if something does not; 2 if the file is no bundle; 4 if the
ledger that --ledger names is damaged.`,
		Example: `  targon check bundles/failed-3-7f3a.json
  targon check answer.json --model m.gguf --pack m.pack.json --svg answer.svg
  targon check answer.json --ledger ledger --subtensor.network finney
  targon check mine.json --text
  targon check answer.json --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0], builtin) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.model, "model", "", "GGUF `file` to compute the logits with (default: the built-in model, if it is the one)")
	fl.StringArrayVar(&f.packs, "pack", nil, "calibration pack, a `file`, that the verdict was held against; once for each (default: the\nbuilt-in model's, if it is the one)")
	fl.StringVar(&f.svg, "svg", "", "`file` to draw the gaps along the answer into")
	fl.BoolVar(&f.asJSON, "json", false, "print one JSON object")
	fl.BoolVar(&f.text, "text", false, "also print what was asked and what was answered, as the model spells it")
	f.witnesses.bind(cmd)
	return cmd
}

// checked is what the command found, as JSON.
type checked struct {
	File    string         `json:"file"`
	Holds   bool           `json:"holds"`
	Checks  bundle.Report  `json:"checks"`
	Verdict targon.Verdict `json:"verdict"`
	Words   string         `json:"explanation"`
	// What was asked and answered, if it was wanted and the model is at hand.
	Asked    *string `json:"asked,omitempty"`
	Answered *string `json:"answered,omitempty"`
}

func (f checkFlags) run(cmd *cobra.Command, path string, builtin func() []byte) error {
	b, err := readBundle(path)
	if err != nil {
		return usage(fmt.Errorf("check %s: %w", path, err))
	}
	aids, m, err := f.aids(cmd.Context(), b, builtin)
	if err != nil {
		return usage(fmt.Errorf("check %s: %w", path, err))
	}
	if err := f.witnesses.ask(cmd, b, &aids); err != nil {
		return usage(fmt.Errorf("check %s: %w", path, err))
	}
	var spell func(targon.TokenID) string
	if m != nil && m.TextError() == nil {
		spell = m.Spelling
	}
	out := checked{File: path, Checks: bundle.Check(b, aids), Verdict: b.Judged.Verdict, Words: bundle.Explain(b, spell)}
	out.Holds = out.Checks.Holds()
	if f.text {
		if spell == nil {
			return usage(fmt.Errorf("check %s: --text: no model at hand that spells ids: name its file with --model", path))
		}
		asked, answered := m.Text(b.Transcript.Request.Prompt), m.Text(b.Transcript.Tokens)
		out.Asked, out.Answered = &asked, &answered
	}
	if f.svg != "" {
		if err := draw(f.svg, b, aids.Nulls, spell); err != nil {
			return err
		}
	}
	if err := out.print(cmd.OutOrStdout(), f.asJSON); err != nil {
		return err
	}
	if !out.Holds {
		return fmt.Errorf("check %s: %w", path, errCheck)
	}
	return nil
}

func readBundle(path string) (bundle.Bundle, error) {
	file, err := os.Open(path)
	if err != nil {
		return bundle.Bundle{}, err
	}
	defer func() { _ = file.Close() }()
	return bundle.Decode(file)
}

// aids reads the packs, and scores the answer again where the model is at hand.
func (f checkFlags) aids(ctx context.Context, b bundle.Bundle, builtin func() []byte) (bundle.Aids, *native.Model, error) {
	var a bundle.Aids
	var err error
	if a.Nulls, err = readPacks(f.packs); err != nil {
		return a, nil, err
	}
	if a.Nulls == nil {
		a.Nulls = ownPack(b.Judged.Verdict, builtinPack())
	}
	wanted := b.Transcript.Request.Weights
	m, err := loadModel(f.model, builtin)
	switch {
	case err != nil:
		return a, nil, err
	case m.Digest() != wanted && f.model != "":
		return a, nil, fmt.Errorf("--model: %s is model %s, the answer is of %s", f.model, m.Digest(), wanted)
	case m.Digest() != wanted:
		a.Why = fmt.Sprintf("needs model %s (%.64q): name its file with --model", wanted, b.Transcript.Request.Model)
		return a, nil, nil
	}
	if a.Vocab = m.Vocab(); b.Scores == nil {
		return a, m, nil
	}
	e, err := native.New(m, native.Options{Kernel: os.Getenv(kernelVariable)})
	if err != nil {
		return a, m, err
	}
	scores, err := e.Score(ctx, b.Transcript.Request, b.Transcript.Tokens, b.Need())
	if ctx.Err() != nil {
		return a, m, ctx.Err()
	}
	if err != nil { // ids or lists that no answer of this model has: the other lines say so
		a.Why = fmt.Sprintf("the model cannot score this answer: %v", err)
		return a, m, nil //nolint:nilerr // it is the bundle's fault, and reported as what was not checked
	}
	a.Scores = &scores
	return a, m, nil
}

// ownPack returns the pack that is at hand always, the built-in model's, if it is the one
// that a verdict was held against.
func ownPack(v targon.Verdict, builtin []byte) *evidence.Nulls {
	if len(v.Nulls) != 1 || len(builtin) == 0 {
		return nil
	}
	p, err := evidence.ReadPack(bytes.NewReader(builtin))
	if err != nil {
		return nil
	}
	if d, err := p.Digest(); err != nil || d != v.Nulls[0].Pack {
		return nil
	}
	nulls, err := evidence.NewNulls(p)
	if err != nil {
		return nil
	}
	return nulls
}

// readPacks returns nil when none are named.
func readPacks(paths []string) (*evidence.Nulls, error) {
	var packs []evidence.Pack
	for _, path := range paths {
		file, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("--pack: %w", err)
		}
		p, err := evidence.ReadPack(file)
		_ = file.Close()
		if err != nil {
			return nil, fmt.Errorf("--pack %s: %w", path, err)
		}
		packs = append(packs, p)
	}
	if len(packs) == 0 {
		return nil, nil
	}
	nulls, err := evidence.NewNulls(packs...)
	if err != nil {
		return nil, fmt.Errorf("--pack: %w", err)
	}
	return nulls, nil
}

// draw writes the picture; what was there before stays until it is whole.
func draw(path string, b bundle.Bundle, nulls *evidence.Nulls, spell func(targon.TokenID) string) error {
	if err := replace(path, func(w io.Writer) error { return bundle.Plot(w, b, nulls, spell) }); err != nil {
		return fmt.Errorf("--svg: %w", err)
	}
	return nil
}

func (c checked) print(w io.Writer, asJSON bool) error {
	if asJSON {
		if err := json.NewEncoder(w).Encode(c); err != nil {
			return fmt.Errorf("print report: %w", err)
		}
		return nil
	}
	for _, l := range c.Checks {
		text := fmt.Sprintf("%-11s %s", l.Result, l.Name)
		if l.Detail != "" {
			text += ": " + l.Detail
		}
		if _, err := fmt.Fprintln(w, text); err != nil {
			return fmt.Errorf("print report: %w", err)
		}
	}
	holds := "Everything that could be checked holds."
	if !c.Holds {
		holds = "It does NOT hold: see the lines that are not ok."
	}
	if _, err := fmt.Fprintf(w, "\nVerdict %s\n%s\n", c.Words, holds); err != nil {
		return fmt.Errorf("print report: %w", err)
	}
	if c.Asked != nil {
		if _, err := fmt.Fprintf(w, "\nAsked: %q\nAnswered: %q\n", *c.Asked, *c.Answered); err != nil {
			return fmt.Errorf("print report: %w", err)
		}
	}
	return nil
}
