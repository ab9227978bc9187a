package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"targon"
	"targon/engine/native"
)

// generation is what `targon engine generate --json` prints.
type generation struct {
	Model  string           `json:"model"`
	Prompt []targon.TokenID `json:"prompt"`
	Tokens []targon.TokenID `json:"tokens"`
	Text   string           `json:"text"`
	Finish string           `json:"finish"` // stop or length
}

func newEngineGenerateCommand(builtin func() []byte) *cobra.Command {
	var path, prompt string
	var asJSON bool
	r := targon.Request{}
	cmd := &cobra.Command{
		Use:     "generate",
		Short:   "continue a text",
		Example: "targon engine generate --model m.gguf --prompt 'Once upon a time' --max-tokens 64 --seed 7 --temperature 1 --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if t := r.Sampling.Temperature; math.IsNaN(t) || t < 0 || t > 2 {
				return fmt.Errorf("temperature %v, want 0 to 2", t)
			}
			m, err := loadModel(path, builtin)
			if err != nil {
				return err
			}
			if err := m.TextError(); err != nil {
				return err
			}
			r.Prompt = m.Encode(prompt, true)
			return generateText(cmd.Context(), cmd.OutOrStdout(), m, r, asJSON)
		},
	}
	f := cmd.Flags()
	f.StringVar(&path, "model", "", "GGUF `file`; the built-in model when empty")
	f.StringVar(&prompt, "prompt", "", "`text` to continue")
	f.Uint32Var(&r.MaxTokens, "max-tokens", 64, "how many ids at most")
	f.Uint64Var(&r.Sampling.Seed, "seed", 0, "seed of the sampler")
	f.Float64Var(&r.Sampling.Temperature, "temperature", 1, "0 for the most likely id, up to 2")
	f.BoolVar(&asJSON, "json", false, "print one JSON object instead of the text as it comes")
	require(cmd, "prompt")
	return cmd
}

func generateText(ctx context.Context, out io.Writer, m *native.Model, r targon.Request, asJSON bool) error {
	e, err := native.New(m, native.Options{Kernel: os.Getenv(kernelVariable)})
	if err != nil {
		return err
	}
	g := generation{Model: m.Name(), Prompt: r.Prompt, Finish: "length"}
	var text strings.Builder
	for token, err := range e.Generate(ctx, r) {
		if err != nil {
			return err
		}
		g.Tokens = append(g.Tokens, token.ID)
		text.WriteString(token.Text)
		if !asJSON {
			if _, err := io.WriteString(out, token.Text); err != nil {
				return fmt.Errorf("print answer: %w", err)
			}
		}
	}
	if slices.Contains(m.EOS(), g.Tokens[len(g.Tokens)-1]) {
		g.Finish = "stop"
	}
	g.Text = text.String()
	if asJSON {
		return json.NewEncoder(out).Encode(g)
	}
	_, err = io.WriteString(out, "\n")
	return err
}
