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
	"path/filepath"

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

// scoreLogits writes the logits to a file and a line about them to out. What is there
// already is replaced by the whole of them or not at all.
func scoreLogits(ctx context.Context, out io.Writer, m *native.Model, ids []targon.TokenID, path string) error {
	e, err := native.New(m, native.Options{Kernel: os.Getenv(kernelVariable)})
	if err != nil {
		return err
	}
	var sum string
	if err := replace(path, func(w io.Writer) (err error) {
		sum, err = writeLogits(ctx, w, e, ids)
		return err
	}); err != nil {
		return fmt.Errorf("write logits: %w", err)
	}
	return json.NewEncoder(out).Encode(struct {
		Positions  int    `json:"positions"`
		Vocabulary int    `json:"vocabulary"`
		SHA256     string `json:"logits_sha256"`
	}{len(ids), m.Vocab(), sum})
}

// replace has a file written beside the one that it replaces when it is whole. What is no
// file, such as a device or a pipe, is written to itself.
func replace(path string, write func(io.Writer) error) (err error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		file, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return errors.Join(write(file), file.Close())
	}
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(temp.Name()))
		}
	}()
	if err = errors.Join(write(temp), temp.Chmod(0o644), temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}

// writeLogits writes a row for each id and returns their hash.
func writeLogits(ctx context.Context, w io.Writer, e *native.Engine, ids []targon.TokenID) (sum string, err error) {
	hash := sha256.New()
	buffer := bufio.NewWriterSize(io.MultiWriter(w, hash), 1<<16)
	row := make([]byte, 4*e.Model().Vocab())
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
	return hex.EncodeToString(hash.Sum(nil)), err
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
