package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"github.com/spf13/cobra"

	"targon"
	"targon/engine/native"
)

// kernelVariable names the environment variable that chooses the built-in engine's
// kernels; empty is the fastest that this machine has.
const kernelVariable = "TARGON_KERNEL"

// newEngineCommand returns the tools that run the built-in engine by itself. builtin
// returns the model file that is used when none is named.
func newEngineCommand(builtin func() []byte) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "engine",
		Short: "run the built-in engine by itself: score, tokenize, generate, serve",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newEngineScoreCommand(builtin), newEngineTokenizeCommand(builtin), newEngineGenerateCommand(builtin),
		newEngineServeCommand(builtin))
	return cmd
}

// loadModel opens a model file, or the built-in model when path is empty.
func loadModel(path string, builtin func() []byte) (*native.Model, error) {
	if path != "" {
		return native.Open(path)
	}
	if builtin == nil {
		return nil, errors.New("no model is built in, name one with --model")
	}
	m, err := native.Load(builtin())
	if err != nil {
		return nil, fmt.Errorf("load built-in model: %w", err)
	}
	return m, nil
}

func newEngineScoreCommand(builtin func() []byte) *cobra.Command {
	var path, tokens, logits string
	cmd := &cobra.Command{
		Use:   "score",
		Short: "write the logits after each of the given ids, from one pass",
		Long: "Score runs the ids of a JSON array through the model in one pass and writes the logits\n" +
			"after each of them: row-major little-endian float32, [positions][vocabulary].",
		Example: "targon engine score --model m.gguf --tokens ids.json --logits out.f32",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			m, err := loadModel(path, builtin)
			if err != nil {
				return err
			}
			ids, err := readIDs(tokens)
			if err != nil {
				return err
			}
			return scoreLogits(cmd.Context(), cmd.OutOrStdout(), m, ids, logits)
		},
	}
	f := cmd.Flags()
	f.StringVar(&path, "model", "", "GGUF `file`; the built-in model when empty")
	f.StringVar(&tokens, "tokens", "", "JSON `file` with an array of ids")
	f.StringVar(&logits, "logits", "", "`file` to write the logits to")
	require(cmd, "tokens", "logits")
	return cmd
}

// require marks flags as required; the names are this file's own.
func require(cmd *cobra.Command, names ...string) {
	for _, name := range names {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic("internal error: " + err.Error())
		}
	}
}

// readIDs reads a JSON array of token ids.
func readIDs(path string) ([]targon.TokenID, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read ids: %w", err)
	}
	var ids []targon.TokenID
	if err := json.Unmarshal(data, &ids); err != nil {
		return nil, fmt.Errorf("read ids from %s: want a JSON array of integers: %w", path, err)
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("read ids from %s: the array is empty", path)
	}
	return ids, nil
}

// scoreLogits writes the logits to a file and a line about them to out. A file that
// could not be completed is removed.
func scoreLogits(ctx context.Context, out io.Writer, m *native.Model, ids []targon.TokenID, path string) (err error) {
	e, err := native.New(m, native.Options{Kernel: os.Getenv(kernelVariable)})
	if err != nil {
		return err
	}
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write logits: %w", err)
	}
	hash := sha256.New()
	buffer := bufio.NewWriterSize(io.MultiWriter(file, hash), 1<<16)
	row := make([]byte, 4*m.Vocab())
	err = e.Logits(ctx, ids, func(_ int, logits []float32) error {
		for i, l := range logits {
			binary.LittleEndian.PutUint32(row[4*i:], math.Float32bits(l))
		}
		_, err := buffer.Write(row)
		return err
	})
	if err == nil {
		err = buffer.Flush()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(fmt.Errorf("write logits: %w", err), os.Remove(path))
	}
	return json.NewEncoder(out).Encode(struct {
		Positions  int    `json:"positions"`
		Vocabulary int    `json:"vocabulary"`
		SHA256     string `json:"logits_sha256"`
	}{len(ids), m.Vocab(), hex.EncodeToString(hash.Sum(nil))})
}

func newEngineTokenizeCommand(builtin func() []byte) *cobra.Command {
	var path, text string
	var bos bool
	cmd := &cobra.Command{
		Use:     "tokenize",
		Short:   "print the ids of a text as a JSON array",
		Example: "targon engine tokenize --model m.gguf --text 'Once upon a time' --bos",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			m, err := loadModel(path, builtin)
			if err != nil {
				return err
			}
			if err := m.TextError(); err != nil {
				return err
			}
			ids := m.Encode(text, bos)
			if ids == nil {
				ids = []targon.TokenID{}
			}
			return json.NewEncoder(cmd.OutOrStdout()).Encode(ids)
		},
	}
	f := cmd.Flags()
	f.StringVar(&path, "model", "", "GGUF `file`; the built-in model when empty")
	f.StringVar(&text, "text", "", "`text` to tokenize; control tokens in it are plain text")
	f.BoolVar(&bos, "bos", false, "begin with the model's begin-of-text id")
	require(cmd, "text")
	return cmd
}
