package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"targon"
	"targon/engine/native"
	"targon/engine/native/serve"
)

// generation is what `targon engine generate --json` prints.
type generation struct {
	Model  string           `json:"model"`
	Prompt []targon.TokenID `json:"prompt"`
	Tokens []targon.TokenID `json:"tokens"`
	Text   string           `json:"text"`
	Finish string           `json:"finish"` // stop or length
}

// A generating is what `targon engine generate` is asked for.
type generating struct {
	path, prompt string
	request      targon.Request
	tuning       native.Tuning
	biases       []string // ID=VALUE
	stops        []string
	asJSON       bool
}

func newEngineGenerateCommand(builtin func() []byte) *cobra.Command {
	g := new(generating)
	cmd := &cobra.Command{
		Use:   "generate",
		Short: "continue a text",
		Long: "Generate continues a text. Temperature, seed, --top-k, --top-p and --min-p mean what they mean in a\n" +
			"request to a prover; penalties, biases and stop strings are vLLM's, and no prover is ever asked for them.",
		Example: "targon engine generate --model m.gguf --prompt 'Once upon a time' --max-tokens 64 --seed 7 --temperature 1 --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := g.settle(); err != nil {
				return err
			}
			m, err := loadModel(g.path, builtin)
			if err != nil {
				return err
			}
			if err := m.TextError(); err != nil {
				return err
			}
			g.request.Prompt = m.Encode(g.prompt, true)
			return g.run(cmd, m)
		},
	}
	g.flags(cmd.Flags())
	require(cmd, "prompt")
	return cmd
}

func (g *generating) flags(f *pflag.FlagSet) {
	r, t := &g.request, &g.tuning
	f.StringVar(&g.path, "model", "", "GGUF `file`; the built-in model when empty")
	f.StringVar(&g.prompt, "prompt", "", "`text` to continue")
	f.Uint32Var(&r.MaxTokens, "max-tokens", 64, "how many ids at most")
	f.Uint64Var(&r.Sampling.Seed, "seed", 0, "seed of the sampler")
	f.Float64Var(&r.Sampling.Temperature, "temperature", 1, "0 for the most likely id, up to 2")
	f.Uint32Var(&r.Sampling.TopK, "top-k", 0, "draw from so many of the likeliest ids; 0 for all")
	f.Float64Var(&r.Sampling.TopP, "top-p", 1, "draw from the likeliest ids that together have this probability")
	f.Float64Var(&r.Sampling.MinP, "min-p", 0, "draw from ids with this share of the likeliest one's probability; below 1")
	f.Float64Var(&t.Repetition, "repetition-penalty", 1, "above 1, ids that have come are less likely, up to 100")
	f.Float64Var(&t.Frequency, "frequency-penalty", 0, "taken off an id's logit for each time that the answer has it, -2 to 2")
	f.Float64Var(&t.Presence, "presence-penalty", 0, "taken off the logits of the answer's ids, -2 to 2")
	f.StringArrayVar(&g.biases, "logit-bias", nil, "`ID=VALUE`: added to an id's logit, -100 to 100; may be repeated")
	f.StringArrayVar(&g.stops, "stop", nil, "`text` before which the answer ends; may be repeated")
	f.Uint32Var(&t.MinTokens, "min-tokens", 0, "how many ids come before one that ends the answer, or a stop text")
	f.BoolVar(&t.IgnoreEnds, "ignore-eos", false, "go on after ids that end an answer")
	f.BoolVar(&g.asJSON, "json", false, "print one JSON object instead of the text as it comes")
}

// settle checks the settings that the engine does not, and reads those that are lists.
func (g *generating) settle() error {
	by := &g.request.Sampling
	switch by.TopP {
	case 1: // as everybody else writes that it is off
		by.TopP = 0
	case 0:
		return errors.New("top-p 0, want more than 0, to 1")
	}
	if err := by.Validate(); err != nil {
		return err
	}
	if !(g.tuning.Repetition > 0) {
		return fmt.Errorf("repetition-penalty %v, want more than 0, to 100", g.tuning.Repetition)
	}
	if slices.Contains(g.stops, "") {
		return errors.New("stop text is empty")
	}
	for _, bias := range g.biases {
		name, value, _ := strings.Cut(bias, "=")
		id, err := strconv.ParseInt(name, 10, 32)
		v, wrong := strconv.ParseFloat(value, 32)
		if err != nil || wrong != nil || math.IsNaN(v) {
			return fmt.Errorf("logit-bias %q, want ID=VALUE", bias)
		}
		if g.tuning.Bias == nil {
			g.tuning.Bias = map[targon.TokenID]float32{}
		}
		g.tuning.Bias[targon.TokenID(id)] = float32(v)
	}
	return nil
}

func (g *generating) run(cmd *cobra.Command, m *native.Model) error {
	e, err := native.New(m, native.Options{Kernel: os.Getenv(kernelVariable)})
	if err != nil {
		return err
	}
	out := generation{Model: m.Name(), Prompt: g.request.Prompt, Finish: "length"}
	var text strings.Builder
	w := io.Writer(&text)
	if !g.asJSON {
		w = cmd.OutOrStdout()
	}
	stop := serve.Stopper{Stops: g.stops}
	for d, err := range e.Tuned(cmd.Context(), g.request, g.tuning, -1) {
		if err != nil {
			return err
		}
		out.Tokens = append(out.Tokens, d.Token.ID)
		part, hit := d.Token.Text, ""
		if len(out.Tokens) > int(g.tuning.MinTokens) {
			part, hit = stop.Add(part)
		}
		if _, err := io.WriteString(w, part); err != nil {
			return fmt.Errorf("print answer: %w", err)
		}
		if hit != "" {
			out.Finish = "stop"
			break
		}
	}
	if _, err := io.WriteString(w, stop.Flush()); err != nil {
		return fmt.Errorf("print answer: %w", err)
	}
	if !g.tuning.IgnoreEnds && slices.Contains(m.EOS(), out.Tokens[len(out.Tokens)-1]) {
		out.Finish = "stop"
	}
	if out.Text = text.String(); g.asJSON {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(out)
	}
	_, err = io.WriteString(w, "\n")
	return err
}
